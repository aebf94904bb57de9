// A token bucket: a few at once, and then one each so often.
#pragma once

#include <algorithm>

#include "limits.h"

namespace wherry::transports::p2p {

class Bucket {
 public:
  Bucket(int most, Clock::duration every) : most_(most), every_(every), left_(most) {}

  // False: it is empty.
  bool take(Clock::time_point now) {
    const auto gained = std::min<Clock::rep>((now - since_) / every_, most_ - left_);
    left_ += static_cast<int>(gained);
    since_ = left_ == most_ ? now : since_ + gained * every_;
    if (left_ == 0) return false;
    --left_;
    return true;
  }

 private:
  int most_;
  Clock::duration every_;
  int left_;
  Clock::time_point since_{};
};

}  // namespace wherry::transports::p2p
