// Instances come and go; the host paces their reconnects.
#include "engine/running.h"

#include <algorithm>

#include "base/limits.h"
#include "codec/utf8.h"
#include "engine/cards.h"
#include "engine/moving.h"
#include "engine/paths.h"
#include "engine/permits.h"
#include "engine/sending.h"
#include "engine/settings.h"
#include "policy/reveals.h"

namespace wherry::engine {
namespace {

void tell(Turn& turn, const Network& network) {
  EphemeralEvent event;
  event.type = WHERRY_EVENT_TRANSPORT;
  event.transport = network.id();
  event.state = network.state;
  event.percent = network.percent;
  event.reason = network.reason;
  event.phase = network.phase;
  turn.ephemeral.push_back(std::move(event));
}

void retry_start(const Turn& turn, Network& network) {
  network.start_at = turn.now + delivery::backoff_ms(limits::kReconnectFirst_ms,
                                                     limits::kReconnectMax_ms, ++network.starts);
}

// Those that the network refused, or did not confirm.
void reopen_inboxes(Turn& turn, Network& network) {
  for (const auto& [id, inbox] : turn.profile.inboxes) {
    if (inbox.transport != network.id()) continue;
    if (!inbox.endpoint.empty() && !network.refused.contains(id)) continue;
    if (!may_be_open(turn.profile, network, inbox)) continue;
    turn.open_inbox(network, inbox);
  }
}

}  // namespace

Status start_network(Turn& turn, Network& network) {
  if (network.instance != nullptr) return {};
  const store::TransportRow& row = turn.profile.transports.at(network.id());
  Result<plugin::Settings> settings = settings_from_bytes(row.settings);
  if (!settings) return settings.error();
  network.listening = network.listening_with(*settings);
  network.phase.clear();
  if (!may_be_online(turn.profile, network)) {
    network.state = WHERRY_TRANSPORT_STATE_FAILED;
    network.reason = WHERRY_REASON_PERMITS;
    network.start_at = Executor::kNever;  // until the permits or its settings change
    tell(turn, network);
    return Error{WHERRY_E_PERMITS, WHERRY_REASON_PERMITS,
                 "being online there reveals more than the profile permits"};
  }
  if (Status created = network.create(*settings); !created) {
    network.state = WHERRY_TRANSPORT_STATE_FAILED;
    network.reason = WHERRY_REASON_SETTING;
    retry_start(turn, network);
    tell(turn, network);
    return created;
  }
  for (const auto& [id, inbox] : turn.profile.inboxes) {
    if (inbox.transport != network.id() || !may_be_open(turn.profile, network, inbox)) continue;
    network.inboxes.insert(id);
    network.open_inbox(id, inbox.secret, inbox.kind);
  }
  turn.calls.push_back([&network] { network.start(); });
  tell(turn, network);
  pump_all(turn);
  return {};
}

void stop_network(Turn& turn, Network& network) {
  if (!network.running()) {
    network.state = WHERRY_TRANSPORT_STATE_OFF;
    return;
  }
  for (const auto& [id, flight] : network.flights) {
    Contact* contact = turn.profile.contact(flight.contact);
    if (flight.copy == kNoCopy && contact != nullptr) acknowledge_again(turn, *contact);
  }
  network.stop();
  forget_peers(turn.profile, network.id());
  tell(turn, network);
  pump_all(turn);
}

void restart_network(Turn& turn, Network& network) {
  stop_network(turn, network);
  network.start_at = turn.now;
}

void update_networks(Turn& turn, uint32_t changes) {
  const bool elsewhere = (changes & WHERRY_CHANGE_NETWORK) != 0;
  for (auto& [id, network] : turn.runtime.networks) {
    if (elsewhere) {
      network->starts = network->reconnects = 0;
      // Never stays never: the permits stand against it.
      if (network->start_at != Executor::kNever) network->start_at = turn.now;
      if (network->reconnect_at != Executor::kNever) network->reconnect_at = turn.now;
    }
    turn.calls.push_back([told = network.get(), changes] {
      if (told->running()) told->instance->update(changes);
    });
  }
  if (!elsewhere) return;
  for (auto& [id, contact] : turn.profile.contacts) {
    for (PathEntry& path : contact->paths) {
      path.connects = path.heard = 0;
      path.connect_at = std::min(path.connect_at, turn.now);
    }
  }
  pump_all(turn);
}

void on_state(Turn& turn, Network& network, const StateReport& report) {
  if (!network.running()) return;
  // One that has failed is ended by this profile: see below.
  if (network.state == WHERRY_TRANSPORT_STATE_FAILED &&
      report.state == WHERRY_TRANSPORT_STATE_OFF) {
    return;
  }
  const bool was_online = network.online();
  network.state = report.state;
  network.percent = report.percent;
  network.reason = report.reason;
  network.phase = report.phase;
  tell(turn, network);
  if (network.online()) {
    network.starts = 0;
    network.online_at = turn.now;
    network.reconnect_at = Executor::kNever;
    network.reopens = 0;
    const std::string& name = turn.profile.transports.at(network.id()).name;
    for (auto& [id, card] : turn.profile.cards) {
      if (card.row.transport != network.id()) continue;
      card.put_request = 0;
      if (card.row.published_ms == 0) publish(turn, card);
    }
    for (auto& [id, contact] : turn.profile.contacts) {
      probe_again(turn, *contact, network.id());
      if (contact->card && contact->card->transport == name) {
        contact->bundle_request = 0;
        contact->bundle_at = 0;
        contact->bundle_tries = 0;
      }
      for (Copy& copy : contact->outbox.copies) {
        // What failed for lack of a connection need not wait for its turn.
        if (copy.transport == network.id() && copy.last == delivery::Attempt::kFailed) {
          copy.next_at = turn.now;
        }
      }
    }
    turn.runtime.housekeeping_at = turn.now;
  } else if (report.state == WHERRY_TRANSPORT_STATE_DEGRADED) {
    // Whoever greets and hangs up is not asked again at once, for ever.
    if (was_online && turn.now - network.online_at >= limits::kReconnectMax_ms) {
      network.reconnects = 0;
    }
    network.reconnect_at =
        turn.now + delivery::backoff_ms(limits::kReconnectFirst_ms, limits::kReconnectMax_ms,
                                        ++network.reconnects);
  } else {
    network.reconnect_at = Executor::kNever;
  }
  if (report.state == WHERRY_TRANSPORT_STATE_FAILED) {
    // What it lacks may come: an address, a port. It is ended, and started anew by on_stopped().
    turn.calls.push_back([&network] {
      if (network.running()) network.instance->stop();
    });
  }
  if (was_online != network.online() || !network.online()) pump_all(turn);
}

void on_inbox(Turn& turn, const InboxReport& report) {
  const auto found = turn.profile.inboxes.find(report.inbox);
  if (found == turn.profile.inboxes.end() || found->second.transport != report.transport) return;
  store::InboxRow& inbox = found->second;
  if (report.endpoint.empty()) {
    turn.log.warning("a network did not open an inbox; it is asked again");
    if (Network* network = turn.network(report.transport)) {
      network->refused.insert(report.inbox);
      network->reopen_at =
          turn.now + delivery::backoff_ms(limits::kReconnectFirst_ms, limits::kReconnectMax_ms,
                                          ++network->reopens);
    }
    return;
  }
  if (Network* network = turn.network(report.transport)) network->refused.erase(report.inbox);
  // No peer would read another: see PROTOCOL §6.
  if (report.endpoint.size() > limits::kEndpointTextMax || !codec::printable(report.endpoint)) {
    turn.log.error("a transport gave an endpoint that is too long, or not printable");
    return;
  }
  const bool news = inbox.endpoint != report.endpoint;
  if (news) {
    inbox.endpoint = report.endpoint;
    store::inbox_set_endpoint(turn.db, inbox.id, inbox.endpoint);
  }
  if (inbox.kind == store::InboxKind::kCard) {
    const auto card = turn.profile.cards.find(inbox.owner);
    if (card != turn.profile.cards.end()) publish(turn, card->second);
  } else if (Contact* contact = turn.profile.contact(inbox.owner); contact != nullptr && news) {
    turn.pump(*contact);
  }
}

void on_peer(Turn& turn, Network& network, const PeerReport& report) {
  const auto found = network.contact_by_peer.find(report.peer);
  if (found == network.contact_by_peer.end()) return;
  Contact* contact = turn.profile.contact(found->second);
  if (contact == nullptr) return;
  if (report.state == WHERRY_PEER_STATE_RESET) {
    repeat_all(turn, *contact);
    return;
  }
  for (PathEntry& path : contact->paths) {
    if (path.peer != report.peer) continue;
    if (report.reason == WHERRY_REASON_NEARBY) {
      path.connect_at = path.probe.next_at = turn.now;
      continue;
    }
    path.peer_state = report.state;
    path.needs_both = report.reason == WHERRY_REASON_BOTH_ENDS;
    if (report.state == WHERRY_PEER_STATE_REACHABLE) {
      repeat_failed(turn, *contact, path.transport, Repeating::kFirst, turn.now);
      path.probe.next_at = std::min(path.probe.next_at, turn.now);
    }
    if (report.state == WHERRY_PEER_STATE_UNREACHABLE) {
      const int64_t pause = delivery::backoff_ms(limits::kReconnectFirst_ms,
                                                 limits::kReconnectMax_ms, ++path.connects);
      // Nothing was tried yet.
      const bool at_once = path.needs_both && path.connects == 1;
      path.connect_at = turn.now + (at_once ? 0 : pause);
      turn.wake(*contact, path.connect_at);
    }
  }
  turn.pump(*contact);
}

void on_stopped(Turn& turn, Network& network) {
  if (network.instance == nullptr) return;
  const bool asked = network.stopping;
  const bool told = network.state == WHERRY_TRANSPORT_STATE_FAILED;
  network.destroy();
  if (asked) return;
  // It refused to start, ended by itself, or has failed.
  network.state = WHERRY_TRANSPORT_STATE_FAILED;
  if (!told) network.reason = WHERRY_REASON_RESOURCE;
  retry_start(turn, network);
  forget_peers(turn.profile, network.id());
  tell(turn, network);
}

int64_t keep_networks(Turn& turn) {
  int64_t next = Executor::kNever;
  for (auto& [id, network] : turn.runtime.networks) {
    if (network->instance == nullptr && turn.profile.transports.at(id).started) {
      if (network->start_at <= turn.now) {
        if (Status started = start_network(turn, *network); !started) {
          turn.log.warning("a transport could not be started: " + started.error().text);
        }
      }
      if (network->instance == nullptr) next = std::min(next, network->start_at);
    }
    if (network->reconnect_at <= turn.now && network->running()) {
      // Asked again after a while even if the plug-in says nothing of this try; what it says of it
      // counts.
      network->reconnect_at = turn.now + limits::kReconnectMax_ms;
      turn.calls.push_back([due = network.get()] {
        if (due->running()) due->instance->connect_peer(0);
      });
    }
    if (network->reopen_at <= turn.now) {
      network->reopen_at = Executor::kNever;
      reopen_inboxes(turn, *network);
    }
    next = std::min({next, network->reconnect_at, network->reopen_at});
  }
  return next;
}

void pump_all(Turn& turn) {
  for (auto& [id, contact] : turn.profile.contacts) {
    const bool idle =
        contact->outbox.empty() && contact->ack_at == Executor::kNever && contact->sessions.empty();
    if (!idle) turn.pump(*contact);
  }
}

}  // namespace wherry::engine
