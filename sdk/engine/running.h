// Transports at run time: started and stopped, and what they report of themselves.
#ifndef WHERRY_ENGINE_RUNNING_H
#define WHERRY_ENGINE_RUNNING_H

#include "engine/turn.h"

namespace wherry::engine {

// Makes the network's instance and opens on it each inbox that may be listened at; if it is being
// stopped, keep_networks() will. E_SETTING, E_MEMORY, E_PERMITS: being online there is not
// permitted.
Status start_network(Turn& turn, Network& network);
void stop_network(Turn& turn, Network& network);
// Stops it; keep_networks() starts it again, with its settings and inboxes of then.
void restart_network(Turn& turn, Network& network);

// Something around the app changed: bits of wherry_change. After a change of networks nothing waits
// for a time that doubled on the one before.
void update_networks(Turn& turn, uint32_t changes);

void on_state(Turn& turn, Network& network, const StateReport& report);
void on_inbox(Turn& turn, const InboxReport& report);
void on_peer(Turn& turn, Network& network, const PeerReport& report);
void on_stopped(Turn& turn, Network& network);

// Starts what the profile wants running and is not, whatever came between, and reconnects; both
// paced. Returns the steady time of the next look.
int64_t keep_networks(Turn& turn);

// Looks at every contact who may have something to send or be told.
void pump_all(Turn& turn);

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_RUNNING_H
