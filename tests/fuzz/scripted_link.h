// Links of the centralized transport whose other end is a test: it says what it likes, and sees
// what the client writes and asks for.
#ifndef WHERRY_TESTS_FUZZ_SCRIPTED_LINK_H
#define WHERRY_TESTS_FUZZ_SCRIPTED_LINK_H

#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "fuzz.h"
#include "transports/centralized/dial.h"
#include "transports/centralized/link.h"
#include "transports/relay/limits.h"

namespace wherry::fuzz {

namespace centralized = transports::centralized;
namespace v1 = relay::v1;

// The relay's end of one link. `mutex` guards it, but for `ended`, which is the test's.
struct Wire {
  std::shared_ptr<centralized::LinkListener> listener;
  std::uint64_t number = 0;
  std::mutex mutex;
  std::condition_variable changed;
  std::array<bool, centralized::kLanes> reading{};
  std::array<bool, centralized::kLanes> writing{};
  bool cancelled = false;
  std::vector<v1::SubmitRequest> submits;    // written, and not yet looked at
  std::vector<v1::ReceiveRequest> receives;  // likewise
  std::array<bool, centralized::kLanes> ended{};
};

class ScriptedLink final : public centralized::Link {
 public:
  explicit ScriptedLink(std::shared_ptr<Wire> wire) : wire_(std::move(wire)) {}
  // Not before both lanes have ended: see link.h.
  ~ScriptedLink() override { must(wire_->ended[0] && wire_->ended[1]); }

  void start() override {}
  void read(centralized::Lane lane) override {
    const std::lock_guard lock(wire_->mutex);
    must(!std::exchange(wire_->reading[static_cast<size_t>(lane)], true));
    wire_->changed.notify_all();
  }
  void write(v1::SubmitRequest frame) override { write_on(0, wire_->submits, std::move(frame)); }
  void write(v1::ReceiveRequest frame) override { write_on(1, wire_->receives, std::move(frame)); }
  void cancel() override {
    const std::lock_guard lock(wire_->mutex);
    wire_->cancelled = true;
  }

 private:
  template <class Frame>
  void write_on(size_t lane, std::vector<Frame>& frames, Frame frame) {
    const std::lock_guard lock(wire_->mutex);
    must(!std::exchange(wire_->writing[lane], true) && !wire_->cancelled);
    must(frame.ByteSizeLong() <= relay::kFrameSizeMax);
    frames.push_back(std::move(frame));
  }

  const std::shared_ptr<Wire> wire_;
};

// The wires of one run, oldest first. A plug-in's `create` has no place for a context, so there is
// one set at a time.
struct Wires {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::shared_ptr<Wire>> all;

  static Wires& current() {
    static Wires wires;
    return wires;
  }
  static Wires& fresh() {
    current().all.clear();
    return current();
  }
  static std::unique_ptr<centralized::Link> make_link(
      const centralized::LinkTarget&, std::shared_ptr<centralized::LinkListener> listener,
      std::uint64_t number) {
    auto wire = std::make_shared<Wire>();
    wire->listener = std::move(listener);
    wire->number = number;
    const std::lock_guard lock(current().mutex);
    current().all.push_back(wire);
    current().changed.notify_all();
    return std::make_unique<ScriptedLink>(wire);
  }
};

// Reaches the relay at once, since nothing goes there.
class OpenDialler final : public centralized::Dialler {
 public:
  static std::unique_ptr<centralized::Dialler> make(const centralized::ClientSettings&,
                                                    const centralized::DiallerCalls&) {
    return std::make_unique<OpenDialler>();
  }
  centralized::Dialled dial(transports::Deadline, const transports::Stopper&) override {
    return {WHERRY_REASON_NONE, "1.2.3.4:443", nullptr};
  }
};

}  // namespace wherry::fuzz

#endif  // WHERRY_TESTS_FUZZ_SCRIPTED_LINK_H
