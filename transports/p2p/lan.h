// Finding contacts on the local networks: says where this device is, and hears where they are. When
// it says something, and how much it listens to, is decided here. The worker's own: nothing here is
// thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "beacon.h"
#include "bucket.h"
#include "lan_sockets.h"
#include "limits.h"

namespace wherry::transports::p2p {

class Lan {
 public:
  // Contacts come in at `listen`, whose port was found by then. `secret`: this device's own, the
  // same as long as its contacts are.
  Lan(const Address& listen, const Key& secret, Clock::time_point now);

  // For whom this device says where it is.
  void announce(std::uint64_t inbox, const Key& pass, Clock::time_point now);
  void conceal(std::uint64_t inbox) { passes_.erase(inbox); }
  // Who is to be found.
  void expect(std::uint64_t peer, const Key& pass, Clock::time_point now);
  void forget(std::uint64_t peer);

  // Where they are, as they said themselves a short while ago: the last first.
  std::vector<Address> places_of(std::uint64_t peer, Clock::time_point now) const;
  // Somebody is to be reached, and it is not known where: asks, or does so kLanAskEvery after it
  // asked last.
  void ask(Clock::time_point now);

  // To be polled for input; empty while enough was heard.
  std::vector<int> descriptors(Clock::time_point now) const;
  Clock::time_point deadline(Clock::time_point now) const;
  // Out: peers to whom a new way leads.
  std::vector<std::uint64_t> on_ready(int descriptor, Clock::time_point now);
  void on_time(Clock::time_point now);
  // Nothing that was said last left this machine.
  bool is_mute() const { return mute_; }

 private:
  struct Place {
    Address address;
    Clock::time_point heard_at;

    bool is_fresh(Clock::time_point now) const { return now - heard_at <= kLanPlaceLimit; }
  };
  struct Neighbour {
    std::vector<Place> places;  // up to kLanPlacesMax, the last that was heard first
    Bucket news{kLanPlacesMax, kLanPlaceEvery};  // places that may be added
    std::optional<Clock::time_point> told_at;
  };

  bool note(const Recognizer::Sighting& sighting, const Address& from, Clock::time_point now);
  bool has_heard_enough(Clock::time_point now) const;
  void plan(Clock::time_point at);
  void plan_to_ask(Clock::time_point at);
  bool misses_somebody(Clock::time_point now) const;
  void say(Clock::time_point now);

  const Address listen_;
  // The passes of nobody, for slots that no contact needs. Tags stay for an epoch, and if those of
  // such slots did not, two beacons would tell how many contacts there are.
  std::array<Key, kBeaconSlots> decoys_{};
  LanSockets sockets_;
  Recognizer recognizer_;
  std::map<std::uint64_t, Key> passes_;                  // by inbox
  std::map<std::uint64_t, Neighbour> neighbours_;        // by peer
  Clock::time_point next_ = Clock::time_point::max();    // when something is said
  Clock::time_point ask_at_ = Clock::time_point::max();  // from then on that asks
  Clock::time_point said_at_;
  Clock::time_point asked_at_;
  int questions_ = 0;  // still to be asked
  bool answers_by_broadcast_ = false;
  bool mute_ = false;
  Clock::time_point second_;  // in which `heard_` datagrams came
  std::size_t heard_ = 0;
};

}  // namespace wherry::transports::p2p
