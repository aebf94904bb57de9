// The queue.
#include "engine/inputs.h"

#include "base/limits.h"

namespace wherry::engine {
namespace {

size_t weight(const Input& input) {
  if (const auto* incoming = std::get_if<Incoming>(&input)) return incoming->envelope.size();
  if (const auto* command = std::get_if<Command>(&input)) return command->weight;
  return 0;
}

}  // namespace

void Inputs::push(Input input) {
  {
    std::lock_guard lock(mutex_);
    queue_.push_back(std::move(input));
  }
  executor_.wake();
}

bool Inputs::offer(Incoming incoming) {
  {
    std::lock_guard lock(mutex_);
    const size_t size = incoming.envelope.size();
    if (incoming_ >= limits::kIncomingWaiting ||
        incoming_bytes_ + size > limits::kIncomingWaitingBytes) {
      refused_ = true;
      return false;
    }
    ++incoming_;
    incoming_bytes_ += size;
    queue_.push_back(std::move(incoming));
  }
  executor_.wake();
  return true;
}

std::vector<Input> Inputs::take(bool commands_only) {
  std::lock_guard lock(mutex_);
  std::vector<Input> taken;
  size_t bytes = 0;
  for (auto at = queue_.begin();
       at != queue_.end() && taken.size() < limits::kTurnInputs && bytes < limits::kTurnBytes;) {
    if (commands_only && !std::holds_alternative<Command>(*at)) {
      ++at;
      continue;
    }
    const size_t size = weight(*at);
    if (std::holds_alternative<Incoming>(*at)) {
      --incoming_;
      incoming_bytes_ -= size;
    }
    bytes += size;
    taken.push_back(std::move(*at));
    at = queue_.erase(at);
  }
  return taken;
}

void Inputs::put_back(std::vector<Input> inputs) {
  std::lock_guard lock(mutex_);
  for (auto at = inputs.rbegin(); at != inputs.rend(); ++at) {
    if (std::holds_alternative<Incoming>(*at)) {
      ++incoming_;
      incoming_bytes_ += weight(*at);
    }
    queue_.push_front(std::move(*at));
  }
}

bool Inputs::empty() const {
  std::lock_guard lock(mutex_);
  return queue_.empty();
}

bool Inputs::room_again() {
  std::lock_guard lock(mutex_);
  if (!refused_ || incoming_ > limits::kIncomingWaiting / 2 ||
      incoming_bytes_ > limits::kIncomingWaitingBytes / 2) {
    return false;
  }
  refused_ = false;
  return true;
}

}  // namespace wherry::engine
