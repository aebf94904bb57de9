// An XMPP server for comparison: alice writes chat messages to bob over TLS, with stream
// management, and bob says every 64 messages how many have come. Many at once, then one at a time.
//
//   xmpp_bench PORT PASSWORD MESSAGES
//
// The server listens at 127.0.0.1 and serves alice@localhost and bob@localhost. Its certificate is
// made for the run and is not checked. Prints lines "name value unit".
#include <strophe.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "meters.h"
#include "progress.h"

namespace wherry::bench {
namespace {

using Clock = Progress::Clock;

constexpr std::size_t kConfirmEach = 64;
constexpr std::size_t kWindow = 512;
constexpr unsigned long kPoll_ms = 1;
constexpr const char* kAlice = "alice@localhost/bench";
constexpr const char* kBob = "bob@localhost/bench";

// One connection with the thread that alone may use it.
class Client {
 public:
  Progress connected;
  Progress received;
  // Called by the thread on each message that comes, and again and again between.
  std::function<void()> on_message = [] {};
  std::function<void()> work = [] {};

  Client(const char* address, const std::string& password, unsigned short port)
      : context_(xmpp_ctx_new(nullptr, nullptr)), connection_(xmpp_conn_new(context_)) {
    xmpp_conn_set_flags(connection_, XMPP_CONN_FLAG_MANDATORY_TLS | XMPP_CONN_FLAG_TRUST_TLS);
    xmpp_conn_set_jid(connection_, address);
    xmpp_conn_set_pass(connection_, password.c_str());
    xmpp_handler_add(connection_, take, nullptr, "message", nullptr, this);
    if (xmpp_connect_client(connection_, "127.0.0.1", port, changed, this) != XMPP_EOK) {
      give_up("cannot connect");
    }
  }
  Client(const Client&) = delete;
  ~Client() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
    xmpp_conn_release(connection_);
    xmpp_ctx_free(context_);
  }

  // After on_message and work are set.
  void start() {
    thread_ = std::thread([this] {
      while (!stopping_) {
        if (is_connected_) work();
        xmpp_run_once(context_, kPoll_ms);
      }
      xmpp_disconnect(connection_);
      while (is_connected_) xmpp_run_once(context_, kPoll_ms);
    });
  }

  // On the client's own thread.
  void send(const char* to, const char* body) {
    xmpp_stanza_t* message = xmpp_message_new(context_, "chat", to, nullptr);
    if (body != nullptr) xmpp_message_set_body(message, body);
    xmpp_send(connection_, message);
    xmpp_stanza_release(message);
  }

 private:
  [[noreturn]] static void give_up(const char* what) {
    std::fprintf(stderr, "xmpp_bench: %s\n", what);
    std::_Exit(1);
  }

  static int take(xmpp_conn_t*, xmpp_stanza_t* stanza, void* self) {
    Client& client = *static_cast<Client*>(self);
    const char* type = xmpp_stanza_get_type(stanza);
    if (type != nullptr && std::string(type) == "error") give_up("a message was refused");
    client.received.add(1);
    client.on_message();
    return 1;  // stay
  }

  static void changed(xmpp_conn_t* connection, xmpp_conn_event_t event, int, xmpp_stream_error_t*,
                      void* self) {
    Client& client = *static_cast<Client*>(self);
    if (event != XMPP_CONN_CONNECT) {
      client.is_connected_ = false;
      if (!client.stopping_) give_up("the connection was lost or refused");
      return;
    }
    xmpp_stanza_t* presence = xmpp_presence_new(client.context_);
    xmpp_send(connection, presence);
    xmpp_stanza_release(presence);
    client.is_connected_ = true;
    client.connected.add(1);
  }

  xmpp_ctx_t* context_;
  xmpp_conn_t* connection_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> is_connected_{false};
  std::thread thread_;
};

// What alice does; her thread runs it between looks at the network.
class Script {
 public:
  Script(Client& alice, const Client& bob, std::size_t messages)
      : alice_(alice), bob_(bob), messages_(messages), body_(kPeerMessageSize, 'x') {}

  void work() {
    if (sent_ < messages_) {
      send_many();
    } else if (bob_.received.count() >= sent_) {
      send_one();
    }
  }

  Clock::time_point begin() const { return begin_; }
  // When each single one was sent. To be read when all have come.
  const std::vector<Clock::time_point>& singles() const { return singles_; }

 private:
  void send_many() {
    if (sent_ == 0) begin_ = Clock::now();
    const std::size_t confirmed = alice_.received.count() * kConfirmEach;
    for (; sent_ < messages_ && sent_ < confirmed + kWindow; ++sent_) send();
  }

  void send_one() {
    const auto now = Clock::now();
    if (!rest_until_) rest_until_ = now + kPeerRest;
    if (singles_.size() == kPeerSingles || now < *rest_until_) return;
    rest_until_.reset();
    singles_.push_back(Clock::now());
    send();
    ++sent_;
  }

  void send() { alice_.send(kBob, body_.c_str()); }

  Client& alice_;
  const Client& bob_;
  const std::size_t messages_;
  const std::string body_;
  std::size_t sent_ = 0;
  Clock::time_point begin_;
  std::optional<Clock::time_point> rest_until_;
  std::vector<Clock::time_point> singles_;
};

void run(unsigned short port, const std::string& password, std::size_t messages) {
  Client bob(kBob, password, port);
  Client alice(kAlice, password, port);
  // Of the single ones; written and read by bob's thread until the last has come.
  std::vector<Clock::time_point> told;
  std::size_t count = 0;
  bob.on_message = [&] {
    ++count;
    if (count > messages) told.push_back(Clock::now());
    if (count <= messages && count % kConfirmEach == 0) bob.send(kAlice, nullptr);
  };
  bob.start();
  bob.connected.wait(1, "bob is not connected");

  Script script(alice, bob, messages);
  alice.work = [&] { script.work(); };
  alice.start();
  const auto last = bob.received.wait(messages, "messages");
  print_rate("told_rate", messages, script.begin(), last);

  bob.received.wait(messages + kPeerSingles, "single messages");
  std::vector<double> one_way;
  for (std::size_t i = 0; i < kPeerSingles; ++i) {
    const auto sent = script.singles()[i];
    one_way.push_back(milliseconds(sent, told[i]));
  }
  print_spread("one_way", one_way);
}

}  // namespace
}  // namespace wherry::bench

int main(int argc, char** argv) {
  const int port = argc == 4 ? std::atoi(argv[1]) : 0;
  const long messages = argc == 4 ? std::atol(argv[3]) : 0;
  if (port <= 0 || port > 65535 || messages <= 0) {
    std::fprintf(stderr, "usage: xmpp_bench PORT PASSWORD MESSAGES\n");
    return 2;
  }
  xmpp_initialize();
  wherry::bench::run(static_cast<unsigned short>(port), argv[2],
                     static_cast<std::size_t>(messages));
  xmpp_shutdown();
  return 0;
}
