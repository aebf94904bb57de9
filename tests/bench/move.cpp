// A conversation that moves from the relay to a direct link, and what the steps of it take alone.
#include <vector>

#include "bare.h"
#include "meters.h"
#include "scenes.h"
#include "transports/p2p/p2p.h"

namespace wherry::bench {
namespace {

// There and back: an hour has probes for a few more.
constexpr std::size_t kMoves = 8;
constexpr std::size_t kConnects = 50;
constexpr std::size_t kBefore = 10;
// What a move leaves behind is settled by then.
constexpr std::chrono::milliseconds kSettle{300};

// They are talking, as in what it is compared with: a system that slept is slower at first.
void talk_a_little(Pair& pair) {
  for (std::size_t i = 0; i < kBefore; ++i) {
    const std::size_t received = pair.bob.received();
    rest();
    pair.alice.send(pair.to_bob);
    pair.bob.wait_received(received + 1);
  }
  rest();
}

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

void measure_connect() {
  Bare bob(*wherry_transport_p2p(), loopback_links());
  Bare alice(*wherry_transport_p2p(), loopback_links());
  print_spread("connect", connect_times_ms(alice, bob.open_inbox(1), kConnects));
}

}  // namespace

void move(const Scene& scene) {
  measure_connect();
  Pair pair(scene.folder, scene.relay, scene.durability);
  measure_latency(pair, scene, "relay_");
  pair.alice.join_links();
  pair.bob.join_links();
  std::vector<double> times;
  for (std::size_t i = 0; i < kMoves; ++i) {
    if (i > 0) move_back(pair);
    std::this_thread::sleep_for(kSettle);
    talk_a_little(pair);
    times.push_back(move_ms(pair));
    std::this_thread::sleep_for(kSettle);
  }
  print_spread("move", times);
  measure_latency(pair, scene, "link_");
}

}  // namespace wherry::bench
