// What is said with one tor over its control port: who we are, how far it has come, which services
// it has, and whom it may find. From the connection to its end. Nothing here is thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "control.h"
#include "provider.h"

namespace wherry::transports::tor {

class Session {
 public:
  using Clock = std::chrono::steady_clock;

  struct Calls {
    std::function<void(const Status&)> on_status;
    // Tor's SOCKS listener, once we are let in: "unix:/path" or "ADDRESS:PORT".
    std::function<void(const std::string&)> on_socks;
    std::function<void(std::uint64_t service, std::int32_t reason)> on_published;
    // Of a tor of our own without any connection: there is no way to this relay, a numeric address.
    std::function<void(const std::string& relay)> on_no_route;
  };
  struct Login {
    std::string password;        // empty: the cookie
    bool owned = false;          // this tor is ours, and ends with the connection
    bool private_place = false;  // the control port is a unix socket, whose folder has an owner
  };

  Session(Descriptor socket, Login login, Calls calls);

  int descriptor() const { return control_.descriptor(); }
  bool wants_to_write() const { return control_.wants_to_write(); }
  // When on_time() has something to do.
  std::optional<Clock::time_point> deadline() const { return alone_until_; }
  void on_time(Clock::time_point now);
  // False: it is over; on_status was told why.
  [[nodiscard]] bool read();
  [[nodiscard]] bool write() { return control_.write(); }

  // `port`: where tor takes streams to, "unix:/path" or "127.0.0.1:PORT".
  void publish(std::uint64_t service, const Service& what, const std::string& port);
  void withdraw(std::uint64_t service);
  // Before a dial. `done` with NONE, or the reason why not.
  void authorise(const std::string& address, const Seed& client,
                 std::function<void(std::int32_t reason)> done);
  // Of a tor of our own, both; others have their own connections in another.
  // Tor forgets which introduction points did not answer (it would for two minutes not ask them
  // again), and which clients' keys it was given: those that are given to it before `done`.
  void forget_failures(std::function<void()> done);
  // All of tor's connections are closed and opened again.
  void reconnect();
  // Until reconnect().
  void rest();
  void shut_down();  // a tor of our own

 private:
  struct Published {
    std::uint64_t service = 0;
    int uploads = 0;         // of its descriptors, that are not over yet
    bool somewhere = false;  // a directory has one
    bool told = false;
  };

  void ask(const std::string& command, Control::Answer answer);
  void fail(std::int32_t reason, const std::string& what);
  void tell(Status status);

  void on_protocol_info(const Reply& reply);
  void prove_cookie(const std::string& path);
  void on_challenge(const Reply& reply, const std::vector<std::uint8_t>& cookie,
                    const std::vector<std::uint8_t>& nonce);
  void authenticate(const std::string& proof);
  void on_let_in();

  void on_event(const Reply& reply);
  void on_bootstrap(const Words& words);
  void on_connection(const Words& words);
  void find_relay(std::string_view target);
  void on_descriptor(const Words& words);
  void tell_published(Published& one, std::int32_t reason);

  const Login login_;
  const Calls calls_;
  Control control_;
  Status status_;
  bool failed_ = false;
  bool answered_ = false;
  bool let_in_ = false;  // before, nothing that is said of the network is believed
  bool bootstrapped_ = false;
  std::set<std::string> connected_;               // to relays, by tor's numbers
  int failures_ = 0;                              // to connect, one after the other
  std::optional<Clock::time_point> alone_until_;  // then a relay should have answered
  std::map<std::string, Published> services_;     // by address
};

}  // namespace wherry::transports::tor
