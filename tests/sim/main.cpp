// wherry_sim: worlds from seeds, one with its trace or many, and the engine's mutants.
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

#include "tests/sim/mutants.h"
#include "tests/sim/shards.h"
#include "tests/sim/shrink.h"
#include "tests/sim/simulation.h"

namespace {

using wherry::sim::Outcome;
using wherry::sim::Plan;

constexpr int kShrinkTries = 300;

struct Options {
  std::optional<uint64_t> seed;
  uint64_t first = 1;
  uint64_t last = 1000;
  bool mutants = false;
  std::string mutant;
  int jobs = 1;
};

void usage() {
  std::puts(
      "Usage: wherry_sim --seed N [--mutant NAME]      one world, with its trace\n"
      "       wherry_sim --seeds A..B [--jobs N]       many; failures are made short and shown\n"
      "       wherry_sim --mutants [--jobs N]          each named fault must be caught\n"
      "With WHERRY_TEST_LOG set, --seed also shows what the engines log.");
}

void show(const Outcome& outcome) {
  for (const std::string& violation : outcome.violations) {
    std::printf("  VIOLATED %s\n", violation.c_str());
  }
}

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// The shortest plan that still violates the same invariant, and its trace.
std::string explain(uint64_t seed, const std::string& invariant) {
  const Plan plan = wherry::sim::make_plan(seed);
  const auto fails = [&](const Plan& shorter) {
    return wherry::sim::simulate(shorter).invariant() == invariant;
  };
  const Plan shortest = wherry::sim::shrink(plan, fails, kShrinkTries);
  std::string text = "  shortest trace, " + std::to_string(shortest.actions.size()) + " of " +
                     std::to_string(plan.actions.size()) + " actions:\n";
  const Outcome outcome = wherry::sim::simulate(
      shortest, [&](const std::string& line) { text += "    " + line + "\n"; });
  for (const std::string& violation : outcome.violations) text += "  VIOLATED " + violation + "\n";
  return text;
}

int run_one(uint64_t seed) {
  const Outcome outcome = wherry::sim::simulate(
      wherry::sim::make_plan(seed), [](const std::string& line) { std::puts(line.c_str()); });
  std::printf(
      "seed %llu: %llu messages, %llu faults, %llu crashes, %llu turns, %llu envelopes, "
      "%.2f s of processor\n",
      static_cast<unsigned long long>(seed), static_cast<unsigned long long>(outcome.messages),
      static_cast<unsigned long long>(outcome.faults),
      static_cast<unsigned long long>(outcome.crashes),
      static_cast<unsigned long long>(outcome.turns),
      static_cast<unsigned long long>(outcome.envelopes), processor_seconds());
  show(outcome);
  return outcome.clean() ? 0 : 1;
}

int run_many(const Options& options) {
  const size_t count = options.last - options.first + 1;
  size_t finished = 0;
  size_t failed = 0;
  double seconds = 0;
  unsigned long long messages = 0;
  const auto work = [&](size_t index) {
    const double before = processor_seconds();
    const uint64_t seed = options.first + index;
    const Outcome outcome = wherry::sim::simulate(wherry::sim::make_plan(seed));
    std::string text = std::to_string(processor_seconds() - before) + " " +
                       std::to_string(outcome.messages) + "\n";
    if (!outcome.clean()) {
      text += explain(seed, outcome.invariant());
    } else if (!outcome.full()) {
      text += "  too little happened: " + std::to_string(outcome.messages) + " messages, " +
              std::to_string(outcome.faults) + " faults, " + std::to_string(outcome.crashes) +
              " crashes\n";
    }
    return text;
  };
  const auto done = [&](size_t index, const std::string& result) {
    ++finished;
    const size_t line = result.find('\n');
    const bool died = line == std::string::npos;
    double cost = 0;
    unsigned long long said = 0;
    if (!died) std::sscanf(result.c_str(), "%lf %llu", &cost, &said);
    seconds += cost;
    messages += said;
    if (died || line + 1 < result.size()) {
      ++failed;
      const unsigned long long seed = options.first + index;
      std::printf("\nFAILED seed %llu\n%s\n", seed,
                  died ? result.c_str() : result.c_str() + line + 1);
    }
    if (::isatty(1) != 0 || finished % 100 == 0 || finished == count) {
      std::printf("%s%zu of %zu worlds, %zu failed", ::isatty(1) != 0 ? "\r" : "", finished, count,
                  failed);
      if (::isatty(1) == 0) std::putchar('\n');
      std::fflush(stdout);
    }
  };
  wherry::sim::run_sharded(count, options.jobs, work, done);
  std::printf("\n%zu worlds, %llu messages, %.2f s of processor each: %zu failed\n", count,
              messages, seconds / static_cast<double>(count), failed);
  return failed == 0 ? 0 : 1;
}

bool read_options(int count, char** words, Options& options) {
  options.jobs = static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    const char* value = i + 1 < count ? words[i + 1] : nullptr;
    if (word == "--mutants") {
      options.mutants = true;
      continue;
    }
    if (value == nullptr) return false;
    ++i;
    char* end = nullptr;
    if (word == "--seed") {
      options.seed = std::strtoull(value, &end, 10);
    } else if (word == "--seeds") {
      options.first = std::strtoull(value, &end, 10);
      if (std::strncmp(end, "..", 2) != 0) return false;
      options.last = std::strtoull(end + 2, &end, 10);
    } else if (word == "--jobs") {
      options.jobs = static_cast<int>(std::strtol(value, &end, 10));
    } else if (word == "--mutant") {
      options.mutant = value;
      continue;
    } else {
      return false;
    }
    if (*value == '\0' || *end != '\0') return false;
  }
  return options.jobs > 0 && options.last >= options.first;
}

}  // namespace

int main(int count, char** words) {
  Options options;
  if (!read_options(count, words, options)) {
    usage();
    return count == 2 && std::strcmp(words[1], "--help") == 0 ? 0 : 2;
  }
  if (options.mutants) return wherry::sim::run_mutants(options.jobs);
  if (!options.mutant.empty() && !wherry::sim::activate_mutant(options.mutant)) return 2;
  return options.seed ? run_one(*options.seed) : run_many(options);
}
