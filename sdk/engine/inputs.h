// What the engine's turns work on: commands of the app and reports of plug-ins, in two bounded
// queues that any thread may fill.
#ifndef WHERRY_ENGINE_INPUTS_H
#define WHERRY_ENGINE_INPUTS_H

#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/env.h"
#include "base/result.h"

namespace wherry::engine {

class Turn;

// Something the app asked for. `run` is called once, inside a turn; `done` once, after the turn's
// commit (or instead of it), with the outcome. A failed `run` must have changed nothing.
struct Command {
  std::function<Status(Turn&)> run;
  std::function<void(const Status&)> done;
  size_t weight = 0;  // bytes that it brings along, as an envelope's size
};

// Reports of plug-ins: see the host functions of transport.h.
struct Incoming {
  uint64_t transport = 0;
  uint64_t inbox = 0;
  uint64_t receipt = 0;
  Bytes envelope;
};
struct SentReport {
  uint64_t transport = 0;
  uint64_t send_id = 0;
  int32_t outcome = 0;
  int32_t reason = 0;
};
struct StateReport {
  uint64_t transport = 0;
  int32_t state = 0;
  int32_t percent = 0;
  int32_t reason = 0;
  std::string phase;
};
struct InboxReport {
  uint64_t transport = 0;
  uint64_t inbox = 0;
  std::string endpoint;  // empty: failed
  int32_t reason = 0;
};
struct PeerReport {
  uint64_t transport = 0;
  uint64_t peer = 0;
  int32_t state = 0;
  int32_t reason = 0;
};
struct WritableReport {
  uint64_t transport = 0;
};
struct BundleReport {
  uint64_t transport = 0;
  uint64_t request = 0;
  bool found = false;
  Bytes bundle;
  int32_t reason = 0;
};
struct StateValue {
  uint64_t transport = 0;
  std::string name;
  Bytes value;
};
struct StoppedReport {
  uint64_t transport = 0;
};

using Input = std::variant<Command, Incoming, SentReport, StateReport, InboxReport, PeerReport,
                           WritableReport, BundleReport, StateValue, StoppedReport>;

// Thread-safe. Commands keep their order, and so do reports; neither wait behind many of the other.
// Incoming envelopes are bounded by limits::kIncomingWaiting and kIncomingWaitingBytes; what else a
// plug-in reports is bounded by what it was asked.
class Inputs {
 public:
  explicit Inputs(Executor& executor) : executor_(executor) {}

  void push(Input input);
  // The same, for who sees to it that a turn is taken.
  void add(Input input);
  // Takes an envelope, or says that there is no room now.
  bool offer(Incoming incoming);
  // At most limits::kTurnInputs and kTurnBytes, half of it for reports if there are as many. With
  // `commands_only`, reports stay.
  std::vector<Input> take(bool commands_only);
  // Puts reports back that could not be committed, before all others, in their order.
  void put_back(std::vector<Input> reports);

  bool empty() const;
  bool has_commands() const;
  // True once after envelopes were refused and room was made since.
  bool room_again();

 private:
  Executor& executor_;
  mutable std::mutex mutex_;
  std::deque<Input> commands_;
  std::deque<Input> reports_;
  size_t incoming_ = 0;
  size_t incoming_bytes_ = 0;
  bool refused_ = false;
};

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_INPUTS_H
