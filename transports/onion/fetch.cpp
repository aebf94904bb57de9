// One question, one answer.
#include "fetch.h"

#include <poll.h>

#include <algorithm>

#include "link.h"
#include "transports/common/tor/onion_address.h"

namespace wherry::transports::onion {

using links::FrameKind;

Fetch::Fetch(const Endpoint& endpoint, const Locator& locator, Clock::time_point now)
    : target_{tor::address_of(endpoint.service), endpoint.client, random_name()},
      token_(endpoint.token),
      locator_(locator),
      until_(now + kFetchLimit) {}

void Fetch::open(Descriptor stream) {
  stream_.emplace(std::move(stream));
  stream_->put(hello_of(token_));
  links::Bytes question{static_cast<std::uint8_t>(FrameKind::kAsk)};
  question.insert(question.end(), locator_.begin(), locator_.end());
  stream_->put(question);
  if (!stream_->write()) finish(WHERRY_REASON_UNREACHABLE);
}

void Fetch::finish(std::int32_t reason) {
  if (over_) return;
  over_ = true;
  reason_ = reason;
  stream_.reset();
}

short Fetch::events() const {
  return static_cast<short>(POLLIN | (stream_->wants_to_write() ? POLLOUT : 0));
}

void Fetch::on_ready(short events) {
  if ((events & POLLOUT) != 0 && !stream_->write()) return finish(WHERRY_REASON_UNREACHABLE);
  if ((events & ~POLLOUT) == 0) return;
  if (!stream_->read()) return finish(WHERRY_REASON_UNREACHABLE);
  const auto frame = stream_->next();
  if (!frame) {
    if (stream_->bad()) finish(WHERRY_REASON_PROTOCOL);
    return;
  }
  if (links::kind_of(*frame) == FrameKind::kRefused) return finish(WHERRY_REASON_NOT_ALLOWED);
  const auto rest = frame->subspan(1);
  const bool sound = links::kind_of(*frame) == FrameKind::kBundle && rest.size() >= 32 &&
                     rest.size() <= 32 + WHERRY_BUNDLE_SIZE_MAX &&
                     std::ranges::equal(rest.first(32), locator_);
  if (!sound) return finish(WHERRY_REASON_PROTOCOL);
  bundle_.assign(rest.begin() + 32, rest.end());
  finish(bundle_.empty() ? WHERRY_REASON_NOT_FOUND : WHERRY_REASON_NONE);
}

}  // namespace wherry::transports::onion
