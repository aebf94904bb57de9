// wherry send: one message, and waiting until it is known to have come far enough.
#include <unistd.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "advice.h"
#include "commands.h"
#include "enum_names.h"
#include "feed.h"
#include "people.h"

namespace cli {
namespace {

// How far a message has come.
struct Progress {
  std::int32_t evidence = WHERRY_EVIDENCE_QUEUED;
  std::int32_t reason = WHERRY_REASON_NONE;

  bool ended() const { return evidence > WHERRY_EVIDENCE_READ; }
  bool reached(std::int32_t wanted) const { return !ended() && evidence >= wanted; }
};

std::string given_text(const SendOptions& options) {
  if (options.words.size() == 1 && options.words[0] == "-") {
    // No more than what shows that it is too long.
    std::string text(WHERRY_BODY_SIZE_MAX + 2, '\0');
    std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(std::cin.gcount()));
    if (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
  }
  std::string text;
  for (const std::string& word : options.words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::string message_text(const SendOptions& options) {
  std::string text = given_text(options);
  if (text.empty()) throw Failure(exit_usage, "there is nothing to send: the text is empty");
  if (text.size() > WHERRY_BODY_SIZE_MAX) {
    throw Failure(exit_usage, "the text is too long: a message has at most " +
                                  std::to_string(WHERRY_BODY_SIZE_MAX) + " bytes");
  }
  return text;
}

std::int32_t wanted_evidence(const std::string& wait) {
  if (wait == "stored") return WHERRY_EVIDENCE_STORED;
  return wait == "delivered" ? WHERRY_EVIDENCE_DELIVERED : WHERRY_EVIDENCE_QUEUED;
}

void show_progress(const Progress& now) {
  if (isatty(STDERR_FILENO) == 0) return;
  std::cerr << "  " << evidence_name(now.evidence);
  if (now.reason != WHERRY_REASON_NONE) std::cerr << ": " << wherry_reason_text(now.reason);
  std::cerr << std::endl;
}

Progress wait_for(wherry::Profile& profile, std::uint64_t message, const SendOptions& options,
                  const Interrupt& interrupt) {
  const std::int32_t wanted = wanted_evidence(options.wait);
  const Clock::time_point deadline = Clock::now() + std::chrono::seconds(options.timeout_s);
  Feed feed(profile);
  Progress shown{-1, -1};
  for (;;) {
    const auto page = profile.message(message);
    const Progress now{page[0].evidence, page[0].reason};
    if (now.evidence != shown.evidence || now.reason != shown.reason) show_progress(now);
    shown = now;
    if (now.ended() || now.reached(wanted) || interrupt.requested() || Clock::now() >= deadline) {
      feed.finish();
      return now;
    }
    feed.step(deadline);
  }
}

// Who is told of a failure alone would send it again.
void require_told(std::uint64_t message) {
  std::cout.flush();
  if (std::cout) return;
  throw Failure(exit_environment, "message " + std::to_string(message) +
                                      " is safe on disk and is not to be sent again; standard "
                                      "output can not be written to");
}

// `what_to_do`: lines of advice for a message that waits.
void report(App& app, std::uint64_t message, const Progress& end, const SendOptions& options,
            const std::vector<std::string>& what_to_do) {
  const bool reached = end.reached(wanted_evidence(options.wait));
  if (end.ended()) {
    app.exit_code = exit_environment;
  } else if (!reached) {
    app.exit_code = exit_not_yet;
  }
  if (app.json) {
    const nlohmann::ordered_json result = {{"message", std::to_string(message)},
                                           {"evidence", evidence_name(end.evidence)},
                                           {"reason", reason_name(end.reason)}};
    std::cout << result.dump() << "\n";
  } else if (end.ended()) {
    std::cerr << "wherry: message " << message << " has " << evidence_name(end.evidence) << ": "
              << wherry_reason_text(end.reason) << "\n";
  } else if (reached) {
    std::cout << "message " << message << ": " << evidence_name(end.evidence) << "\n";
  } else {
    std::cerr << "wherry: message " << message << " is safe on disk but not yet " << options.wait
              << " (" << evidence_name(end.evidence);
    if (end.reason != WHERRY_REASON_NONE) std::cerr << "; " << wherry_reason_text(end.reason);
    std::cerr << "); it goes on when wherry next runs\n";
    for (const std::string& line : what_to_do) std::cerr << "  " << line << "\n";
  }
}

}  // namespace

void send(App& app, const SendOptions& options) {
  const std::string text = message_text(options);
  const Interrupt interrupt;
  wherry::Profile profile = open_profile(app);
  const Person person = find_person(profile, options.to);
  const std::uint64_t message = profile.send(person.conversation, text);
  const Progress end = wait_for(profile, message, options, interrupt);
  report(app, message, end, options, advice(profile, person));
  require_told(message);
}

}  // namespace cli
