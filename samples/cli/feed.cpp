// Waiting for events; see feed.h.
#include "feed.h"

#include <algorithm>
#include <iostream>
#include <optional>

#include "app.h"
#include "enum_names.h"
#include "text.h"

namespace cli {
namespace {

// Signals and deadlines are looked at this often.
constexpr std::chrono::milliseconds step_max{250};
// Most networks are online within a moment, and nothing is said of that.
constexpr std::chrono::seconds moment{1};

bool is_for_people(std::int32_t kind) {
  return kind != WHERRY_EVENT_EVIDENCE && kind != WHERRY_EVENT_WAITING;
}

// A copy: texts of a page live as long as it.
struct Standing {
  std::string name;
  std::int32_t state = 0;
  std::int32_t percent = 0;
  std::int32_t reason = 0;
};

std::optional<Standing> state_of(const wherry::Profile& profile, std::uint64_t transport) {
  for (const wherry_transport_info& info : profile.transports()) {
    if (info.transport == transport) {
      return Standing{info.name, info.state, info.percent, info.reason};
    }
  }
  return std::nullopt;
}

}  // namespace

bool Feed::take(std::chrono::milliseconds wait) {
  const std::optional<wherry::Event> event = profile_.next_event(wait);
  if (!event) return false;
  if (event->seq() == 0) {
    if (event->kind() == WHERRY_EVENT_TRANSPORT) phases_[event->transport()] = event->phase();
    return true;
  }
  seen_for_people_ = seen_for_people_ || is_for_people(event->kind());
  if (!seen_for_people_) passed_ = event->seq();
  return false;
}

void Feed::step(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  take(std::clamp(left, std::chrono::milliseconds(0), step_max));
}

void Feed::take_states() {
  while (take(std::chrono::milliseconds(0))) {
  }
}

std::string Feed::phase(std::uint64_t transport) const {
  const auto found = phases_.find(transport);
  return found == phases_.end() ? "" : found->second;
}

void Feed::finish() {
  if (passed_ != 0) profile_.ack(passed_);
}

Feed settled(wherry::Profile& profile) {
  Feed feed(profile);
  constexpr std::chrono::seconds patience(2);
  const Clock::time_point deadline = Clock::now() + patience;
  const auto on_its_way = [](const wherry_transport_info& info) {
    return info.started != 0 && (info.state == WHERRY_TRANSPORT_STATE_OFF ||
                                 info.state == WHERRY_TRANSPORT_STATE_STARTING);
  };
  while (Clock::now() < deadline) {
    const auto page = profile.transports();
    if (std::none_of(page.begin(), page.end(), on_its_way)) break;
    feed.step(deadline);
  }
  feed.take_states();
  feed.finish();
  return feed;
}

std::string why_text(std::int32_t reason, const std::string& phase) {
  if (reason == WHERRY_REASON_NONE) return "";
  const std::string text = wherry_reason_text(reason);
  return phase.empty() ? text : text + " (" + harmless(phase) + ")";
}

std::string state_text(std::int32_t state, std::int32_t percent, std::int32_t reason,
                       const std::string& phase) {
  std::string text = transport_state_name(state);
  if (reason != WHERRY_REASON_NONE) return text + ": " + why_text(reason, phase);
  if (state != WHERRY_TRANSPORT_STATE_STARTING) return text;
  if (percent > 0) text += ", " + std::to_string(percent) + " %";
  return phase.empty() ? text : text + ": " + harmless(phase);
}

Feed show_progress(wherry::Profile& profile, std::uint64_t transport) {
  constexpr std::chrono::minutes patience(2);
  const Interrupt interrupt;
  const Clock::time_point deadline = Clock::now() + patience;
  const Clock::time_point worth_telling = Clock::now() + moment;
  Feed feed(profile);
  for (std::string shown; Clock::now() < deadline && !interrupt.requested();) {
    feed.take_states();
    const auto page = profile.transports();
    const auto info = std::find_if(page.begin(), page.end(),
                                   [&](const auto& one) { return one.transport == transport; });
    const bool on_its_way = info != page.end() && info->started != 0 &&
                            (info->state == WHERRY_TRANSPORT_STATE_OFF ||
                             info->state == WHERRY_TRANSPORT_STATE_STARTING);
    if (!on_its_way) break;
    std::string line = state_text(info->state, info->percent, info->reason, feed.phase(transport));
    if (line != shown && Clock::now() >= worth_telling) {
      std::cerr << line << "\n";
      shown = std::move(line);
    }
    feed.step(deadline);
  }
  feed.take_states();
  feed.finish();
  return feed;
}

void wait_online(wherry::Profile& profile, std::uint64_t transport, std::chrono::seconds timeout,
                 const Interrupt& interrupt) {
  Clock::time_point deadline = Clock::now() + timeout;
  const Clock::time_point worth_telling = Clock::now() + moment;
  Feed feed(profile);
  std::int32_t shown = 0;
  for (std::int32_t percent = 0;;) {
    const auto info = state_of(profile, transport);
    if (!info) throw Failure(exit_usage, "there is no such transport");
    if (info->percent > percent) {
      percent = info->percent;
      deadline = Clock::now() + timeout;
    }
    if (info->state == WHERRY_TRANSPORT_STATE_ONLINE) break;
    feed.take_states();
    if (info->percent > shown && Clock::now() >= worth_telling) {
      shown = info->percent;
      std::cerr << state_text(info->state, shown, info->reason, feed.phase(transport)) << std::endl;
    }
    std::string why = why_text(info->reason, feed.phase(transport));
    if (!why.empty()) why.insert(0, ": ");
    if (info->state == WHERRY_TRANSPORT_STATE_FAILED) {
      if (info->reason == WHERRY_REASON_PERMITS) why += "\n" + remedy_of_permits(info->name);
      throw Failure(exit_environment, "the transport does not work" + why);
    }
    if (info->state == WHERRY_TRANSPORT_STATE_OFF) {
      throw Failure(exit_usage, "the transport is stopped: wherry transports start " +
                                    std::to_string(transport));
    }
    if (interrupt.requested()) throw Failure(exit_not_yet, "interrupted");
    if (Clock::now() >= deadline) {
      const std::string name = transport_state_name(info->state);
      throw Failure(exit_not_yet, "the transport is not online yet (" + name + ")" + why);
    }
    feed.step(deadline);
  }
  feed.finish();
}

std::string remedy_of_permits(const std::string& network) {
  return "What the profile permits: wherry permits; what this reveals: wherry transports "
         "describe " +
         network + "; to permit everything again: wherry permits --set open";
}

std::string other_port(const std::string& network) {
  return "The port is taken by another program, or the address is not this machine's. Another one: "
         "wherry transports set " +
         network + " listen=ADDRESS:PORT";
}

std::uint64_t add_started(wherry::Profile& profile, const std::string& name,
                          const wherry::Settings& settings) {
  const std::uint64_t transport = profile.add_transport(name, settings);
  try {
    profile.start_transport(transport);
  } catch (const wherry::Error& error) {
    const std::string way_on = error.status() == WHERRY_E_PERMITS
                                   ? remedy_of_permits(name)
                                   : "Mend it: wherry transports set " + name +
                                         " NAME=VALUE, then wherry transports start " + name;
    throw wherry::Error(
        error.status(), error.reason(),
        std::string(error.what()) + "\nIt is configured, and not started. " + way_on);
  }
  return transport;
}

std::uint64_t find_transport(const wherry::Profile& profile, const std::string& which) {
  const auto page = profile.transports();
  if (page.empty()) {
    throw Failure(exit_usage,
                  "no transport is configured: wherry transports add NAME SETTING=VALUE");
  }
  if (which.empty() && page.size() == 1) return page[0].transport;
  for (const wherry_transport_info& info : page) {
    if (!which.empty() && (which == info.name || which == std::to_string(info.transport))) {
      return info.transport;
    }
  }
  throw Failure(exit_usage, which.empty() ? "which transport? give --transport NAME"
                                          : "there is no transport " + harmless(which));
}

}  // namespace cli
