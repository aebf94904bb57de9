// Log lines for the app's hook. No user data, keys or addresses above debug.
#ifndef WHERRY_BASE_LOG_H
#define WHERRY_BASE_LOG_H

#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace wherry {

enum class LogLevel : int { kError = 0, kWarning = 1, kInfo = 2, kDebug = 3 };

// Thread-safe: one call of the sink at a time.
class Log {
 public:
  using Sink = std::function<void(LogLevel, const std::string&)>;

  Log() = default;
  Log(LogLevel most, Sink sink) : most_(most), sink_(std::move(sink)) {}

  bool wants(LogLevel level) const { return sink_ && level <= most_; }
  void write(LogLevel level, const std::string& line) {
    if (!wants(level)) return;
    std::lock_guard lock(mutex_);
    sink_(level, line);
  }
  void error(const std::string& line) { write(LogLevel::kError, line); }
  void warning(const std::string& line) { write(LogLevel::kWarning, line); }
  void info(const std::string& line) { write(LogLevel::kInfo, line); }

 private:
  LogLevel most_ = LogLevel::kError;
  Sink sink_;
  std::mutex mutex_;
};

}  // namespace wherry

#endif  // WHERRY_BASE_LOG_H
