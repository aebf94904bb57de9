// Each mutant on seed after seed, until an invariant notices.
#include "tests/sim/mutants.h"

#include <array>
#include <cstdio>

#include "base/mutant.h"
#include "tests/sim/shards.h"
#include "tests/sim/simulation.h"

namespace wherry::sim {
namespace {

constexpr uint64_t kSeeds = 2'000;

struct Named {
  const char* name;
  Mutant mutant;
  uint64_t seed;  // where it was caught last: looked at first
};
constexpr std::array kMutants = {
    Named{"dedupe-skipped", Mutant::kDedupeSkipped, 43},
    Named{"receipt-before-commit", Mutant::kReceiptBeforeCommit, 1},
    Named{"send-before-commit", Mutant::kSendBeforeCommit, 1},
    Named{"ratchet-not-saved", Mutant::kRatchetNotSaved, 1},
    Named{"disk-not-proven", Mutant::kDiskNotProven, 1},
    Named{"cursor-moved-early", Mutant::kCursorMovedEarly, 9},
    Named{"ref-ignored", Mutant::kRefIgnored, 24},
    Named{"copy-to-another-endpoint", Mutant::kCopyToAnotherEndpoint, 32},
    Named{"window-ignored", Mutant::kWindowIgnored, 29},
    Named{"skipped-keys-dropped", Mutant::kSkippedKeysDropped, 3},
    Named{"clock-trusted", Mutant::kClockTrusted, 3},
    Named{"retry-without-backoff", Mutant::kRetryWithoutBackoff, 27},
    Named{"evidence-falls", Mutant::kEvidenceFalls, 3},
    Named{"early-dropped", Mutant::kEarlyDropped, 3},
    Named{"gap-acknowledged", Mutant::kGapAcknowledged, 2},
    Named{"beyond-gap-forgotten", Mutant::kBeyondGapForgotten, 2},
    Named{"duplicate-unanswered", Mutant::kDuplicateUnanswered, 71},
    Named{"reset-keeps-numbers", Mutant::kResetKeepsNumbers, 8},
    Named{"acks-unpermitted", Mutant::kAcksUnpermitted, 1},
    Named{"theirs-ignored", Mutant::kTheirsIgnored, 1},
    Named{"listens-unpermitted", Mutant::kListensUnpermitted, 4},
    Named{"permits-not-told", Mutant::kPermitsNotTold, 1},
    Named{"control-forgotten", Mutant::kControlForgotten, 43},
    Named{"probe-skipped", Mutant::kProbeSkipped, 5},
    Named{"answer-unchecked", Mutant::kAnswerUnchecked, 47},
    Named{"all-announced", Mutant::kAllAnnounced, 5},
    Named{"retired-early", Mutant::kRetiredEarly, 5},
    Named{"retired-incomplete", Mutant::kRetiredIncomplete, 32},
    Named{"generation-unchecked", Mutant::kGenerationUnchecked, 5},
    Named{"old-set-taken", Mutant::kOldSetTaken, 39},
    Named{"ways-not-saved", Mutant::kWaysNotSaved, 5},
    Named{"falls-back", Mutant::kFallsBack, 5},
    Named{"leaves-at-once", Mutant::kLeavesAtOnce, 5},
    Named{"never-leaves", Mutant::kNeverLeaves, 5}};

static_assert(kMutants.size() + 1 == static_cast<size_t>(Mutant::kCount));

// One line: what became of it.
std::string hunt(const Named& named) {
  mutant_state = {named.mutant, 0};
  uint64_t reached = 0;
  for (uint64_t tried = 0; tried <= kSeeds; ++tried) {
    const uint64_t seed = tried == 0 ? named.seed : tried;
    mutant_state.reached = 0;
    const Outcome outcome = simulate(make_plan(seed));
    reached += mutant_state.reached;
    if (!outcome.clean() && mutant_state.reached != 0 && outcome.invariant() != "world") {
      mutant_state = {};
      if (!simulate(make_plan(seed)).clean()) {
        return "NO PROOF: seed " + std::to_string(seed) + " fails without it";
      }
      return "caught by '" + outcome.invariant() + "' at seed " + std::to_string(seed) +
             ", reached " + std::to_string(reached) + " times";
    }
  }
  return reached == 0 ? "NEVER REACHED" : "NOT CAUGHT";
}

}  // namespace

bool activate_mutant(const std::string& name) {
  for (const Named& named : kMutants) {
    if (name != named.name) continue;
    mutant_state = {named.mutant, 0};
    return true;
  }
  std::fprintf(stderr, "there is no mutant '%s':", name.c_str());
  for (const Named& named : kMutants) std::fprintf(stderr, " %s", named.name);
  std::fputc('\n', stderr);
  return false;
}

int run_mutants(int jobs) {
  size_t caught = 0;
  run_sharded(
      kMutants.size(), jobs, [](size_t index) { return hunt(kMutants.at(index)); },
      [&](size_t index, const std::string& result) {
        std::printf("%-26s %s\n", kMutants.at(index).name, result.c_str());
        std::fflush(stdout);
        if (result.starts_with("caught")) ++caught;
      });
  std::printf("%zu of %zu mutants caught\n", caught, kMutants.size());
  return caught == kMutants.size() ? 0 : 1;
}

}  // namespace wherry::sim
