// Letting in, and taking.
#include "callers.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <utility>

namespace wherry::transports::onion {

using links::FrameKind;

void Callers::allow(std::uint64_t service, std::uint64_t inbox, std::optional<Token> token,
                    bool anybody) {
  inboxes_.insert_or_assign(inbox, Inbox{service, token, anybody});
}

void Callers::forbid(std::uint64_t inbox) {
  if (inboxes_.erase(inbox) == 0) return;
  std::vector<std::uint64_t> gone;
  for (const auto& [number, caller] : callers_) {
    if (caller.inbox == inbox) gone.push_back(number);
  }
  for (const std::uint64_t number : gone) drop(number);
}

void Callers::clear() {
  callers_.clear();
  inboxes_.clear();
  origins_.clear();
  full_ = false;
}

void Callers::came(std::uint64_t service, Descriptor stream, Clock::time_point now) {
  // Whoever holds cards, however many, keeps no contact out.
  const auto is_strange = [&](const auto& entry) { return anybody_finds(entry.second.service); };
  if (anybody_finds(service) &&
      static_cast<std::size_t>(std::ranges::count_if(callers_, is_strange)) >= kStrangersMax) {
    drop(std::ranges::find_if(callers_, is_strange)->first);
  }
  if (callers_.size() >= kCallersMax) return;  // it is closed
  const auto is_silent = [&](const auto& entry) {
    return entry.second.service == service && entry.second.inbox == 0;
  };
  if (static_cast<std::size_t>(std::ranges::count_if(callers_, is_silent)) >= kSilentPerService) {
    drop(std::ranges::find_if(callers_, is_silent)->first);
  }
  callers_.emplace(
      ++last_caller_,
      Caller{Stream(std::move(stream)), service, 0, 0, now + kSilenceLimit, {}, {}, {}, {}, {}});
}

bool Callers::anybody_finds(std::uint64_t service) const {
  return std::ranges::any_of(inboxes_, [&](const auto& entry) {
    return entry.second.service == service && entry.second.anybody;
  });
}

std::vector<Callers::Watched> Callers::watched() const {
  std::vector<Watched> out;
  for (const auto& [number, caller] : callers_) {
    const int reads = full_ ? 0 : POLLIN;
    const int writes = caller.stream.wants_to_write() ? POLLOUT : 0;
    out.push_back({number, caller.stream.descriptor(), static_cast<short>(reads | writes)});
  }
  return out;
}

void Callers::on_ready(std::uint64_t number, short events, Clock::time_point now) {
  const auto entry = callers_.find(number);
  if (entry == callers_.end()) return;
  Caller& caller = entry->second;
  bool good = true;
  if ((events & ~POLLOUT) != 0 && !full_) good = read(number, caller, now);
  if (good && !caller.stream.write()) good = false;
  // A stream that has ended is at its end also while nothing is read.
  if (full_ && (events & (POLLERR | POLLHUP)) != 0) good = false;
  if (!good) drop(number);
}

// False: it has to go.
bool Callers::read(std::uint64_t number, Caller& caller, Clock::time_point now) {
  if (!caller.stream.read()) return false;
  while (!full_) {
    const auto frame = caller.stream.next();
    if (!frame) break;
    if (!take(number, caller, *frame, now)) {
      const std::array refused{static_cast<std::uint8_t>(FrameKind::kRefused)};
      caller.stream.put(refused);
      static_cast<void>(caller.stream.write());
      return false;
    }
    caller.until = now + kIdleLimit;
  }
  if (caller.inbox == 0 && caller.stream.unread() > kHelloMax) return false;
  return !caller.stream.bad();
}

// False: it is no frame of a dialler who may be here.
bool Callers::take(std::uint64_t number, Caller& caller, std::span<const std::uint8_t> frame,
                   Clock::time_point now) {
  const auto kind = links::kind_of(frame);
  if (caller.inbox == 0) return kind == FrameKind::kHello && greet(caller, frame.subspan(1));
  if (kind == FrameKind::kPing) {
    const std::array pong{static_cast<std::uint8_t>(FrameKind::kPong)};
    // Who does not read gets none, and so finds out.
    if (caller.stream.has_room()) caller.stream.put(pong);
    return frame.size() == 1;
  }
  if (kind == FrameKind::kAsk && frame.size() == 1 + 32) {
    answer(caller, frame.subspan(1));
    return true;
  }
  if (kind != FrameKind::kEnvelopes) return false;
  Rest rest{links::Bytes(frame.begin(), frame.end()), {}, 0};
  auto envelopes = links::parse_envelopes(rest.frame);
  if (!envelopes || envelopes->front().number <= caller.last_number) return false;
  caller.last_number = envelopes->back().number;
  rest.envelopes = std::move(*envelopes);
  caller.rest = std::move(rest);
  offer(number, caller, now);
  return true;
}

void Callers::answer(Caller& caller, std::span<const std::uint8_t> locator) {
  links::Bytes frame{static_cast<std::uint8_t>(FrameKind::kBundle)};
  frame.insert(frame.end(), locator.begin(), locator.end());
  if (!caller.stream.has_room()) return;  // who does not read is not looked up anything
  if (const auto bundle = finder_(locator))
    frame.insert(frame.end(), bundle->begin(), bundle->end());
  caller.stream.put(frame);
}

bool Callers::greet(Caller& caller, std::span<const std::uint8_t> token) {
  for (const auto& [id, inbox] : inboxes_) {
    const std::span<const std::uint8_t> expected =
        inbox.token ? std::span<const std::uint8_t>(*inbox.token) : token.first(0);
    if (inbox.service != caller.service || token.size() != expected.size() ||
        !equal_in_constant_time(token, expected)) {
      continue;
    }
    make_room(id);
    caller.inbox = id;
    return true;
  }
  return false;
}

// The oldest has to go: a peer whose circuit died comes anew while the old stream still looks
// alive.
void Callers::make_room(std::uint64_t inbox) {
  const std::size_t most = inboxes_.at(inbox).anybody ? kCallersOfAnybody : kCallersPerInbox;
  const auto is_here = [&](const auto& entry) { return entry.second.inbox == inbox; };
  if (static_cast<std::size_t>(std::ranges::count_if(callers_, is_here)) < most) return;
  drop(std::ranges::find_if(callers_, is_here)->first);
}

// What was not taken waits, and nothing is read meanwhile.
void Callers::offer(std::uint64_t number, Caller& caller, Clock::time_point now) {
  Rest& rest = *caller.rest;
  std::vector<Arrival> arrivals;
  for (std::size_t i = rest.taken; i < rest.envelopes.size(); ++i) {
    arrivals.push_back({next_receipt_ + arrivals.size(), rest.envelopes[i].bytes});
  }
  const std::size_t taken = taker_(caller.inbox, arrivals);
  // What the host says of them meanwhile waits for this thread.
  for (std::size_t i = 0; i < taken; ++i) {
    origins_[arrivals[i].receipt] = {number, rest.envelopes[rest.taken + i].number};
  }
  while (origins_.size() > kOriginsMax) origins_.erase(origins_.begin());
  next_receipt_ += taken;
  if (caller.taken.empty()) caller.taken_since = now;
  for (std::size_t i = 0; i < taken; ++i) {
    caller.taken.push_back(rest.envelopes[rest.taken + i].number);
  }
  rest.taken += taken;
  full_ = rest.taken < rest.envelopes.size();
  if (!full_) caller.rest.reset();
}

void Callers::resume(Clock::time_point now) {
  full_ = false;
  std::vector<std::uint64_t> gone;
  for (auto& [number, caller] : callers_) {
    caller.until = std::max(caller.until, now + kSilenceLimit);  // nobody was listened to until now
    if (full_) continue;
    if (caller.rest) offer(number, caller, now);
    // Frames that were read already wake nobody.
    if (!full_ && !read(number, caller, now)) gone.push_back(number);
  }
  for (const std::uint64_t number : gone) drop(number);
}

void Callers::stored(std::uint64_t receipt) {
  const auto origin = origins_.find(receipt);
  if (origin == origins_.end()) return;
  const auto caller = callers_.find(origin->second.caller);
  if (caller != callers_.end()) caller->second.durable.push_back(origin->second.number);
  origins_.erase(origin);
}

Clock::time_point Callers::Caller::tell_at() const {
  if (taken.size() + durable.size() >= kTellAtOnce) return Clock::time_point::min();
  auto at = Clock::time_point::max();
  if (!taken.empty()) at = taken_since + kTellTakenWithin;
  if (!durable.empty()) at = std::min(at, told_at + kTellEvery);
  return at;
}

// A frame however small is a cell through six tors: so what is durable soon is not told to be taken
// before, and many share a frame.
void Callers::flush(Clock::time_point now) {
  std::vector<std::uint64_t> gone;
  for (auto& [number, caller] : callers_) {
    if (caller.tell_at() <= now) {
      std::erase_if(caller.taken, [&](std::uint32_t one) {
        return std::ranges::find(caller.durable, one) != caller.durable.end();
      });
      tell(caller, FrameKind::kTaken, caller.taken);
      tell(caller, FrameKind::kStored, caller.durable);
      caller.told_at = now;
    }
    if (caller.stream.wants_to_write() && !caller.stream.write()) gone.push_back(number);
  }
  for (const std::uint64_t number : gone) drop(number);
}

// Whoever does not read is not told: they will send it again.
void Callers::tell(Caller& caller, FrameKind kind, std::vector<std::uint32_t>& numbers) {
  while (!numbers.empty()) {
    const links::Bytes frame = links::pack_numbers(kind, numbers);
    if (caller.stream.has_room()) caller.stream.put(frame);
  }
}

std::optional<Clock::time_point> Callers::deadline() const {
  auto first = Clock::time_point::max();
  for (const auto& [number, caller] : callers_) {
    first = std::min(first, caller.tell_at());
    if (!full_) first = std::min(first, caller.until);
  }
  return first == Clock::time_point::max() ? std::nullopt : std::optional(first);
}

void Callers::on_time(Clock::time_point now) {
  if (full_) return;
  std::vector<std::uint64_t> gone;
  for (const auto& [number, caller] : callers_) {
    if (caller.until <= now) gone.push_back(number);
  }
  for (const std::uint64_t number : gone) drop(number);
}

void Callers::drop(std::uint64_t number) {
  callers_.erase(number);
}

}  // namespace wherry::transports::onion
