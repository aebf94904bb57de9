// The queues.
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
  add(std::move(input));
  executor_.wake();
}

void Inputs::add(Input input) {
  std::lock_guard lock(mutex_);
  const bool is_command = std::holds_alternative<Command>(input);
  (is_command ? commands_ : reports_).push_back(std::move(input));
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
    reports_.push_back(std::move(incoming));
  }
  executor_.wake();
  return true;
}

std::vector<Input> Inputs::take(bool commands_only) {
  std::lock_guard lock(mutex_);
  std::vector<Input> taken;
  size_t bytes = 0;
  const auto take_from = [&](std::deque<Input>& queue, size_t count_max, size_t bytes_max) {
    while (!queue.empty() && taken.size() < count_max && bytes < bytes_max) {
      bytes += weight(queue.front());
      taken.push_back(std::move(queue.front()));
      queue.pop_front();
    }
  };
  if (!commands_only) take_from(reports_, limits::kTurnInputs / 2, limits::kTurnBytes / 2);
  take_from(commands_, limits::kTurnInputs, limits::kTurnBytes);
  if (!commands_only) take_from(reports_, limits::kTurnInputs, limits::kTurnBytes);
  for (const Input& input : taken) {
    if (!std::holds_alternative<Incoming>(input)) continue;
    --incoming_;
    incoming_bytes_ -= weight(input);
  }
  return taken;
}

void Inputs::put_back(std::vector<Input> reports) {
  std::lock_guard lock(mutex_);
  for (auto at = reports.rbegin(); at != reports.rend(); ++at) {
    if (std::holds_alternative<Incoming>(*at)) {
      ++incoming_;
      incoming_bytes_ += weight(*at);
    }
    reports_.push_front(std::move(*at));
  }
}

bool Inputs::empty() const {
  std::lock_guard lock(mutex_);
  return commands_.empty() && reports_.empty();
}

bool Inputs::has_commands() const {
  std::lock_guard lock(mutex_);
  return !commands_.empty();
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
