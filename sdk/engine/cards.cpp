// A card is usable when its inbox is confirmed and its bundle published.
#include "engine/cards.h"

#include <algorithm>

#include "base/limits.h"
#include "crypto/hash.h"
#include "identity/bundle.h"

namespace wherry::engine {
namespace {

constexpr int64_t kCardWait_ms = 10 * 1000;
constexpr int64_t kHousekeeping_ms = 3600 * 1000;

Result<std::string> text_of(const Profile& profile, const CardState& card) {
  const auto inbox = profile.inboxes.find(card.inbox);
  const auto transport = profile.transports.find(card.row.transport);
  if (inbox == profile.inboxes.end() || transport == profile.transports.end() ||
      inbox->second.endpoint.empty()) {
    return fail(WHERRY_E_STATE, "the network did not confirm an inbox in time: try again later");
  }
  identity::Card text;
  text.fetch_secret = card.row.fetch.clone();
  text.transport = transport->second.name;
  text.endpoint = inbox->second.endpoint;
  text.expires_s = card.row.expires_s;
  return text.text(profile.identity);
}

void answer(Turn& turn, uint64_t card_id) {
  auto& waits = turn.runtime.card_waits;
  for (auto wait = waits.begin(); wait != waits.end();) {
    if (wait->card != card_id) {
      ++wait;
      continue;
    }
    turn.card_answers.push_back(
        {std::move(wait->done), text_of(turn.profile, turn.profile.cards[card_id])});
    wait = waits.erase(wait);
  }
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
  if (card.inbox == 0) return;
  store::inbox_delete(turn.db, card.inbox);
  turn.profile.inboxes.erase(card.inbox);
  Network* network = turn.network(card.row.transport);
  if (network == nullptr) return;
  turn.calls.push_back([network, inbox = card.inbox] {
    if (network->running()) network->instance->close_inbox(inbox);
  });
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
  turn.runtime.card_waits.push_back({card.row.id, turn.now + kCardWait_ms, std::move(done)});
  turn.runtime.housekeeping_at = std::min(turn.runtime.housekeeping_at, turn.now + kCardWait_ms);
  turn.calls.push_back([network, id = inbox.id, secret = to_array<32>(inbox.secret.view())] {
    if (network->running()) network->instance->open_inbox(id, Secret<32>(secret));
  });
  turn.profile.inboxes.emplace(card.inbox, std::move(inbox));
  turn.profile.cards.emplace(card.row.id, std::move(card));
  return {};
}

void publish(Turn& turn, CardState& card) {
  Network* network = turn.network(card.row.transport);
  if (network == nullptr || !network->online() || card.put_request != 0) return;
  if (!network->instance->can(WHERRY_ABILITY_BUNDLES)) {
    answer(turn, card.row.id);
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
      card.row.published_ms = turn.wall_ms;
      store::card_set_published(turn.db, id, turn.wall_ms);
      answer(turn, id);
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
  int64_t next = turn.now + kHousekeeping_ms;
  for (auto at = turn.profile.cards.begin(); at != turn.profile.cards.end();) {
    CardState& card = at->second;
    // Somebody may have written at the last moment: the inbox stays as long as an envelope may.
    const int64_t over_s = card.row.expires_s + limits::kPrekeyKeep_ms / 1000;
    if (turn.wall_ms / 1000 > over_s) {
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
  for (const CardWait& wait : std::vector<CardWait>(turn.runtime.card_waits)) {
    if (wait.until <= turn.now) {
      answer(turn, wait.card);
    } else {
      next = std::min(next, wait.until);
    }
  }
  return next;
}

}  // namespace wherry::engine
