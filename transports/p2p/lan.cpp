// When something is said: thrice when this device comes, or looks for somebody; once when a contact
// asks; and once a minute.
#include "lan.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <span>
#include <string>
#include <utility>

namespace wherry::transports::p2p {
namespace {

std::uint32_t epoch_now() {
  return epoch_of(std::chrono::duration_cast<std::chrono::seconds>(
                      std::chrono::system_clock::now().time_since_epoch())
                      .count());
}

// Up to `most`: so that those who say the same do not say it at once.
Clock::duration some_of(Clock::duration most) {
  std::array<std::uint8_t, 2> drawn{};
  random_bytes(drawn);
  return most * (drawn[0] << 8 | drawn[1]) / (std::numeric_limits<std::uint16_t>::max() + 1);
}

}  // namespace

Lan::Lan(const Address& listen, const Key& secret, Clock::time_point now)
    : listen_(listen),
      sockets_(listen),
      said_at_(now - kLanPause),
      asked_at_(now - kLanAskEvery),
      second_(now) {
  for (std::size_t i = 0; i < decoys_.size(); ++i) {
    // The sizes are within derive's bounds, so it can not refuse.
    static_cast<void>(derive(decoys_.at(i), "lan decoy " + std::to_string(i), secret));
  }
}

void Lan::announce(std::uint64_t inbox, const Key& pass, Clock::time_point now) {
  if (passes_.insert_or_assign(inbox, pass).second) plan(now);
}

void Lan::expect(std::uint64_t peer, const Key& pass, Clock::time_point now) {
  recognizer_.add(peer, pass);
  plan_to_ask(now);
}

void Lan::forget(std::uint64_t peer) {
  recognizer_.remove(peer);
  neighbours_.erase(peer);
}

std::vector<Address> Lan::places_of(std::uint64_t peer, Clock::time_point now) const {
  std::vector<Address> places;
  const auto neighbour = neighbours_.find(peer);
  if (neighbour == neighbours_.end()) return places;
  for (const Place& place : neighbour->second.places) {
    if (place.is_fresh(now)) places.push_back(place.address);
  }
  return places;
}

bool Lan::misses_somebody(Clock::time_point now) const {
  const auto found = std::ranges::count_if(
      neighbours_, [&](const auto& entry) { return !places_of(entry.first, now).empty(); });
  return static_cast<std::size_t>(found) < recognizer_.size();
}

void Lan::ask(Clock::time_point now) {
  plan_to_ask(std::max(now, asked_at_ + kLanAskEvery));
}

void Lan::plan_to_ask(Clock::time_point at) {
  ask_at_ = std::min(ask_at_, at);
  plan(at);
}

void Lan::plan(Clock::time_point at) {
  next_ = std::min(next_, std::max(at, said_at_ + kLanPause));
}

bool Lan::has_heard_enough(Clock::time_point now) const {
  return heard_ >= kLanDatagrams && now - second_ < 1s;
}

std::vector<int> Lan::descriptors(Clock::time_point now) const {
  return has_heard_enough(now) ? std::vector<int>() : sockets_.descriptors();
}

Clock::time_point Lan::deadline(Clock::time_point now) const {
  return has_heard_enough(now) ? std::min(next_, second_ + 1s) : next_;
}

std::vector<std::uint64_t> Lan::on_ready(int descriptor, Clock::time_point now) {
  if (now - second_ >= 1s) {
    second_ = now;
    heard_ = 0;
  }
  std::vector<std::uint64_t> found;
  const std::uint32_t epoch = epoch_now();
  for (int i = 0; i < kLanAtOnce && !has_heard_enough(now); ++i) {
    const auto datagram = sockets_.receive(descriptor);
    if (!datagram) break;
    ++heard_;
    for (const auto& sighting : recognizer_.read(datagram->bytes, datagram->from.ip, epoch)) {
      if (note(sighting, datagram->from, now)) found.push_back(sighting.peer);
    }
  }
  return found;
}

// Whether it is worth a try to reach them now.
bool Lan::note(const Recognizer::Sighting& sighting, const Address& from, Clock::time_point now) {
  if (sighting.where.port < kPortMin) return false;
  // Who asks may not have heard this device, and not hear an answer by multicast.
  if (sighting.where.asks) {
    plan(now + some_of(kLanAnswerWithin));
    answers_by_broadcast_ = answers_by_broadcast_ || sighting.where.by_broadcast;
  }
  Address address = from;
  address.port = sighting.where.port;
  Neighbour& neighbour = neighbours_[sighting.peer];
  std::vector<Place>& places = neighbour.places;
  const auto place = std::ranges::find(places, address, &Place::address);
  const bool known = place != places.end() && place->is_fresh(now);
  if (place != places.end()) {
    places.erase(place);
  } else if (!neighbour.news.take(now)) {
    return false;
  }
  places.insert(places.begin(), Place{address, now});
  if (places.size() > kLanPlacesMax) places.pop_back();
  if (known && !sighting.where.asks) return false;
  if (known && neighbour.told_at && now - *neighbour.told_at < kLanTellAgain) return false;
  neighbour.told_at = now;
  return true;
}

void Lan::on_time(Clock::time_point now) {
  if (next_ > now) return;
  next_ = Clock::time_point::max();
  if (passes_.empty()) return;  // nobody would understand it
  if (sockets_.is_outdated()) {
    sockets_ = LanSockets(listen_);
    ask_at_ = now;
  }
  if (ask_at_ <= now) {
    ask_at_ = Clock::time_point::max();
    asked_at_ = now;
    questions_ = kLanQuestions;
  }
  say(now);
  said_at_ = now;
  if (questions_ > 0) --questions_;
  const bool is_cut_off = sockets_.sources().empty();
  const Clock::duration pause = is_cut_off ? kLanAskEvery : kLanEvery;
  plan(questions_ > 0 ? now : now + pause - some_of(pause / 4));
  plan(ask_at_);
}

// A beacon for each address of this device, since that is sealed into it.
void Lan::say(Clock::time_point now) {
  std::vector<Key> passes;
  for (const auto& [inbox, pass] : passes_) passes.push_back(pass);
  if (passes.size() > kLanAnnouncedMax) passes.resize(kLanAnnouncedMax);
  for (std::size_t i = 0; passes.size() % kBeaconSlots != 0; ++i) passes.push_back(decoys_.at(i));
  const bool asks = questions_ > 0;
  // Who has not answered may not hear multicast.
  const bool asks_by_broadcast = asks && questions_ < kLanQuestions && misses_somebody(now);
  const bool broadcast = std::exchange(answers_by_broadcast_, false) || asks_by_broadcast;
  const std::uint32_t epoch = epoch_now();
  bool said = false;
  for (std::span<const Key> rest(passes); !rest.empty();) {
    const auto some = rest.first(std::min(rest.size(), kBeaconSlots));
    rest = rest.subspan(some.size());
    for (const LanAddress& source : sockets_.sources()) {
      const Beacon beacon =
          make_beacon(some, epoch, source.address.ip, {listen_.port, asks, asks_by_broadcast});
      said = sockets_.send(source, beacon, broadcast) || said;
    }
  }
  mute_ = !said;
  for (Key& pass : passes) wipe(pass);
}

}  // namespace wherry::transports::p2p
