// One instance: what the host calls, and the worker that does it. The calls check, note what is to
// be done, and return; the worker owns every stream. Tor, or whatever provides the network, has a
// thread of its own, which notes for the worker what has happened.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "bundles.h"
#include "callers.h"
#include "endpoint.h"
#include "fetch.h"
#include "include/wherry/transport.h"
#include "limits.h"
#include "link.h"
#include "settings.h"
#include "transports/common/tor/provider.h"

namespace wherry::transports::onion {

class Node final : tor::Listener {
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
  std::int32_t put_bundle(std::uint64_t request, const Locator& locator, links::Bytes bundle,
                          std::uint32_t time_to_live_s);
  std::int32_t get_bundle(std::uint64_t request, const char* text, const Locator& locator);

 private:
  using Task = std::function<void()>;
  struct Outgoing {
    std::uint64_t peer = 0;
    std::uint64_t send_id = 0;
    links::Bytes envelope;
  };
  struct Inbox {
    tor::Seed secret{};
    bool anybody = false;
  };
  // An inbox with its service, of its own or shared.
  struct Opened {
    std::uint64_t service = 0;
    Endpoint endpoint;
    bool anybody = false;
  };

  // From the provider's thread.
  void on_status(const tor::Status& status) override;
  void on_published(std::uint64_t service, std::int32_t reason) override;
  void on_stream(std::uint64_t service, Descriptor stream) override;
  void on_dialled(std::uint64_t dial, Descriptor stream, std::int32_t reason) override;
  void on_stopped() override;

  // For the worker, if it runs.
  void post(Task task);
  void wake();

  // The worker's own.
  void run();
  void begin();
  void give_up();
  void work();
  void take_tasks();
  void wait();
  std::int32_t readiness();
  bool is_stopping();
  void begin_inboxes();
  void open(std::uint64_t inbox, const Inbox& what);
  void close(std::uint64_t inbox, const Inbox& what);
  void keep_sharers();
  void tell_published(std::uint64_t service, std::int32_t reason);
  void tell_inbox(std::uint64_t inbox, const Opened& one);
  void ask(std::uint64_t peer);
  void dial();
  void report_fetches(Clock::time_point now);
  void report();
  void tell_peer(std::uint64_t peer, const Link& link);
  tor::Seed stored_secret(const char* name);

  const wherry_transport_host_api& api_;
  wherry_transport_host* const host_;
  const NodeSettings settings_;
  Descriptor wake_;
  std::thread worker_;  // from start until the next start or the end joins it

  std::unique_ptr<tor::Provider> provider_;
  Bundles bundles_;
  Callers callers_;
  std::map<std::uint64_t, Fetch> fetches_;              // by the host's request
  std::map<std::uint64_t, std::uint64_t> fetch_dials_;  // requests, by dial
  std::map<std::uint64_t, Link> links_;                 // by peer
  std::map<std::uint64_t, Link::State> told_;           // of peers
  std::deque<std::uint64_t> to_dial_;                   // peers; some may be gone by the time
  std::map<std::uint64_t, std::uint64_t> dials_;        // peers, by dial
  std::uint64_t last_dial_ = 0;
  std::map<std::uint64_t, Opened> open_;  // by inbox
  std::set<std::uint64_t> findable_;      // services
  std::uint64_t last_service_ = 0;
  std::uint64_t shared_ = 0;    // the service of those who share one; 0: there is none
  std::vector<Token> sharers_;  // their inboxes' tokens
  bool over_ = false;           // the provider has stopped

  std::mutex mutex_;  // guards everything below
  bool started_ = false;
  bool stopping_ = false;
  bool failed_ = false;     // the worker ended before it was told to
  bool refused_ = false;    // send accepted fewer than it was given: on_writable is owed
  std::size_t queued_ = 0;  // envelopes accepted and not on a link yet
  std::map<std::uint64_t, Inbox> inboxes_;
  std::map<std::uint64_t, Endpoint> peers_;
  std::deque<Outgoing> sends_;
  std::deque<Task> tasks_;
};

}  // namespace wherry::transports::onion
