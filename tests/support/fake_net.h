// FakeNet: a virtual network behind transport.h, for tests of the engine and the simulator.
//
// It runs on a FakeClock, on one thread, and everything that happens follows from its seed. Each
// direction between two nodes has its own faults. Instances find their network by the setting `net`
// (a FakeNet's name()) and are told apart by the setting `node`.
//
// The kinds share the code, so that a test can have networks of different character at once:
//   kStored  plays a relay: keeps envelopes for absent receivers, says STORED when one is kept
//   kDirect  plays direct links: both must be there; says HANDED when one has arrived, and STORED
//            when the receiver has acknowledged it
//   kHidden  plays onion services: the same, so that nobody learns an address, by links that are
//            dialled first; with the faults of a tor beside those of other networks. Only that it
//            keeps bundles for those who are away is not as there
//
// Not thread-safe: host functions are called from within the clock's run.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "include/wherry/transport.h"
#include "tests/support/fake_clock.h"
#include "tests/support/transport_host.h"

namespace wherry::test {

enum class FakeKind { kStored, kDirect, kHidden };

// What goes wrong on the way from one node to another. Probabilities are 0..1.
struct FakeFaults {
  double loss = 0;   // the envelope never arrives
  double lying = 1;  // of those lost: reported as if it had arrived (else FAILED_RETRY TIMEOUT)
  double false_failure = 0;  // it arrives, but is reported FAILED_RETRY TIMEOUT
  double duplicate = 0;      // it arrives twice
  double reorder = 0;        // it is held back for another delay_ms_max, so that others overtake it
  std::int64_t delay_ms_min = 1;
  std::int64_t delay_ms_max = 1;
  bool partition = false;  // nothing passes, and the sender hears of it: FAILED_RETRY UNREACHABLE
};

// What a node's tor does that other networks do not (kHidden).
struct TorFaults {
  static constexpr std::size_t kNoLimit = ~std::size_t{0};
  std::int64_t bootstrap_ms = 0;  // from its start to ONLINE, with percentages
  std::int64_t publish_ms = 0;    // until an inbox can be found, and is announced
  std::int64_t dial_ms = 0;       // until a dial is answered
  double dial_failure = 0;        // it fails, though the other is there
  std::int64_t memory_ms = 0;     // who was not there is not found for so long after coming back
  std::size_t inboxes_max = kNoLimit;  // one more is refused: FULL
};

// What happened, for a test to look at.
struct FakeCounts {
  std::uint64_t sent = 0;  // accepted by send
  std::uint64_t lost = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t arrived = 0;   // at an inbox, duplicates included
  std::uint64_t connects = 0;  // asked for, to a peer
  std::uint64_t asked = 0;     // peers that were asked for, and not removed since
  std::uint64_t refused = 0;   // unknown inbox, wrong token, full, absent
  std::uint64_t dials = 0;     // answered, well or not
  std::uint64_t failed_dials = 0;
  std::uint64_t unanswered = 0;  // given to a link that looked alive
  std::uint64_t full = 0;        // inboxes refused
};

class FakeInstance;

// One accepted envelope, by numbers and not by pointer: its sender may be gone when it is told.
struct FakeAttempt {
  std::uint64_t instance = 0;
  std::uint64_t life = 0;  // of the instance: counts its starts and stops
  std::uint64_t send_id = 0;
};

class FakeNet {
 public:
  FakeNet(FakeClock& clock, std::uint64_t seed, FakeKind kind = FakeKind::kStored);
  FakeNet(const FakeNet&) = delete;
  FakeNet& operator=(const FakeNet&) = delete;
  ~FakeNet();  // after its instances

  // The plug-in's table: one for each kind, with its own name and abilities.
  static const wherry_transport_plugin* plugin(FakeKind kind);
  const wherry_transport_plugin* plugin() const { return plugin(kind_); }
  // How endpoints of a kind begin.
  static std::string_view scheme(FakeKind kind);
  // The network whose name() that is, or nullptr.
  static FakeNet* find(std::string_view name);

