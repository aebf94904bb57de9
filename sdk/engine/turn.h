// One turn of the engine: a transaction, what it reads and changes, and what may leave once it is
// committed. The steps (receiving.h, sending.h, …) are functions on a Turn.
//
// Rule: a step changes the profile and the database only, and puts everything that anybody else
// could notice among the outputs. What it may call at once sends no packet (create, open_inbox
// before the start, add_peer) or stops: see ARCHITECTURE.md.
#ifndef WHERRY_ENGINE_TURN_H
#define WHERRY_ENGINE_TURN_H

#include <functional>
#include <map>
#include <set>
#include <vector>

#include "base/log.h"
#include "engine/feed.h"
#include "engine/network.h"
#include "engine/profile.h"
#include "store/events.h"
#include "store/messages.h"

namespace wherry::engine {

using Networks = std::map<uint64_t, std::unique_ptr<Network>>;

// A caller that waits for a card to be usable.
struct CardWait {
  uint64_t card = 0;
  int64_t until = 0;  // steady ms
  std::function<void(Result<std::string>)> done;
};

// What outlives turns and is not stored: numbers for plug-ins, timers, the list of contacts to look
// at.
struct Runtime {
  Networks networks;
  uint64_t next_peer = 1;
  uint64_t next_send = 1;
  uint64_t next_request = 1;
  std::set<std::pair<int64_t, uint64_t>> timers;  // (steady ms, contact)
  std::vector<uint64_t> pump;                     // contacts
  std::vector<CardWait> card_waits;
  int64_t housekeeping_at = 0;  // steady ms
};

// By what right an envelope leaves: its path is permitted, or it is the last word on it (see
// leaving.h).
enum class Passing : uint8_t { kPermitted, kLastWord };

class Turn {
 public:
  Turn(store::Connection& database, Env& environment, Log& logger, Profile& loaded,
       Runtime& runtime_state)
      : db(database),
        env(environment),
        log(logger),
        profile(loaded),
        runtime(runtime_state),
        now(environment.clock->steady_ms()),
        wall_ms(environment.clock->wall_ms()) {}

  store::Connection& db;
  Env& env;
  Log& log;
  Profile& profile;
  Runtime& runtime;
  const int64_t now;  // steady ms
  const int64_t wall_ms;
  uint64_t heard_over = 0;  // transport of the envelope that is being read

  // Outputs: released after the commit, in this order. Events first: nobody else is told before the
  // app can be. Calls before sends: a peer is removed, an
  // instance started before anything is sent that counts on it.
  std::vector<Event> events;  // of the durable feed, those that are at hand whole
  std::vector<std::pair<uint64_t, wherry_receipt>> receipts;  // by transport
  std::vector<std::function<void()>> calls;                   // into plug-ins
  std::vector<Outgoing> sends;
  struct CardAnswer {
    std::function<void(Result<std::string>)> done;
    Result<std::string> text;
  };
  std::vector<CardAnswer> card_answers;  // answered with the error if the commit fails
  std::vector<EphemeralEvent> ephemeral;

  Network* network(uint64_t transport);

  // Looks at a contact's outgoing side at the end of this turn, or of a following one.
  void pump(Contact& contact);
  // Looks at it again at a steady time, if not earlier.
  void wake(Contact& contact, int64_t at);

  // Logs what a contact does against the protocol: a warning a minute, whatever they send.
  void complain(Contact& contact, const std::string& what) const;

  // Gives a message its number, and keeps it. Its id is not known yet.
  void insert(store::MessageRow& message);
  // Adds to the durable feed; returns the event's seq.
  uint64_t add_event(store::EventRow event);
  // The same, of a message that came.
  void add_event(store::EventRow event, store::MessageRow message);

  // Opens an inbox at its network once it is committed; on_inbox answers.
  void open_inbox(Network& network, const store::InboxRow& inbox);

  // Queues an envelope for a plug-in; nothing is sent but by this, and nothing over a path that is
  // not permitted, but for a last word. Out: its send id; 0: it was not permitted.
  uint64_t send(Network& network, Contact& contact, const PathEntry& path, uint64_t copy,
                Bytes envelope, Passing passing = Passing::kPermitted);

  // What changed in memory and is to be written by save().
  void changed(Contact& contact);
  void changed_conversation(Contact& contact);
  void changed(Contact& contact, IncomingStream& stream);
  void changed(Session& session);
  void save();
  // After a failed commit: transports that this turn was to start are gone.
  void withdraw();

 private:
  void remember(Contact& contact);

  std::vector<uint64_t> changed_contacts_;
  std::vector<uint64_t> changed_sessions_;
};

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_TURN_H
