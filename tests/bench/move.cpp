// A conversation that moves from the relay to a direct link, and between two moves what the steps
// of it take alone.
#include <string>
#include <thread>
#include <vector>

#include "bare.h"
#include "meters.h"
#include "scenes.h"
#include "transports/p2p/p2p.h"

namespace wherry::bench {
namespace {

// There and back: an hour has probes for a few more.
constexpr std::size_t kMoves = 8;
// Between two moves, of each step: the machine and its disk are the same for both then.
constexpr std::size_t kSteps = 20;
// What a move leaves behind is settled by then.
constexpr std::chrono::milliseconds kSettle{300};

void settle() {
  std::this_thread::sleep_for(kSettle);
}

// Links that are opened alone, on an idle system as everything else.
class Links {
 public:
  Links() : endpoint_(bob_.open_inbox(1)) {}

  void connect(std::size_t times) {
    for (std::size_t i = 0; i < times; ++i) {
      rest();
      times_.push_back(connect_times_ms(alice_, endpoint_, 1).front());
    }
  }
  void print() const { print_spread("connect", times_); }

 private:
  Bare bob_{*wherry_transport_p2p(), loopback_links()};
  Bare alice_{*wherry_transport_p2p(), loopback_links()};
  const std::string endpoint_;
  std::vector<double> times_;
};

// Bob asks for it, and Alice, whose route is auto, follows; her app writes as soon as it is told
// that its messages go the new way.
double move_ms(Pair& pair) {
  const std::size_t settled = pair.alice.sending_settled();
  const std::size_t by_links = pair.bob.received_by_links();
  const std::size_t received = pair.bob.received();
  const Moment begin = pair.bob.set_route(pair.to_alice, "p2p");
  pair.alice.wait_sending_settled(settled + 1);
  pair.alice.send(pair.to_bob);
  const Moment told = pair.bob.wait_received(received + 1);
  if (pair.bob.received_by_links() != by_links + 1) give_up("the message came by the old network");
  return milliseconds(begin, told);
}

void move_back(Pair& pair) {
  const std::size_t settled = pair.alice.sending_settled();
  pair.bob.set_route(pair.to_alice, "centralized");
  pair.alice.wait_sending_settled(settled + 1);
}

}  // namespace

void move(const Scene& scene) {
  Pair pair(scene.folder, scene.relay, scene.durability);
  pair.alice.join_links();
  pair.bob.join_links();
  Links links;
  Latency by_relay;
  Latency by_link;
  std::vector<double> times;
  for (std::size_t i = 0; i < kMoves; ++i) {
    if (i > 0) move_back(pair);
    settle();
    links.connect(kSteps);
    by_relay.commit(scene, kSteps);
    by_relay.talk(pair, kSteps);
    rest();
    times.push_back(move_ms(pair));
    settle();
    by_link.commit(scene, kSteps);
    by_link.talk(pair, kSteps);
  }
  print_spread("move", times);
  links.print();
  by_relay.print("relay_");
  by_link.print("link_");
}

}  // namespace wherry::bench
