// What the benchmarks measure beside time: the disk's single commits, memory, wake-ups, processor.
// Results are lines "name value unit" on standard output.
#ifndef WHERRY_TESTS_BENCH_METERS_H
#define WHERRY_TESTS_BENCH_METERS_H

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace wherry::bench {

using SteadyClock = std::chrono::steady_clock;
using Moment = SteadyClock::time_point;

double milliseconds(Moment from, Moment to);
double seconds(Moment from, Moment to);

void print(const std::string& name, double value, const char* unit);

struct Spread {
  double median = 0;
  double p99 = 0;
  double highest = 0;
};
Spread spread_of(std::vector<double> values);
// A line NAME of messages a second.
void print_rate(const std::string& name, std::size_t count, Moment from, Moment to);
// Lines NAME_median and NAME_p99, in milliseconds.
void print_spread(const std::string& name, const std::vector<double>& values_ms);

// A plain SQLite database in WAL mode, one row of 256 B a transaction: what one durable commit
// costs on this disk, in milliseconds each, the database being closed again after `count` of them.
// `pause_ms` between two is what the disk rests.
std::vector<double> single_commits_ms(const std::string& folder, bool full_sync, std::size_t count,
                                      int pause_ms);
double rate_of(const std::vector<double>& each_ms);

// Of this process. Anonymous memory is what it allocated; its libraries' code is not in it.
std::uint64_t anonymous_memory_bytes();
// How often its other threads now alive went to sleep of their own accord, which a thread does once
// for each time that something woke it.
std::uint64_t wake_ups();
double processor_seconds();

}  // namespace wherry::bench

#endif  // WHERRY_TESTS_BENCH_METERS_H
