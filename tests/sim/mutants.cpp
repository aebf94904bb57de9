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
};
constexpr std::array kMutants = {Named{"dedupe-skipped", Mutant::kDedupeSkipped},
                                 Named{"receipt-before-commit", Mutant::kReceiptBeforeCommit},
                                 Named{"send-before-commit", Mutant::kSendBeforeCommit},
                                 Named{"ratchet-not-saved", Mutant::kRatchetNotSaved},
                                 Named{"disk-not-proven", Mutant::kDiskNotProven},
                                 Named{"cursor-moved-early", Mutant::kCursorMovedEarly},
                                 Named{"ref-ignored", Mutant::kRefIgnored},
                                 Named{"copy-to-another-endpoint", Mutant::kCopyToAnotherEndpoint},
                                 Named{"window-ignored", Mutant::kWindowIgnored},
                                 Named{"skipped-keys-dropped", Mutant::kSkippedKeysDropped},
                                 Named{"clock-trusted", Mutant::kClockTrusted},
                                 Named{"retry-without-backoff", Mutant::kRetryWithoutBackoff},
                                 Named{"evidence-falls", Mutant::kEvidenceFalls},
                                 Named{"early-dropped", Mutant::kEarlyDropped},
                                 Named{"gap-acknowledged", Mutant::kGapAcknowledged},
                                 Named{"beyond-gap-forgotten", Mutant::kBeyondGapForgotten},
                                 Named{"duplicate-unanswered", Mutant::kDuplicateUnanswered},
                                 Named{"reset-keeps-numbers", Mutant::kResetKeepsNumbers},
                                 Named{"acks-unpermitted", Mutant::kAcksUnpermitted},
                                 Named{"theirs-ignored", Mutant::kTheirsIgnored},
                                 Named{"listens-unpermitted", Mutant::kListensUnpermitted},
                                 Named{"permits-not-told", Mutant::kPermitsNotTold},
                                 Named{"control-forgotten", Mutant::kControlForgotten},
                                 Named{"probe-skipped", Mutant::kProbeSkipped},
                                 Named{"answer-unchecked", Mutant::kAnswerUnchecked},
                                 Named{"all-announced", Mutant::kAllAnnounced},
                                 Named{"retired-early", Mutant::kRetiredEarly},
                                 Named{"retired-incomplete", Mutant::kRetiredIncomplete},
                                 Named{"generation-unchecked", Mutant::kGenerationUnchecked},
                                 Named{"old-set-taken", Mutant::kOldSetTaken},
                                 Named{"ways-not-saved", Mutant::kWaysNotSaved},
                                 Named{"falls-back", Mutant::kFallsBack},
                                 Named{"leaves-at-once", Mutant::kLeavesAtOnce},
                                 Named{"never-leaves", Mutant::kNeverLeaves}};

static_assert(kMutants.size() + 1 == static_cast<size_t>(Mutant::kCount));

// One line: what became of it.
std::string hunt(const Named& named) {
  mutant_state = {named.mutant, 0};
  uint64_t reached = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
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
