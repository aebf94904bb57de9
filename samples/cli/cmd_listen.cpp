// wherry listen: shows messages and what else matters as it comes, until Ctrl-C.
#include <algorithm>
#include <iostream>
#include <map>

#include "commands.h"
#include "enum_names.h"
#include "feed.h"
#include "people.h"
#include "text.h"

namespace cli {
namespace {

// Shows events, and acknowledges each after it has been written out.
class Listener {
 public:
  Listener(const App& app, const ListenOptions& options, wherry::Profile& profile)
      : app_(app), options_(options), profile_(profile), people_(profile) {}

  // Requests that came while nobody listened.
  void accept_waiting() {
    if (!options_.accept) return;
    for (const Person& person : all_people(profile_)) {
      if (person.state == WHERRY_CONTACT_STATE_REQUEST) profile_.accept_contact(person.contact);
    }
  }

  void take(const wherry::Event& event) {
    if (options_.accept && is_request(event)) profile_.accept_contact(event.contact());
    if (event.kind() == WHERRY_EVENT_MESSAGE) ++messages_;
    if (app_.json) {
      std::cout << event.json() << "\n";
    } else {
      show(event);
    }
    std::cout.flush();
    if (!std::cout) throw Failure(exit_environment, "standard output can not be written to");
    if (event.seq() != 0) acknowledge(event.seq());
  }

  std::uint64_t messages() const { return messages_; }

 private:
  static bool is_request(const wherry::Event& event) {
    return event.kind() == WHERRY_EVENT_CONTACT && event.state() == WHERRY_CONTACT_STATE_REQUEST;
  }

  void acknowledge(std::uint64_t seq) {
    try {
      profile_.ack(seq);
    } catch (const wherry::NotNow&) {
      // The queue is full; the next event's acknowledgement covers this one.
    }
  }

  void show(const wherry::Event& event) {
    switch (event.kind()) {
      case WHERRY_EVENT_MESSAGE:
        std::cout << local_time(event.received_ms()) << "  " << people_.shown(event.author())
                  << ": " << body_text(event.content(), event.body()) << "\n";
        return;
      case WHERRY_EVENT_CONTACT:
        show_contact(event);
        return;
      case WHERRY_EVENT_SECURITY:
        std::cout << "! " << people_.shown(event.contact()) << ": "
                  << wherry_reason_text(event.reason()) << "\n";
        return;
      case WHERRY_EVENT_TRANSPORT:
        show_transport(event);
        return;
      case WHERRY_EVENT_STORAGE:
        std::cerr << (event.reason() == WHERRY_REASON_NONE ? "the disk works again\n"
                                                           : "the disk is full or has failed\n");
        return;
      default:
        return;
    }
  }

  // The feed has every state since somebody last listened; one is shown once.
  void show_transport(const wherry::Event& event) {
    std::string line =
        "transport " + std::to_string(event.transport()) + ": " +
        state_text(event.state(), event.percent(), event.reason(), std::string(event.phase()));
    std::string& shown = transports_[event.transport()];
    if (line == shown) return;
    std::cerr << line << "\n";
    shown = std::move(line);
  }

  void show_contact(const wherry::Event& event) {
    const std::string& name = people_.shown(event.contact());
    if (!is_request(event)) {
      std::cout << "* " << name << " is " << contact_state_name(event.state()) << "\n";
    } else if (options_.accept) {
      std::cout << "* accepted " << name << " (contact " << event.contact() << ")\n";
    } else {
      std::cout << "* " << name << " asks to be accepted: wherry accept " << event.contact()
                << " --name NAME\n";
    }
  }

  const App& app_;
  const ListenOptions& options_;
  wherry::Profile& profile_;
  People people_;
  std::map<std::uint64_t, std::string> transports_;  // the line that was last shown for each
  std::uint64_t messages_ = 0;
};

// Until the next look at the deadline, in ms.
int wait_ms(bool limited, Clock::time_point deadline) {
  constexpr std::chrono::milliseconds longest{60'000};
  if (!limited) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  return static_cast<int>(std::clamp(left, std::chrono::milliseconds(0), longest).count());
}

}  // namespace

void listen(App& app, const ListenOptions& options) {
  const Interrupt interrupt;
  wherry::Profile profile = open_profile(app);
  Listener listener(app, options, profile);
  listener.accept_waiting();
  const int handle = profile.wait_handle();
  const bool limited = options.timeout_s.has_value();
  const bool only_waiting = options.timeout_s == 0u;
  const Clock::time_point deadline =
      Clock::now() + std::chrono::seconds(options.timeout_s.value_or(0));
  while (!interrupt.requested()) {
    if (options.count != 0 && listener.messages() >= options.count) return;
    const bool over = limited && Clock::now() >= deadline;
    if (over && !(only_waiting && interrupt.wait_readable(handle, 0))) {
      if (options.count != 0) app.exit_code = exit_not_yet;
      return;
    }
    if (!interrupt.wait_readable(handle, wait_ms(limited, deadline))) continue;
    if (const auto event = profile.next_event(wherry::Timeout(0))) listener.take(*event);
  }
}

}  // namespace cli
