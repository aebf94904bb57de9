// One instance: what the host calls, and the worker that does it. The calls check, note what is to
// be done, and return; the worker owns every socket.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "endpoint.h"
#include "include/wherry/transport.h"
#include "limits.h"
#include "settings.h"
#include "transports/common/links/frames.h"

namespace wherry::transports::p2p {

class Node {
 public:
  Node(const wherry_transport_host_api& api, wherry_transport_host* host, NodeSettings settings);
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  ~Node();

  std::int32_t start();
  void stop();
  void update(std::uint32_t flags);
  std::int32_t open_inbox(std::uint64_t inbox, std::span<const std::uint8_t, 32> secret,
                          std::int32_t audience);
  std::int32_t close_inbox(std::uint64_t inbox);
  std::int32_t add_peer(std::uint64_t peer, const char* text, wherry_reveals* reveals);
  std::int32_t remove_peer(std::uint64_t peer);
  std::int32_t connect_peer(std::uint64_t peer);
  std::int32_t send(std::span<const wherry_outgoing> envelopes, std::size_t* accepted);
  std::int32_t ack(std::span<const wherry_receipt> receipts);
  void resume_receive();

 private:
  struct Life;  // of the worker: its sockets
  using Task = std::function<void(Life&)>;
  struct Outgoing {
    std::uint64_t peer = 0;
    std::uint64_t send_id = 0;
    links::Bytes envelope;
  };

  // For the worker, if it runs.
  void post(Task task);
  Task say_that_both_meet(std::uint64_t peer);
  void wake();

  // The worker's own.
  void run();
  void give_up(std::optional<Life>& life);
  bool begin(Life& life);
  bool work(Life& life);
  std::vector<std::uint64_t> let_go(Life& life);
  void remember(Life& life, const std::vector<std::uint64_t>& peers);
  void take_tasks(Life& life);
  void ask(Life& life, std::uint64_t peer);
  void dial(Life& life);
  void begin_lan(Life& life);
  void hear(Life& life, int descriptor, Clock::time_point now);
  void keep_lan(Life& life, Clock::time_point now);
  void begin_meetings(Life& life, Clock::time_point now);
  void meet(Life& life, Clock::time_point now);
  void wait(Life& life);
  void report(Life& life);
  void announce(Life& life);
  void tell_peer(Life& life, std::uint64_t peer);
  Key listener_key();
  void log(std::int32_t level, const std::string& text);

  const wherry_transport_host_api& api_;
  wherry_transport_host* const host_;
  const NodeSettings settings_;
  std::thread worker_;  // from start until the next start or the end joins it

  std::mutex mutex_;  // guards everything below
  bool started_ = false;
  bool stopping_ = false;
  bool begins_anew_ = false;  // the networks changed
  bool failed_ = false;       // the worker ended before it was told to
  bool refused_ = false;      // send accepted fewer than it was given: on_writable is owed
  int wake_ = -1;             // eventfd of the worker
  std::size_t queued_ = 0;    // envelopes accepted and not on a link yet
  struct Inbox {
    Key pass{};
    bool of_contact = false;  // or of anybody who has a card

    bool operator==(const Inbox&) const = default;
  };
  std::map<std::uint64_t, Inbox> inboxes_;
  std::map<std::uint64_t, Endpoint> peers_;
  std::deque<Outgoing> sends_;
  std::vector<Task> tasks_;
};

}  // namespace wherry::transports::p2p
