// One stream's side of the protocol of relay.proto, without gRPC: frames in, inputs to the core;
// answers of the core in, frames out.
//
// A session gathers what is to be written; its stream takes a frame of it whenever it can write
// one, so when the last one is out of its memory (take_reply), and reads only while the session is
// ready to. So a client that does not read, or sends without end, costs a bounded amount of memory.
//
// Thread-safe: on_frame comes from the stream, one at a time; answers come from the core's thread.
#pragma once

#include <chrono>
#include <deque>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core.h"
#include "core_thread.h"
#include "limiter.h"
#include "relay.pb.h"

namespace wherry::relay {

// The stream under a session.
class Wire {
 public:
  virtual ~Wire() = default;
  // Something has changed: there may be a reply to write, or the session is ready to read again.
  // Called without locks of the session; the wire must not end inside it.
  virtual void kick() = 0;
};

// What sessions share; outlives them.
struct SessionContext {
  InputQueue& queue;
  Limiter& limiter;
  const transports::StoreId store_id;
  const transports::Pin pin;
};

class Session {
 public:
  Session(SessionId id, SessionContext& context, std::string address);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  virtual ~Session() = default;

  SessionId id() const { return id_; }

  void attach(Wire* wire);
  void detach();  // no kick after this returns

  // Ends the session once what it has to say is written.
  void say_goodbye(v1::Goodbye::Reason reason);
  // Reads nothing more; what was read is answered.
  void stop_reading();
  // True when nothing more will be written: the stream is to be closed.
  bool finished() const;
  // The client has said nothing for too long after it came.
  bool overdue(std::chrono::steady_clock::time_point now) const;

  // Answers of the core.
  virtual void results(const std::vector<ResultRun>& runs, std::size_t cost) = 0;
  virtual void opened(std::uint32_t slot, Outcome outcome, bool created);
  virtual void deliver(std::vector<Delivery> deliveries);
  virtual void drop(std::uint32_t slot, std::size_t bytes);
  virtual void bundle(std::uint64_t request, Outcome outcome, std::string bundle);

 protected:
  // mutex_ is held in these.

  // Hello comes first and once; whatever breaks a rule ends the session. True: `frame` is to be
  // worked on. sound: it keeps the rules of its own stream.
  template <class Request>
  bool admit(const Request& frame, bool sound) {
    if (!may_read()) return false;
    if (greeted_ && !frame.has_hello() && sound) return true;
    if (!greeted_ && hello_is_alone(frame)) {
      accept_hello(frame.hello());
    } else {
      end(v1::Goodbye::PROTOCOL);
    }
    return false;
  }
  // The welcome, then what `fill` adds, then the goodbye if `fill` says that nothing is left that
  // must come before it. False: there is nothing to say now.
  template <class Reply, class Fill>
  bool make_reply(Reply& reply, Fill&& fill) {
    if (goodbye_taken_) return false;
    reply.Clear();
    if (welcome_due_) fill_welcome(*reply.mutable_welcome());
    if (fill() && ending_) {
      reply.mutable_goodbye()->set_reason(goodbye_);
      goodbye_taken_ = true;
    }
    return reply.ByteSizeLong() > 0;
  }
  void end(v1::Goodbye::Reason reason);
  bool may_read() const { return !ending_ && !reading_stopped_; }
  bool ending() const { return ending_; }
  // What was read and is not worked on leaves room for more, here and in the relay.
  bool has_room() const;
  void worked_on(std::size_t cost);

  void kick();  // mutex_ is not held

  const SessionId id_;
  SessionContext& context_;
  const std::string address_;
  mutable std::mutex mutex_;
  transports::Challenge challenge_{};
  std::size_t unprocessed_bytes_ = 0;  // the cost of what is in the core

 private:
  template <class Request>
  static bool hello_is_alone(const Request& frame) {
    Request alone;
    *alone.mutable_hello() = frame.hello();
    return frame.has_hello() && frame.ByteSizeLong() == alone.ByteSizeLong();
  }
  void accept_hello(const v1::Hello& hello);
  void fill_welcome(v1::Welcome& welcome);

  bool greeted_ = false;
  bool welcome_due_ = false;
  bool ending_ = false;         // a goodbye is to be written
  bool goodbye_taken_ = false;  // and was
  bool reading_stopped_ = false;
  v1::Goodbye::Reason goodbye_ = v1::Goodbye::ENDED;
  const std::chrono::steady_clock::time_point began_;
  std::mutex wire_mutex_;
  Wire* wire_ = nullptr;
};

// The stream on which envelopes and bundles come.
class SubmitSession final : public Session {
 public:
  using Request = v1::SubmitRequest;
  using Reply = v1::SubmitReply;
  using Session::Session;

  void on_frame(Request frame);
  bool ready_to_read() const;
  bool take_reply(Reply& reply);  // false: there is none now

  void results(const std::vector<ResultRun>& runs, std::size_t cost) override;
  void bundle(std::uint64_t request, Outcome outcome, std::string bundle) override;

 private:
  struct PendingBundle {
    std::uint64_t request = 0;
    Outcome outcome = Outcome::kLater;
    std::string bundle;
  };

  bool check(const Request& frame) const;
  bool fill(Reply& reply);
  void submit_groups(Request& frame, std::vector<std::pair<Input, std::size_t>>& inputs);
  void submit_bundles(Request& frame, std::vector<std::pair<Input, std::size_t>>& inputs);
  void look_up(std::vector<std::pair<Input, std::size_t>>& inputs);

  std::size_t unanswered_bundles_ = 0;  // in gets_, in the core, or in bundles_
  std::vector<ResultRun> runs_;
  std::deque<GetBundle> gets_;  // not yet looked up
  std::deque<PendingBundle> bundles_;
};

// The stream on which inboxes are read.
class ReceiveSession final : public Session {
 public:
  using Request = v1::ReceiveRequest;
  using Reply = v1::ReceiveReply;
  using Session::Session;

  void on_frame(const Request& frame);
  bool ready_to_read() const;
  bool take_reply(Reply& reply);

  void results(const std::vector<ResultRun>& runs, std::size_t cost) override;
  void opened(std::uint32_t slot, Outcome outcome, bool created) override;
  void deliver(std::vector<Delivery> deliveries) override;
  void drop(std::uint32_t slot, std::size_t bytes) override;

 private:
  struct PendingOpened {
    std::uint32_t slot = 0;
    Outcome outcome = Outcome::kLater;
  };

  bool check(const Request& frame) const;
  bool fill(Reply& reply);
  void open_inboxes(const Request& frame, std::vector<Input>& inputs);
  void acknowledge(const v1::Ack& ack, std::vector<Input>& inputs);
  void last_reply_written();
  void forget_written(std::uint32_t slot);

  std::size_t unanswered_opens_ = 0;  // in the core, or in opened_
  std::uint32_t last_slot_ = 0;
  std::unordered_set<std::uint32_t> open_slots_;  // opened or being opened, and not closed
  std::vector<PendingOpened> opened_;
  std::deque<Delivery> deliveries_;  // bounded by the reader's window in the core
  // An acknowledgement frees a reader's room, so it must not come before the memory is free: one of
  // what is still being written waits until it is written.
  std::unordered_map<std::uint32_t, std::uint32_t> written_;     // slot -> its last number
  std::unordered_map<std::uint32_t, std::uint32_t> in_writing_;  // likewise, of the last reply
  std::vector<Ack> early_acks_;
  std::size_t dropped_bytes_ = 0;  // to be given back likewise
};

}  // namespace wherry::relay
