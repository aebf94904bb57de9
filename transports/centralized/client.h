// The client: one instance of the centralized transport.
//
// A monitor: calls of the host, news of the link and the worker thread all take mutex_ and act at
// once; host functions are called with it held, which transport.h permits, since they only enqueue.
// The worker dials, watches deadlines and stops; everything else happens on the threads of others.
//
// Life of a link: the host asks (start, connect_peer, update) -> dial on the worker -> both lanes
// say Hello -> both Welcomes came -> ONLINE, inboxes are opened -> the link is dropped, once, with
// a reason -> DEGRADED. Nothing reconnects by itself.
//
// What the relay sends is hostile: anything that relay.proto does not allow drops the link with
// PROTOCOL.
#pragma once

#include <array>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "dial.h"
#include "include/wherry/transport.h"
#include "limits.h"
#include "link.h"
#include "settings.h"
#include "transports/common/relay_keys.h"

namespace wherry::transports::centralized {

class Client final : public LinkListener, public std::enable_shared_from_this<Client> {
 public:
  Client(const wherry_transport_host_api& api, wherry_transport_host* host, ClientSettings settings,
         LinkFactory make_link, DiallerFactory make_dialler);
  ~Client() override;

  // The plug-in's functions; wherry/transport.h says what they do.
  std::int32_t start();
  void stop();
  void join();  // for destroy: after this no thread of the client runs
  void update(std::uint32_t flags);
  std::int32_t open_inbox(std::uint64_t inbox, std::span<const std::uint8_t, 32> secret);
  std::int32_t close_inbox(std::uint64_t inbox);
  std::int32_t add_peer(std::uint64_t peer, const char* endpoint, wherry_reveals* reveals);
  std::int32_t remove_peer(std::uint64_t peer);
  std::int32_t connect_peer(std::uint64_t peer);
  std::int32_t send(const wherry_outgoing* envelopes, std::size_t count, std::size_t& accepted);
  std::int32_t ack(const wherry_receipt* receipts, std::size_t count);
  void resume_receive();
  std::int32_t put_bundle(std::uint64_t request, const Locator& locator,
                          std::span<const std::uint8_t, 32> owner, std::string bundle,
                          std::uint32_t time_to_live_s);
  std::int32_t get_bundle(std::uint64_t request, const char* endpoint, const Locator& locator);
  void diagnose();

  void on_frame(std::uint64_t link, v1::SubmitReply& frame) override;
  void on_frame(std::uint64_t link, v1::ReceiveReply& frame) override;
  void on_written(std::uint64_t link, Lane lane) override;
  void on_ended(std::uint64_t link, Lane lane, std::int32_t reason,
                const std::string& detail) override;

 private:
  using Time = std::chrono::steady_clock::time_point;

  enum class Life : std::uint8_t { kOff, kStarting, kOnline, kDegraded, kStopping };
  enum class InboxState : std::uint8_t { kIdle, kOpening, kOpen };

  struct Inbox {
    std::array<std::uint8_t, 32> fingerprint{};  // of the secret, to know it again
    std::shared_ptr<const InboxKeys> keys;
    std::string endpoint;
    InboxState state = InboxState::kIdle;
    std::uint32_t slot = 0;
    bool answer_due = true;  // on_inbox is to follow
  };
  // An inbox on this link. inbox 0: it was given up, and is to be closed once it is open.
  struct Slot {
    std::uint64_t inbox = 0;
    std::shared_ptr<const InboxKeys> keys;
    std::uint32_t last_number = 0;
    bool opened = false;
  };
  struct Peer {
    InboxId inbox{};
    Token token{};
    std::int32_t state = WHERRY_PEER_STATE_UNKNOWN;
  };
  struct Outgoing {
    std::uint64_t peer = 0;
    std::uint64_t send_id = 0;
    InboxId inbox{};
    Token token{};
    std::string envelope;
  };
  struct InFlight {
    std::uint64_t peer = 0;  // 0: removed meanwhile, nobody waits for the answer
    std::uint64_t send_id = 0;
    std::size_t size = 0;
    Time since{};
  };
  struct Arrived {
    std::uint64_t inbox = 0;
    std::uint64_t receipt = 0;
    std::string envelope;
  };
  struct Receipt {
    std::uint32_t slot = 0;
    std::uint32_t number = 0;
  };
  // A link that was let go, until its lanes have ended and the worker destroys it.
  struct Closing {
    std::unique_ptr<Link> link;
    std::uint64_t number = 0;
    std::size_t lanes_left = kLanes;
  };
  struct Request {
    std::uint64_t id = 0;  // the host's
    bool put = false;
    Locator locator{};
    std::unique_ptr<const SigningKey> owner;
    std::string bundle;
    std::uint32_t time_to_live_s = 0;
    Time since{};
  };

  // All below: mutex_ is held.

