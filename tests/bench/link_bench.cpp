// How fast a direct link is, beside ZeroMQ's CURVE without anything of ours.
//
//   link_bench ours|bare [ENVELOPES] [SIZE]
//   link_bench lan
//
// `lan` needs an interface that carries multicast: how soon two devices find each other there.
// Prints lines "name value unit".
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <thread>
#include <zmq.hpp>

#include "bare.h"
#include "meters.h"
#include "transports/p2p/p2p.h"

namespace wherry::bench {
namespace {

constexpr std::size_t kConnects = 50;
constexpr std::size_t kSingles = 2000;
constexpr std::size_t kMeetings = 10;

void ours(const Load& load) {
  Bare bob(*wherry_transport_p2p(), loopback_links());
  Bare alice(*wherry_transport_p2p(), loopback_links());
  const std::string endpoint = bob.open_inbox(1);
  print_spread("connect", connect_times_ms(alice, endpoint, kConnects));
  alice.add_peer(1, endpoint);
  measure_throughput(alice, bob, load);
  measure_latency(alice, bob, load);
}

// Each time two who have just come, and learn each other's endpoints a moment later.
void lan() {
  const std::vector<wherry_setting> settings = {{"listen", "[::]:0"}, wherry_setting{"lan", "on"}};
  std::vector<double> found;
  for (std::size_t i = 0; i < kMeetings; ++i) {
    Bare bob(*wherry_transport_p2p(), settings);
    Bare alice(*wherry_transport_p2p(), settings);
    const std::string to_bob = bob.open_inbox(1);
    bob.add_peer(1, alice.open_inbox(1));
    found.push_back(alice.find_ms(1, to_bob));
  }
  print_spread("found", found);
}

struct Keys {
  char open[41];
  char secret[41];

  Keys() {
    if (::zmq_curve_keypair(open, secret) != 0) throw zmq::error_t();
  }
};

// One message to an envelope, and nothing confirmed: what CURVE over TCP costs. Both ends have a
// thread and an I/O thread of their own, as ours have.
void bare(const Load& load) {
  const Keys server;
  const Keys client;
  zmq::context_t there(1);
  zmq::context_t here(1);
  zmq::socket_t bob(there, zmq::socket_type::pair);
  zmq::socket_t alice(here, zmq::socket_type::pair);
  bob.set(zmq::sockopt::curve_server, true);
  bob.set(zmq::sockopt::curve_secretkey, server.secret);
  alice.set(zmq::sockopt::curve_serverkey, server.open);
  alice.set(zmq::sockopt::curve_publickey, client.open);
  alice.set(zmq::sockopt::curve_secretkey, client.secret);
  bob.bind("tcp://127.0.0.1:*");
  alice.connect(bob.get(zmq::sockopt::last_endpoint));
  std::vector<std::uint8_t> body(load.size, 7);
  const auto send = [&](zmq::socket_t& from) {
    static_cast<void>(from.send(zmq::buffer(body), zmq::send_flags::none));
  };
  const auto take = [](zmq::socket_t& at) {
    zmq::message_t message;
    static_cast<void>(at.recv(message));
  };
  send(alice);
  take(bob);  // connected

  auto end = SteadyClock::now();
  const auto begin = end;
  std::thread reader([&] {
    for (std::size_t i = 0; i < load.envelopes; ++i) take(bob);
    end = SteadyClock::now();
  });
  for (std::size_t i = 0; i < load.envelopes; ++i) {
    std::memcpy(body.data(), &i, std::min(body.size(), sizeof(i)));
    send(alice);
  }
  reader.join();
  print_rate("delivered_rate", load.envelopes, begin, end);

  std::vector<double> one_way;
  std::thread echo([&] {
    for (std::size_t i = 0; i < kSingles; ++i) {
      take(bob);
      send(bob);
    }
  });
  for (std::size_t i = 0; i < kSingles; ++i) {
    const auto sent = SteadyClock::now();
    send(alice);
    take(alice);
    one_way.push_back(milliseconds(sent, SteadyClock::now()) / 2);
  }
  echo.join();
  print_spread("one_way", one_way);
}

}  // namespace
}  // namespace wherry::bench

int main(int argc, char** argv) {
  using namespace wherry::bench;
  const std::string_view which = argc > 1 ? argv[1] : "";
  if (which == "lan") {
    lan();
    return 0;
  }
  if (which != "ours" && which != "bare") {
    std::fprintf(stderr, "usage: link_bench ours|bare [ENVELOPES] [SIZE]\n       link_bench lan\n");
    return 2;
  }
  Load load;
  load.inboxes = 1;
  if (argc > 2) load.envelopes = std::strtoul(argv[2], nullptr, 10);
  if (argc > 3) load.size = std::strtoul(argv[3], nullptr, 10);
  (which == "ours" ? ours : bare)(load);
  return 0;
}
