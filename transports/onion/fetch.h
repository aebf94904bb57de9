// Asking a card's service for the bundle that the card leads to: a stream of its own, once. The
// worker's own: nothing here is thread-safe.
#pragma once

#include <optional>

#include "bundles.h"
#include "endpoint.h"
#include "limits.h"
#include "stream.h"

namespace wherry::transports::onion {

class Fetch {
 public:
  Fetch(const Endpoint& endpoint, const Locator& locator, Clock::time_point now);

  const tor::Target& target() const { return target_; }
  void open(Descriptor stream);
  // NONE: with a bundle.
  void finish(std::int32_t reason);

  bool is_open() const { return stream_.has_value(); }
  int descriptor() const { return stream_->descriptor(); }
  short events() const;  // of poll
  void on_ready(short events);
  Clock::time_point until() const { return until_; }

  // It is over, with a bundle or a reason why not.
  bool is_over() const { return over_; }
  const links::Bytes& bundle() const { return bundle_; }
  std::int32_t reason() const { return reason_; }

 private:
  const tor::Target target_;
  const std::optional<Token> token_;
  const Locator locator_;
  const Clock::time_point until_;
  std::optional<Stream> stream_;
  bool over_ = false;
  std::int32_t reason_ = WHERRY_REASON_NONE;
  links::Bytes bundle_;
};

}  // namespace wherry::transports::onion
