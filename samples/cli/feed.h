// Waiting for things that events tell of, in commands that do not deal with messages.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "interrupt.h"
#include "wherry/wherry.hpp"

namespace cli {

using Clock = std::chrono::steady_clock;

// The event feed as a short-lived command sees it. It acknowledges what nobody would miss (the
// evidence of messages and the like), but nothing from the first event on that `listen` shows.
class Feed {
 public:
  explicit Feed(wherry::Profile& profile) : profile_(profile) {}

  // Takes one event, if one comes before the deadline or within a quarter of a second.
  void step(Clock::time_point deadline);

  // Takes what transports have said by now: it comes before all other events.
  void take_states();

  // Acknowledges what may be.
  void finish();

  // What a transport says of its state besides the reason, for people; mostly nothing.
  std::string phase(std::uint64_t transport) const;

 private:
  // False: nothing came, or nothing that comes before others.
  bool take(std::chrono::milliseconds wait);

  wherry::Profile& profile_;
  std::map<std::uint64_t, std::string> phases_;
  bool seen_for_people_ = false;
  std::uint64_t passed_ = 0;
};

// A finished feed, once no transport that is to run is on its way any more, but after two seconds
// at most: what is said of a profile that was just opened is of little use.
Feed settled(wherry::Profile& profile);

// Why a transport or a conversation is in its state, for people; "" for no reason.
std::string why_text(std::int32_t reason, const std::string& phase = "");

// A transport's state as one line: "starting, 45 %: Loading relay descriptors".
std::string state_text(std::int32_t state, std::int32_t percent, std::int32_t reason,
                       const std::string& phase);

// Shows on stderr how a transport gets on, until it is online, can not go on, or two minutes are
// over. Gives the finished feed, with what was said last.
Feed show_progress(wherry::Profile& profile, std::uint64_t transport);

// Waits until a transport is online, and shows on stderr how it gets on; `timeout` begins anew
// whenever the percentage grows, since a tor takes its time and says how far it is. Throws a
// Failure that says why when it is not in time, has failed or is stopped.
void wait_online(wherry::Profile& profile, std::uint64_t transport, std::chrono::seconds timeout,
                 const Interrupt& interrupt);

// What to do when the profile's permits keep a network offline.
std::string remedy_of_permits(const std::string& network);

// What to do when a network can not be listened to at the address of its settings.
std::string other_port(const std::string& network);

// Configures a transport and starts it. Throws a wherry::Error that names the way on.
std::uint64_t add_started(wherry::Profile& profile, const std::string& name,
                          const wherry::Settings& settings);

// A transport by its id or plug-in's name; for "" the only one there is. Throws a Failure.
std::uint64_t find_transport(const wherry::Profile& profile, const std::string& which);

}  // namespace cli
