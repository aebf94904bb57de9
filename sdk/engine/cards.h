// Contact cards of this profile: made, their bundles published and renewed, old ones given up.
#ifndef WHERRY_ENGINE_CARDS_H
#define WHERRY_ENGINE_CARDS_H

#include "engine/turn.h"

namespace wherry::engine {

// Makes a card and its inbox; `done` gets the text once somebody could use it, or says why not.
// Errors: E_NOT_FOUND, E_STATE (not online), E_DISK.
Status make_card(Turn& turn, uint64_t transport, int64_t valid_s,
                 std::function<void(Result<std::string>)> done);

// A card's inbox was confirmed, perhaps by a relay that lost its store: its bundle is published.
void publish(Turn& turn, CardState& card);

// The answer to a put_bundle. False: it was not for a card.
bool on_published(Turn& turn, const BundleReport& report);

// Publishes what is due, deletes expired cards and old prekeys, and answers who waited too long.
// Returns the steady time of the next look.
int64_t keep_cards(Turn& turn);

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_CARDS_H
