// Trying, and trying again.
#include "dials.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "include/wherry/transport.h"

namespace wherry::transports::tor {
namespace {

// Of one dial with all of its tries. One that began in an outage would hang for minutes.
constexpr std::chrono::milliseconds kLimit{9'000};
constexpr std::chrono::milliseconds kAgain{400};
constexpr std::chrono::seconds kForgetEvery{10};  // tor does it no more often

// Whether another try may end otherwise. While its connections are made anew tor has no SOCKS
// listener.
bool may_change(std::int32_t reason) {
  return reason == WHERRY_REASON_UNREACHABLE || reason == WHERRY_REASON_TIMEOUT ||
         reason == WHERRY_REASON_TRANSPORT_OFFLINE;
}

}  // namespace

void Dials::begin(std::uint64_t dial, Target target, Clock::time_point now) {
  all_.try_emplace(dial, One{std::move(target), now + kLimit, now});
}

void Dials::give_up(std::uint64_t dial) {
  all_.erase(dial);
}

void Dials::fail_all(std::int32_t reason) {
  forgetting_ = false;
  for (const auto& [id, one] : std::exchange(all_, {})) report_(id, {}, reason);
}

void Dials::work(Session& session, const std::string& socks, Clock::time_point now) {
  for (auto entry = all_.begin(); entry != all_.end();) {
    entry = is_over(entry->first, entry->second, now) ? all_.erase(entry) : std::next(entry);
  }
  for (auto& [id, one] : all_) {
    const bool due = !one.dial && !one.asking && one.next <= now;
    if (due && failures_ && forget_at_ <= now) forget_failures(session, now);
    if (due && !forgetting_) try_it(id, one, session, socks);
  }
}

void Dials::forget_failures(Session& session, Clock::time_point now) {
  failures_ = false;
  forget_at_ = now + kForgetEvery;
  forgetting_ = true;
  session.forget_failures([this] { forgetting_ = false; });
}

void Dials::try_it(std::uint64_t id, One& one, Session& session, const std::string& socks) {
  if (!one.target.client) {
    one.dial.emplace(one.target, socks);
    return;
  }
  // Each time: with failures tor forgets keys too.
  one.asking = true;
  session.authorise(one.target.address, *one.target.client, [this, id, socks](std::int32_t reason) {
    const auto waiting = all_.find(id);
    if (waiting == all_.end()) return;  // given up since
    waiting->second.asking = false;
    if (reason != WHERRY_REASON_NONE) {
      waiting->second.reason = reason;
    } else {
      waiting->second.dial.emplace(waiting->second.target, socks);
    }
  });
}

// True: it was reported.
bool Dials::is_over(std::uint64_t id, One& one, Clock::time_point now) {
  if (one.dial && one.dial->state() == Dial::State::kOpen) {
    report_(id, one.dial->take(), WHERRY_REASON_NONE);
    return true;
  }
  if (one.dial && one.dial->state() == Dial::State::kFailed) {
    one.reason = one.dial->reason();
    one.dial.reset();
    one.next = now + kAgain;
    failures_ = true;
  }
  const bool late = one.until <= now;
  const bool final = one.reason != WHERRY_REASON_NONE && !may_change(one.reason);
  if (!late && !final) return false;
  // A try that hangs is a failure too: tor may wait for a rendezvous by a descriptor that is old,
  // and the next dial would wait with it.
  failures_ = failures_ || one.dial.has_value();
  report_(id, {}, one.reason == WHERRY_REASON_NONE ? WHERRY_REASON_TIMEOUT : one.reason);
  return true;
}

std::vector<Dials::Watched> Dials::watched() const {
  std::vector<Watched> out;
  for (const auto& [id, one] : all_) {
    if (one.dial) out.push_back({id, one.dial->descriptor(), one.dial->events()});
  }
  return out;
}

void Dials::on_ready(std::uint64_t dial) {
  const auto one = all_.find(dial);
  if (one != all_.end() && one->second.dial) one->second.dial->on_ready();
}

std::optional<Dials::Clock::time_point> Dials::deadline() const {
  std::optional<Clock::time_point> first;
  for (const auto& [id, one] : all_) {
    const bool waits = !one.dial && !one.asking && !forgetting_;
    Clock::time_point next = waits ? std::min(one.next, one.until) : one.until;
    // One that failed as it began waits for nothing.
    if (one.dial && one.dial->state() != Dial::State::kWaiting) next = {};
    if (!first || next < *first) first = next;
  }
  return first;
}

}  // namespace wherry::transports::tor
