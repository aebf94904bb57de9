// Open profiles and their events; see pipe_session.h.
#include "pipe_session.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <string>

#include "pipe_params.h"
#include "plugins.h"

namespace cli {
namespace {

// Warnings and errors; a client may ask for more.
constexpr std::int32_t log_level_default = 1;
// Between two tries to read an event after the disk has failed.
constexpr std::chrono::milliseconds retry_delay{500};

void log_line(void*, std::int32_t level, const char* text) {
  static constexpr std::array<const char*, 4> names = {"error", "warning", "info", "debug"};
  const auto index = static_cast<std::size_t>(std::clamp(level, 0, 3));
  const std::string line = std::string("wherry: ") + names[index] + ": " + text + "\n";
  if (write(STDERR_FILENO, line.data(), line.size()) < 0) {
    // Nobody reads the log; the program goes on.
  }
}

// A line as it is put into another one.
std::string on_one_line(const char* text) {
  std::string line(text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

std::string notification(const char* method, wherry_profile profile, const std::string& rest) {
  return std::string("{\"jsonrpc\":\"2.0\",\"method\":\"") + method +
         "\",\"params\":{\"profile\":\"" + std::to_string(profile.id) + "\"," + rest + "}}";
}

bool is_open(std::int32_t status) {
  return status != WHERRY_E_CLOSED && status != WHERRY_E_HANDLE && status != WHERRY_E_FORKED;
}

}  // namespace

void PipeSession::fill(wherry_profile_options& options) const {
  options.plugins = plugins().data();
  options.plugin_count = plugins().size();
  options.log_level = log_level_default;
  options.log = &log_line;
}

void PipeSession::start_readers() {
  for (const wherry_profile profile : new_) {
    readers_[profile.id] = std::jthread([this, profile](const std::stop_token& closed) {
      try {
        read_events(profile, closed);
      } catch (const std::exception& error) {
        log_line(nullptr, 0, error.what());
        broken_ = true;
      }
    });
  }
  new_.clear();
}

void PipeSession::read_events(wherry_profile profile, const std::stop_token& closed) {
  std::int32_t failed = WHERRY_OK;
  while (writer_.wait_for_room(LineWriter::events_size_max, closed)) {
    wherry_event* event = nullptr;
    wherry_error error = WHERRY_ERROR_INIT;
    const std::int32_t status = wherry_next_event(profile, &event, -1, &error);
    if (!is_open(status)) return;
    if (status != WHERRY_OK) {
      if (status != failed) tell_failure(profile, status, error);
      failed = status;
      std::this_thread::sleep_for(retry_delay);
      continue;
    }
    failed = WHERRY_OK;
    const std::unique_ptr<wherry_event, decltype(&wherry_event_free)> owner(event,
                                                                            &wherry_event_free);
    if (const char* text = wherry_event_json(event); text != nullptr) {
      writer_.write(notification("event", profile, "\"event\":" + on_one_line(text)));
    }
  }
}

void PipeSession::tell_failure(wherry_profile profile, std::int32_t status,
                               const wherry_error& error) {
  const RpcError failure = call_error(status, error);
  const Json told = {{"code", status}, {"message", failure.what()}, {"data", failure.data()}};
  writer_.write(notification("event_error", profile, "\"error\":" + told.dump()));
}

void PipeSession::closed(wherry_profile profile, std::int32_t status) {
  if (status == WHERRY_OK) readers_.erase(profile.id);  // waits for its end
}

void PipeSession::close_all() {
  start_readers();
  for (const auto& [id, reader] : readers_) static_cast<void>(wherry_close(wherry_profile{id}));
  readers_.clear();
}

}  // namespace cli