  const std::string& name() const { return name_; }
  Settings settings(const std::string& node) const { return {{"net", name_}, {"node", node}}; }
  FakeClock& clock() { return clock_; }
  FakeKind kind() const { return kind_; }
  const FakeCounts& counts() const { return counts_; }
  void run_until(std::int64_t at_ms) { clock_.run_until(at_ms); }

  // Faults of all directions, or of one. Act on what is sent from now on.
  void set_faults(const FakeFaults& faults);
  void set_faults(const std::string& from, const std::string& to, const FakeFaults& faults);
  // Both directions at once; keeps the other faults.
  void set_partition(const std::string& one, const std::string& other, bool partition);
  // A node without a network: DEGRADED until it is back and its host calls connect_peer(0).
  void set_online(const std::string& node, bool online);
  // Act on what begins from now on.
  void set_tor(const std::string& node, const TorFaults& faults);
  // Its tor has ended: DEGRADED, until its host calls connect_peer(0), and then it starts anew.
  void kill_tor(const std::string& node);
  // Links that `from` has to `to` look alive and are not: what is sent there has no answer until a
  // time-out.
  void stall_links(const std::string& from, const std::string& to);
  // Whether an instance receives at this endpoint now.
  bool read_at(std::string_view endpoint) const;
  // Whether an envelope has ever come there.
  bool reached(std::string_view endpoint) const;
  // The relay lost all that it kept (kStored): inboxes are made again and RESET is said.
  void lose_store();

 private:
  friend class FakeInstance;

  using Key = std::array<std::uint8_t, 16>;
  struct Kept {
    std::uint64_t id = 0;
    Bytes envelope;
    std::optional<FakeAttempt> attempt;  // over a link: whose it is, to tell of the acknowledgement
  };
  struct Inbox {
    Key token{};
    std::string owner;          // node
    std::uint64_t reader = 0;   // instance; 0 while its owner is not there
    std::int64_t since_ms = 0;  // of that
    std::deque<Kept> kept;
    std::size_t bytes = 0;
    std::uint64_t next_offer = 0;
  };
  struct Bundle {
    Bytes owner;
    Bytes bytes;
    std::int64_t expires_ms = 0;
  };
  struct Envelope {
    Key address{};
    Key token{};
    Bytes bytes;
    FakeAttempt attempt;
  };

  static std::optional<Key> address_of(std::string_view endpoint);
  bool has_links() const { return kind_ != FakeKind::kStored; }
  const FakeFaults& faults(const std::string& from, const std::string& to) const;
  TorFaults tor(const std::string& node) const;
  bool chance(double probability);
  std::int64_t delay_ms(const FakeFaults& faults);
  void carry(const std::string& from, const Envelope& envelope);
  void arrive(const Envelope& envelope, bool tell);
  wherry_reason put_into(Inbox* inbox, const Envelope& envelope);
  void report(const FakeAttempt& attempt, std::int32_t outcome, std::int32_t reason);
  FakeInstance* instance(std::uint64_t id);  // nullptr when it is gone

  FakeClock& clock_;
  const FakeKind kind_;
  const std::string name_;
  std::mt19937_64 random_;
  FakeFaults default_faults_;
  std::map<std::pair<std::string, std::string>, FakeFaults> link_faults_;
  std::map<std::string, TorFaults> tor_;
  std::set<std::string> offline_;
  std::map<std::uint64_t, FakeInstance*> instances_;  // in the order of creation
  std::uint64_t last_instance_ = 0;
  std::uint64_t store_id_ = 1;
  std::map<Key, Inbox> inboxes_;
  std::set<Key> reached_;
  std::map<Bytes, Bundle> bundles_;
  std::uint64_t next_id_ = 1;
  FakeCounts counts_;
};

}  // namespace wherry::test
