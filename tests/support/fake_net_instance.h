// An instance of the fake transport: one node's end of a FakeNet.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/fake_net.h"

namespace wherry::test {

class FakeInstance {
 public:
  FakeInstance(FakeNet& net, const wherry_transport_host_api& api, wherry_transport_host* host,
               std::string node);
  FakeInstance(const FakeInstance&) = delete;
  FakeInstance& operator=(const FakeInstance&) = delete;
  ~FakeInstance();

  // What the host calls: see transport.h.
  std::int32_t start();
  void stop();
  std::int32_t open_inbox(std::uint64_t inbox, const std::uint8_t* secret);
  std::int32_t close_inbox(std::uint64_t inbox);
  std::int32_t add_peer(std::uint64_t peer, const char* text, wherry_reveals* reveals);
  std::int32_t remove_peer(std::uint64_t peer);
  std::int32_t connect_peer(std::uint64_t peer);
  std::int32_t send(std::span<const wherry_outgoing> envelopes, std::size_t* accepted);
  std::int32_t ack(std::span<const wherry_receipt> receipts);
  void resume_receive();
  std::int32_t put_bundle(std::uint64_t request, const std::uint8_t* locator,
                          const std::uint8_t* owner, wherry_bytes bundle, std::uint32_t ttl_s);
  std::int32_t get_bundle(std::uint64_t request, const char* text, const std::uint8_t* locator);

  // What the network calls.
  const std::string& node() const { return node_; }
  void report(const FakeAttempt& attempt, std::int32_t outcome, std::int32_t reason);
  void offer_soon();
  void lose_connection();
  void stall_links(const std::string& to);
  void notice_lost_store();

 private:
  enum class State { kOff, kStarting, kOnline, kDegraded };
  struct Endpoint {
    FakeNet::Key address{};
    FakeNet::Key token{};
  };
  struct Sending {
    std::uint64_t peer = 0;
    bool handed = false;  // reported HANDED: takes no more room
  };

  // To a peer, of kHidden: dialled when something is sent, or the host asks.
  struct Link {
    enum class State { kDown, kDialling, kUp, kHalfOpen } state = State::kDown;
    std::uint64_t dial = 0;   // the newest one
    bool was_absent = false;  // by the last dial
    std::vector<FakeNet::Envelope> waiting;
  };

  // Runs `action` after `delay_ms`, unless the instance was stopped or destroyed meanwhile.
  void later(std::int64_t delay_ms, std::function<void()> action);
  void go_online();
  // A tor, by fake_net_tor.cpp.
  void bootstrap();
  void publish(std::uint64_t inbox, const Endpoint& endpoint);
  void dial(std::uint64_t peer);
  void dialled(std::uint64_t peer);
  void send_by_link(std::uint64_t peer, FakeNet::Envelope envelope);
  void tell_refused();
  void lose_link(std::uint64_t peer, std::int32_t reason);
  void compare_store();
  void attach(std::uint64_t inbox, const Endpoint& endpoint);
  void detach();
  void offer();
  bool offer_inbox(std::uint64_t inbox, const FakeNet::Key& address);
  std::optional<Endpoint> parse(std::string_view text) const;
  std::string to_text(const Endpoint& endpoint) const;

  FakeNet& net_;
  const wherry_transport_host_api& api_;
  wherry_transport_host* const host_;
  const std::string node_;
  std::uint64_t id_ = 0;
  std::uint64_t life_ = 0;
  State state_ = State::kOff;
  std::map<std::uint64_t, Endpoint> inboxes_;
  std::set<std::uint64_t> refused_inboxes_;  // and not told so yet
  std::map<std::uint64_t, Endpoint> peers_;
  std::map<std::uint64_t, Link> links_;  // by peer
  std::uint64_t last_dial_ = 0;
  std::set<std::uint64_t> asked_;             // of them, for a connection
  std::map<std::uint64_t, Sending> sending_;  // by send id
  std::size_t in_flight_ = 0;                 // of them, without a report
  bool refused_ = false;                      // on_writable is owed
  bool busy_ = false;                         // the host has no room
  bool offering_ = false;                     // an offer is scheduled
};

}  // namespace wherry::test
