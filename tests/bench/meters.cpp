// The disk's commits by SQLite; the rest from /proc.
#include "meters.h"

#include <sqlite3.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <thread>

namespace wherry::bench {
namespace {

[[noreturn]] void give_up(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::_Exit(1);
}

void execute(sqlite3* database, const char* sql) {
  if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    give_up(std::string(sql) + ": " + sqlite3_errmsg(database));
  }
}

// The number after `label` in a file of lines "label: number ...".
std::uint64_t number_in(const std::filesystem::path& path, std::string_view label) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(label)) return std::stoull(line.substr(label.size()));
  }
  return 0;
}

}  // namespace

double milliseconds(Moment from, Moment to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

double seconds(Moment from, Moment to) {
  return std::chrono::duration<double>(to - from).count();
}

void print(const std::string& name, double value, const char* unit) {
  std::printf("%s %.4f %s\n", name.c_str(), value, unit);
  std::fflush(stdout);
}

Spread spread_of(std::vector<double> values) {
  if (values.empty()) give_up("nothing was measured");
  std::sort(values.begin(), values.end());
  return {values[values.size() / 2], values[values.size() * 99 / 100], values.back()};
}

void print_rate(const std::string& name, std::size_t count, Moment from, Moment to) {
  print(name, static_cast<double>(count) / seconds(from, to), "msgs/s");
}

void print_spread(const std::string& name, const std::vector<double>& values_ms) {
  const Spread spread = spread_of(values_ms);
  print(name + "_median", spread.median, "ms");
  print(name + "_p99", spread.p99, "ms");
}

std::vector<double> single_commits_ms(const std::string& folder, bool full_sync, std::size_t count,
                                      int pause_ms) {
  const std::string path = folder + "/commits.db";
  std::filesystem::remove(path);
  sqlite3* database = nullptr;
  if (sqlite3_open(path.c_str(), &database) != SQLITE_OK) give_up("cannot open " + path);
  execute(database, "PRAGMA journal_mode = WAL");
  execute(database, full_sync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  execute(database, "CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)");
  std::vector<double> out;
  for (std::size_t i = 0; i < count; ++i) {
    if (pause_ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(pause_ms));
    const auto begin = std::chrono::steady_clock::now();
    execute(database, "INSERT INTO t (body) VALUES (randomblob(256))");
    const auto took = std::chrono::steady_clock::now() - begin;
    out.push_back(std::chrono::duration<double, std::milli>(took).count());
  }
  sqlite3_close(database);
  std::filesystem::remove(path);
  return out;
}

double rate_of(const std::vector<double>& each_ms) {
  double whole = 0;
  for (const double one : each_ms) whole += one;
  return static_cast<double>(each_ms.size()) / whole * 1000;
}

std::uint64_t anonymous_memory_bytes() {
  return number_in("/proc/self/smaps_rollup", "Anonymous:") * 1024;
}

std::uint64_t wake_ups() {
  std::uint64_t whole = 0;
  const std::string asker = std::to_string(gettid());
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    if (task.path().filename() == asker) continue;
    whole += number_in(task.path() / "status", "voluntary_ctxt_switches:");
  }
  return whole;
}

double processor_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

}  // namespace wherry::bench