  // Worker (client.cpp).
  void run();
  void dial_now(std::unique_lock<std::mutex>& lock);
  Dialled dial(std::unique_lock<std::mutex>& lock);
  void check_deadlines(Time now);
  std::optional<Time> next_deadline() const;
  void want_dial();
  void drop_link(std::int32_t reason, const char* text);  // text: without addresses
  void let_go();
  bool bury(std::unique_lock<std::mutex>& lock);
  void fail_all(std::int32_t reason);
  void say_state(std::int32_t state, std::int32_t percent, std::int32_t reason, const char* phase);
  void log(std::int32_t level, const std::string& text);
  bool current(std::uint64_t link) const { return link_ != nullptr && link == link_number_; }
  // What comes over this link still counts: the worker may not have noticed yet that it is to stop.
  bool listens(std::uint64_t link) const { return current(link) && life_ != Life::kStopping; }

  // Hello, Welcome, Goodbye (client_hello.cpp).
  bool take_welcome(Lane lane, const v1::Welcome& welcome);
  void go_online();
  void take_goodbye(const v1::Goodbye& goodbye);
  void note_store(const StoreId& store);

  // Sending and bundles (client_send.cpp).
  void flush_submit();
  void fill_groups(v1::SubmitRequest& frame);
  void fill_requests(v1::SubmitRequest& frame);
  bool take_results(const v1::SubmitReply& frame);
  bool take_bundles(v1::SubmitReply& frame);
  void report_writable();
  void set_peer_state(std::uint64_t id, Peer& peer, std::int32_t state, std::int32_t reason);

  // Inboxes and receiving (client_receive.cpp).
  void flush_receive();
  bool fill_open(v1::ReceiveRequest& frame, std::uint64_t inbox,
                 std::shared_ptr<const InboxKeys> keys);
  bool take_opened(const v1::ReceiveReply& frame);
  bool take_deliveries(v1::ReceiveReply& frame);
  void offer();
  void read_more();
  void answer_inbox(std::uint64_t id, Inbox& inbox);

  const wherry_transport_host_api& api_;
  wherry_transport_host* const host_;
  const ClientSettings settings_;
  const wherry_reveals reveals_;
  const LinkFactory make_link_;
  const DiallerFactory make_dialler_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::thread worker_;
  Life life_ = Life::kOff;
  std::int32_t last_reason_ = WHERRY_REASON_NONE;
  std::string last_phase_;  // more about it, or empty
  bool dial_wanted_ = false;
  bool dial_again_ = false;    // since the last dial began, the dialler said that it is worth while
  bool stores_reset_ = false;  // since this instance was made: peers added later hear of it too
  std::shared_ptr<Stopper> stopper_;  // of the dial that runs

  std::unique_ptr<Dialler> dialler_;  // from the first dial of a life to its end
  std::unique_ptr<Link> link_;
  std::unique_ptr<Tunnel> tunnel_;
  std::vector<Closing> closing_;
  std::uint64_t link_number_ = 0;
  Time link_since_{};
  std::array<bool, kLanes> welcomed_{};
  std::array<std::optional<Time>, kLanes> writing_{};  // since when
  std::array<Challenge, kLanes> challenges_{};
  std::optional<StoreId> store_;  // that the first Welcome of this link named

  std::map<std::uint64_t, Inbox> inboxes_;
  std::unordered_map<std::uint32_t, Slot> slots_;
  std::uint32_t last_slot_ = 0;
  std::deque<std::uint64_t> opens_due_;                     // host's ids
  std::deque<std::shared_ptr<const InboxKeys>> abandoned_;  // closed while not open
  std::vector<std::uint32_t> closes_due_;                   // slots
  std::deque<Time> opening_since_;                          // of unanswered opens, in order
  std::vector<v1::Ack> acks_due_;
  std::size_t acks_unwritten_ = 0;  // numbers of acks_due_ and of the frame that is being written
  std::size_t acks_in_write_ = 0;   // of that frame alone
  std::deque<Arrived> arrived_;     // not yet taken by the host
  std::unordered_map<std::uint64_t, Receipt> receipts_;
  std::uint64_t last_receipt_ = 0;
  bool blocked_ = false;   // the host was busy: it says when it is not
  bool read_due_ = false;  // the next frame of the Receive lane is to be asked for

  std::map<std::uint64_t, Peer> peers_;
  std::deque<Outgoing> queue_;
  std::size_t queue_bytes_ = 0;
  bool writable_due_ = false;
  std::deque<InFlight> in_flight_;
  std::size_t in_flight_bytes_ = 0;
  std::deque<Request> requests_;                      // not yet written
  std::unordered_map<std::uint64_t, Request> asked_;  // written, by our number
  std::uint64_t last_request_ = 0;
};

}  // namespace wherry::transports::centralized
