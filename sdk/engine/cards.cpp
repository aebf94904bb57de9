// A card is usable when its inbox is confirmed and its bundle published.
#include "engine/cards.h"

#include <algorithm>

#include "base/limits.h"
#include "crypto/hash.h"
#include "engine/paths.h"
#include "identity/bundle.h"

namespace wherry::engine {
namespace {

Result<std::string> text_of(const Profile& profile, const CardState& card) {
  identity::Card text;
  text.fetch_secret = card.row.fetch.clone();
  text.transport = profile.transports.at(card.row.transport).name;
  text.endpoint = profile.inboxes.at(card.inbox).endpoint;
  text.expires_s = card.row.expires_s;
  return text.text(profile.identity);
}

// Tells who waits for the card.
void answer(Turn& turn, uint64_t card, const Result<std::string>& text) {
  for (const CardWait& wait : turn.runtime.card_waits) {
    if (wait.card == card) turn.card_answers.push_back({wait.done, text});
  }
  std::erase_if(turn.runtime.card_waits,
                [card](const CardWait& wait) { return wait.card == card; });
}

bool awaited(const Turn& turn, uint64_t card) {
  return std::ranges::any_of(turn.runtime.card_waits,
                             [card](const CardWait& wait) { return wait.card == card; });
}

// It is usable: who waits for it gets its text.
void give(Turn& turn, CardState& card) {
  card.row.published_ms = turn.wall_ms;
  store::card_set_published(turn.db, card.row.id, turn.wall_ms);
  answer(turn, card.row.id, text_of(turn.profile, card));
}

// The prekey to publish: the newest, or a new one when that is a week old.
Result<identity::Prekey> current_prekey(Turn& turn, const CardState& card) {
  const std::optional<store::PrekeyRow> newest =
      store::prekey_of(turn.db, store::PrekeyKind::kCard, card.row.id);
  if (newest && turn.wall_ms - newest->made_ms < limits::kPrekeyRenew_ms &&
      newest->made_ms <= turn.wall_ms) {
    return identity::Prekey::from_bytes(newest->secret.view());
  }
  store::PrekeyRow row;
  row.id = static_cast<uint32_t>(turn.env.random->number());
  row.kind = store::PrekeyKind::kCard;
  row.owner = card.row.id;
  row.made_ms = turn.wall_ms;
  row.fetch = card.row.fetch.clone();
  identity::Prekey prekey = identity::Prekey::make(
      row.id, (turn.wall_ms + limits::kPrekeyKeep_ms) / 1000, *turn.env.random);
  row.secret = prekey.to_bytes();
  store::prekey_insert(turn.db, row);
  return prekey;
}

void close_card(Turn& turn, const CardState& card) {
  store::card_delete(turn.db, card.row.id);
  if (card.inbox != 0) close_inbox(turn, turn.profile.inboxes.at(card.inbox));
}

// Tells those whose card did not become usable in time. Returns the steady time of the next that
// would have waited too long.
int64_t end_waits(Turn& turn) {
  int64_t next = Executor::kNever;
  std::vector<uint64_t> late;
  for (const CardWait& wait : turn.runtime.card_waits) {
    if (wait.until <= turn.now) {
      late.push_back(wait.card);
    } else {
      next = std::min(next, wait.until);
    }
  }
  for (uint64_t id : late) {
    answer(turn, id,
           fail(WHERRY_E_STATE, "the network did not take the card in time: try again later"));
  }
  return next;
}

}  // namespace

Status make_card(Turn& turn, uint64_t transport, int64_t valid_s,
                 std::function<void(Result<std::string>)> done) {
  if (!turn.profile.transports.contains(transport)) {
    return fail(WHERRY_E_NOT_FOUND, "there is no such transport");
  }
  Network* network = turn.network(transport);
  if (network == nullptr || !network->online()) {
    return Error{WHERRY_E_STATE, network == nullptr ? 0 : network->reason,
                 "the transport is not online: start it and wait until it is"};
  }
  CardState card;
  card.row.transport = transport;
  turn.env.random->fill(card.row.fetch.data(), 32);
  card.row.expires_s = turn.wall_ms / 1000 + valid_s;
  card.row.id = store::card_insert(turn.db, card.row);
  store::InboxRow inbox;
  inbox.transport = transport;
  inbox.kind = store::InboxKind::kCard;
  inbox.owner = card.row.id;
  turn.env.random->fill(inbox.secret.data(), 32);
  inbox.id = store::inbox_insert(turn.db, inbox);
  card.inbox = inbox.id;
  turn.runtime.card_waits.push_back(
      {card.row.id, turn.now + limits::kCardWait_ms, std::move(done)});
  turn.runtime.housekeeping_at =
      std::min(turn.runtime.housekeeping_at, turn.now + limits::kCardWait_ms);
  turn.open_inbox(*network, inbox);
  turn.profile.add_inbox(std::move(inbox));
  turn.profile.cards.emplace(card.row.id, std::move(card));
  return {};
}

void publish(Turn& turn, CardState& card) {
  Network* network = turn.network(card.row.transport);
  if (network == nullptr || !network->online() || card.put_request != 0) return;
  if (Result<std::string> text = text_of(turn.profile, card); !text) {
    // Longer than a card may be. keep_cards() closes it.
    answer(turn, card.row.id, text);
    turn.runtime.housekeeping_at = turn.now;
    return;
  }
  if (!network->instance->can(WHERRY_ABILITY_BUNDLES)) {
    give(turn, card);
    return;
  }
  Result<identity::Prekey> prekey = current_prekey(turn, card);
  if (!prekey) return;
  Result<Bytes> bundle = identity::Bundle::make(turn.profile.device, *turn.profile.list, *prekey);
  if (!bundle) {
    turn.log.error("a bundle could not be made: " + bundle.error().text);
    return;
  }
  card.put_request = turn.runtime.next_request++;
  card.put_at = Executor::kNever;
  const int64_t left_s = std::max<int64_t>(
      60, std::min(card.row.expires_s - turn.wall_ms / 1000, limits::kPrekeyKeep_ms / 1000));
  turn.calls.push_back(
      [network, request = card.put_request, locator = identity::bundle_locator(card.row.fetch),
       owner = crypto::hash<32>(turn.profile.local.view(), "bundle/owner", {card.row.fetch.view()}),
       sealed = identity::seal_bundle(card.row.fetch, *bundle, *turn.env.random), left_s] {
        network->put_bundle(request, locator, Secret<32>(owner), sealed,
                            static_cast<uint32_t>(left_s));
      });
}

bool on_published(Turn& turn, const BundleReport& report) {
  for (auto& [id, card] : turn.profile.cards) {
    if (card.put_request != report.request) continue;
    card.put_request = 0;
    if (report.reason == WHERRY_REASON_NONE) {
      card.put_tries = 0;
      give(turn, card);
      return true;
    }
    card.put_at = turn.now + delivery::backoff_ms(limits::kBundleRetryFirst_ms,
                                                  limits::kBundleRetryMax_ms, ++card.put_tries);
    turn.runtime.housekeeping_at = std::min(turn.runtime.housekeeping_at, card.put_at);
    return true;
  }
  return false;
}

int64_t keep_cards(Turn& turn) {
  int64_t next = std::min(turn.now + limits::kHousekeeping_ms, end_waits(turn));
  for (auto at = turn.profile.cards.begin(); at != turn.profile.cards.end();) {
    CardState& card = at->second;
    // Somebody may have written at the last moment: the inbox stays as long as an envelope may.
    const int64_t over_s = card.row.expires_s + limits::kPrekeyKeep_ms / 1000;
    // Whoever waited for it was told that it failed, or is gone: nobody has its text.
    const bool never_given = card.row.published_ms == 0 && !awaited(turn, at->first);
    if (never_given || turn.wall_ms / 1000 > over_s) {
      close_card(turn, card);
      at = turn.profile.cards.erase(at);
      continue;
    }
    const bool expired = turn.wall_ms / 1000 > card.row.expires_s;
    const bool old = turn.wall_ms - card.row.published_ms > limits::kPrekeyRenew_ms ||
                     card.row.published_ms > turn.wall_ms;  // the clock was ahead then
    if (!expired && (card.put_at <= turn.now || (old && card.row.published_ms != 0))) {
      publish(turn, card);
    }
    // What is due and waits for its transport is looked at again when that is online.
    if (card.put_at > turn.now) next = std::min(next, card.put_at);
    ++at;
  }
  store::prekeys_erase_before(turn.db, turn.wall_ms - limits::kPrekeyKeep_ms);
  return next;
}

}  // namespace wherry::engine
