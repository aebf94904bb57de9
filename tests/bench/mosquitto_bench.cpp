// Mosquitto for comparison: one client publishes with QoS 1 over TLS, another with a lasting
// session receives. Many at once, then one at a time.
//
//   mosquitto_bench PORT CERTIFICATE MESSAGES
//
// The server listens at 127.0.0.1. Prints lines "name value unit".
#include <mosquitto.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "meters.h"
#include "progress.h"

namespace wherry::bench {
namespace {

using Clock = Progress::Clock;

constexpr int kQos = 1;
constexpr int kKeepAlive_s = 60;
// Published and not confirmed: more than the server has in flight, so that it never waits for us.
constexpr std::size_t kWindow = 4000;
constexpr int kInFlight = 1000;
constexpr const char* kTopic = "bench/bob";

void must(int status, const char* what) {
  if (status == MOSQ_ERR_SUCCESS) return;
  std::fprintf(stderr, "%s: %s\n", what, mosquitto_strerror(status));
  std::_Exit(1);
}

struct Client {
  Progress connected;
  Progress subscribed;
  Progress confirmed;  // PUBACKs
  Progress received;
  mosquitto* handle;

  Client(const char* name, int port, const char* certificate)
      : handle(mosquitto_new(name, false, this)) {
    mosquitto_connect_callback_set(handle, [](mosquitto*, void* context, int code) {
      if (code == 0) static_cast<Client*>(context)->connected.add(1);
    });
    mosquitto_subscribe_callback_set(handle, [](mosquitto*, void* context, int, int, const int*) {
      static_cast<Client*>(context)->subscribed.add(1);
    });
    mosquitto_publish_callback_set(handle, [](mosquitto*, void* context, int) {
      static_cast<Client*>(context)->confirmed.add(1);
    });
    mosquitto_message_callback_set(handle, [](mosquitto*, void* context, const mosquitto_message*) {
      static_cast<Client*>(context)->received.add(1);
    });
    must(mosquitto_int_option(handle, MOSQ_OPT_SEND_MAXIMUM, kInFlight), "send maximum");
    must(mosquitto_int_option(handle, MOSQ_OPT_TCP_NODELAY, 1), "no delay");
    must(mosquitto_tls_set(handle, certificate, nullptr, nullptr, nullptr, nullptr), "tls");
    must(mosquitto_connect(handle, "127.0.0.1", port, kKeepAlive_s), "connect");
    must(mosquitto_loop_start(handle), "thread");
    connected.wait(1, "not connected");
  }
  Client(const Client&) = delete;
  ~Client() {
    mosquitto_disconnect(handle);
    mosquitto_loop_stop(handle, false);
    mosquitto_destroy(handle);
  }

  void publish(std::vector<std::uint8_t>& body, std::uint64_t number) {
    std::memcpy(body.data(), &number, sizeof number);
    must(mosquitto_publish(handle, nullptr, kTopic, static_cast<int>(body.size()), body.data(),
                           kQos, false),
         "publish");
  }
};

void measure_throughput(Client& alice, Client& bob, std::size_t messages) {
  std::vector<std::uint8_t> body(kPeerMessageSize, 7);
  const auto begin = Clock::now();
  for (std::size_t i = 0; i < messages; ++i) {
    if (i >= kWindow) alice.confirmed.wait(i - kWindow + 1, "confirmations");
    alice.publish(body, i);
  }
  const auto told = bob.received.wait(messages, "messages");
  const auto confirmed = alice.confirmed.wait(messages, "confirmations");
  print_rate("told_rate", messages, begin, told);
  print_rate("confirmed_rate", messages, begin, confirmed);
}

void measure_latency(Client& alice, Client& bob) {
  std::vector<std::uint8_t> body(kPeerMessageSize, 9);
  std::vector<double> one_way;
  for (std::size_t i = 0; i < kPeerSingles; ++i) {
    const std::size_t before = bob.received.count();
    std::this_thread::sleep_for(kPeerRest);
    const auto begin = Clock::now();
    alice.publish(body, i);
    const auto told = bob.received.wait(before + 1, "a message");
    one_way.push_back(milliseconds(begin, told));
  }
  print_spread("one_way", one_way);
}

void run(int port, const char* certificate, std::size_t messages) {
  Client bob("bob", port, certificate);
  must(mosquitto_subscribe(bob.handle, nullptr, kTopic, kQos), "subscribe");
  bob.subscribed.wait(1, "not subscribed");
  Client alice("alice", port, certificate);
  measure_throughput(alice, bob, messages);
  measure_latency(alice, bob);
}

}  // namespace
}  // namespace wherry::bench

int main(int argc, char** argv) {
  const int port = argc == 4 ? std::atoi(argv[1]) : 0;
  const long messages = argc == 4 ? std::atol(argv[3]) : 0;
  if (port <= 0 || messages <= 0) {
    std::fprintf(stderr, "usage: mosquitto_bench PORT CERTIFICATE MESSAGES\n");
    return 2;
  }
  mosquitto_lib_init();
  wherry::bench::run(port, argv[2], static_cast<std::size_t>(messages));
  mosquitto_lib_cleanup();
  return 0;
}
