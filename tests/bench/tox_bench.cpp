// toxcore for comparison: two instances on loopback that are friends, each with a thread that
// iterates every millisecond. Many messages at once, then one at a time. It keeps nothing on disk.
//
//   tox_bench MESSAGES
//
// Prints lines "name value unit".
#include <tox/tox.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <optional>
#include <thread>
#include <vector>

#include "meters.h"
#include "progress.h"

namespace wherry::bench {
namespace {

using Clock = Progress::Clock;

constexpr std::chrono::milliseconds kIterate{1};
constexpr std::uint16_t kFirstPort = 34'000;
constexpr std::uint16_t kLastPort = 34'999;

[[noreturn]] void give_up(const char* what, int error) {
  std::fprintf(stderr, "tox_bench: %s (%d)\n", what, error);
  std::_Exit(1);
}

using PublicKey = std::array<std::uint8_t, TOX_PUBLIC_KEY_SIZE>;

// One instance with the thread that alone may use it once started.
class Client {
 public:
  Progress connected;
  Progress received;
  Progress confirmed;
  std::function<void()> work = [] {};  // by the thread, between looks at the network

  Client() {
    Tox_Options* options = tox_options_new(nullptr);
    tox_options_set_ipv6_enabled(options, false);
    tox_options_set_local_discovery_enabled(options, false);
    tox_options_set_start_port(options, kFirstPort);
    tox_options_set_end_port(options, kLastPort);
    Tox_Err_New error = TOX_ERR_NEW_OK;
    tox_ = tox_new(options, &error);
    tox_options_free(options);
    if (tox_ == nullptr) give_up("no instance", error);
    tox_callback_friend_connection_status(
        tox_, [](Tox*, std::uint32_t, Tox_Connection status, void* self) {
          if (status != TOX_CONNECTION_NONE) static_cast<Client*>(self)->connected.add(1);
        });
    tox_callback_friend_message(
        tox_, [](Tox*, std::uint32_t, Tox_Message_Type, const std::uint8_t*, std::size_t,
                 void* self) { static_cast<Client*>(self)->received.add(1); });
    tox_callback_friend_read_receipt(tox_, [](Tox*, std::uint32_t, std::uint32_t, void* self) {
      static_cast<Client*>(self)->confirmed.add(1);
    });
  }
  Client(const Client&) = delete;
  ~Client() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
    tox_kill(tox_);
  }

  void befriend(const Client& other) {
    PublicKey key{};
    tox_self_get_public_key(other.tox_, key.data());
    Tox_Err_Friend_Add error = TOX_ERR_FRIEND_ADD_OK;
    friend_ = tox_friend_add_norequest(tox_, key.data(), &error);
    if (error != TOX_ERR_FRIEND_ADD_OK) give_up("no friend", error);
  }

  void find(const Client& other) {
    PublicKey key{};
    tox_self_get_dht_id(other.tox_, key.data());
    Tox_Err_Bootstrap error = TOX_ERR_BOOTSTRAP_OK;
    tox_bootstrap(tox_, "127.0.0.1", tox_self_get_udp_port(other.tox_, nullptr), key.data(),
                  &error);
    if (error != TOX_ERR_BOOTSTRAP_OK) give_up("not found", error);
  }

  void start() {
    thread_ = std::thread([this] {
      while (!stopping_) {
        tox_iterate(tox_, this);
        work();
        std::this_thread::sleep_for(kIterate);
      }
    });
  }

  // By the thread; false: its queue is full.
  bool send() {
    Tox_Err_Friend_Send_Message error = TOX_ERR_FRIEND_SEND_MESSAGE_OK;
    tox_friend_send_message(tox_, friend_, TOX_MESSAGE_TYPE_NORMAL, body_.data(), body_.size(),
                            &error);
    if (error == TOX_ERR_FRIEND_SEND_MESSAGE_SENDQ) return false;
    if (error != TOX_ERR_FRIEND_SEND_MESSAGE_OK) give_up("not sent", error);
    return true;
  }

 private:
  Tox* tox_ = nullptr;
  std::uint32_t friend_ = 0;
  const std::vector<std::uint8_t> body_ = std::vector<std::uint8_t>(kPeerMessageSize, 'x');
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

void run(std::size_t messages) {
  Client bob;
  Client alice;
  alice.befriend(bob);
  bob.befriend(alice);
  alice.find(bob);
  bob.find(alice);

  std::atomic<std::size_t> wanted{0};  // of alice's messages
  std::size_t sent = 0;
  alice.work = [&] {
    while (sent < wanted && alice.send()) ++sent;
  };
  bob.start();
  alice.start();
  alice.connected.wait(1, "alice is not connected");
  bob.connected.wait(1, "bob is not connected");

  const auto begin = Clock::now();
  wanted = messages;
  const auto told = bob.received.wait(messages, "messages");
  const auto confirmed = alice.confirmed.wait(messages, "confirmations");
  print_rate("told_rate", messages, begin, told);
  print_rate("confirmed_rate", messages, begin, confirmed);

  std::vector<double> one_way;
  for (std::size_t i = 1; i <= kPeerSingles; ++i) {
    std::this_thread::sleep_for(kPeerRest);
    const auto asked = Clock::now();
    wanted = messages + i;
    const auto came = bob.received.wait(messages + i, "a message");
    one_way.push_back(milliseconds(asked, came));
  }
  print_spread("one_way", one_way);
}

}  // namespace
}  // namespace wherry::bench

int main(int argc, char** argv) {
  const long messages = argc == 2 ? std::atol(argv[1]) : 0;
  if (messages <= 0) {
    std::fprintf(stderr, "usage: tox_bench MESSAGES\n");
    return 2;
  }
  wherry::bench::run(static_cast<std::size_t>(messages));
  return 0;
}
