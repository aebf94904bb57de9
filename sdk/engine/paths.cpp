// Paths and inboxes.
#include "engine/paths.h"

#include <algorithm>

#include "base/limits.h"
#include "base/mutant.h"
#include "engine/permits.h"
#include "engine/running.h"
#include "engine/sending.h"
#include "policy/reveals.h"

namespace wherry::engine {
namespace {

std::vector<message::Endpoint> wanted_endpoints(const Contact& contact) {
  if (contact.theirs) {
    std::vector<message::Endpoint> each_once;
    for (const message::Endpoint& endpoint : contact.theirs->list) {
      if (std::ranges::find(each_once, endpoint) == each_once.end()) each_once.push_back(endpoint);
    }
    return each_once;
  }
  if (contact.card) return {{contact.card->transport, contact.card->endpoint}};
  return {};
}

void drop_path(Turn& turn, Contact& contact, const PathEntry& path) {
  Network* network = turn.network(path.transport);
  if (path.peer == 0 || network == nullptr || !network->running()) return;
  // The plug-in drops what it holds for the peer without a word.
  const bool acknowledges = std::ranges::any_of(network->flights, [&](const auto& entry) {
    const Network::Flight& flight = entry.second;
    return flight.contact == contact.row.id && flight.copy == 0;
  });
  if (acknowledges) acknowledge_again(turn, contact);
  network->forget_peer(path.peer, contact.row.id);
  for (Copy& copy : contact.copies) copy.send_id = 0;
  turn.calls.push_back([network, peer = path.peer] {
    if (network->running()) network->instance->remove_peer(peer);
  });
}

bool wants_to_send(Turn& turn, const Contact& contact) {
  return contact.waiting_count != 0 || !contact.copies.empty() ||
         contact.ack_at != Executor::kNever ||
         (!contact.sessions.empty() && unannounced_endpoints(turn, contact).has_value());
}

// Plug-ins do not reconnect by themselves; each try is followed by a report.
void reconnect(Turn& turn, const Contact& contact, PathEntry& path) {
  Network* network = turn.network(path.transport);
  if (path.peer_state != WHERRY_PEER_STATE_UNREACHABLE || path.connect_at > turn.now ||
      network == nullptr || !network->online() || !path.permitted) {
    return;
  }
  if (!wants_to_send(turn, contact)) return;
  path.peer_state = WHERRY_PEER_STATE_UNKNOWN;
  turn.calls.push_back([network, peer = path.peer] {
    if (network->running()) network->instance->connect_peer(peer);
  });
}

routing::Path view_of(Turn& turn, const PathEntry& path) {
  routing::Path view;
  const Network* network = turn.network(path.transport);
  view.configured = path.transport != 0;
  view.started = network != nullptr && network->running();
  view.accepted = path.accepted || !view.started;
  view.reveals = path.reveals;
  view.peer_state = path.peer_state;
  if (network != nullptr) {
    view.transport_state = network->state;
    view.transport_reason = network->reason;
  }
  return view;
}

}  // namespace

void refresh_paths(Turn& turn, Contact& contact) {
  const std::vector<message::Endpoint> wanted = wanted_endpoints(contact);
  std::erase_if(contact.paths, [&](const PathEntry& path) {
    if (std::ranges::find(wanted, path.endpoint) != wanted.end()) return false;
    drop_path(turn, contact, path);
    return true;
  });
  std::vector<PathEntry> paths;
  for (const message::Endpoint& endpoint : wanted) {
    const auto known = std::ranges::find(contact.paths, endpoint, &PathEntry::endpoint);
    PathEntry path;
    if (known != contact.paths.end()) {
      path = *known;
    } else {
      path.endpoint = endpoint;
    }
    const store::TransportRow* row = turn.profile.transport_named(endpoint.transport);
    path.transport = row == nullptr ? 0 : row->id;
    Network* network = turn.network(path.transport);
    // What the plug-in still holds for a path that was permitted is dropped.
    if (path.permitted && !permitted(turn.profile, contact, path.reveals)) {
      drop_path(turn, contact, path);
      path.peer = 0;
    }
    if (path.peer == 0 && network != nullptr && network->running()) {
      path.peer = turn.runtime.next_peer++;
      const std::optional<wherry_reveals> reveals =
          network->instance->add_peer(path.peer, endpoint.text);
      path.accepted = reveals.has_value();
      if (reveals) {
        path.reveals = *reveals;
        network->contact_by_peer[path.peer] = contact.row.id;
      }
    }
    path.permitted = path.accepted && permitted(turn.profile, contact, path.reveals);
    reconnect(turn, contact, path);
    paths.push_back(std::move(path));
  }
  contact.paths = std::move(paths);
}

void forget_peers(Profile& profile, uint64_t transport) {
  for (auto& [id, contact] : profile.contacts) {
    for (PathEntry& path : contact->paths) {
      if (path.transport != transport) continue;
      path.peer = 0;
      path.accepted = false;
      path.peer_state = WHERRY_PEER_STATE_UNKNOWN;
    }
    for (Copy& copy : contact->copies) {
      if (copy.transport == transport) copy.send_id = 0;
    }
  }
}

ChosenPath choose_path(Turn& turn, Contact& contact) {
  std::vector<routing::Path> views;
  for (const PathEntry& path : contact.paths) views.push_back(view_of(turn, path));
  const bool only_acknowledges = contact.waiting_count == 0 && contact.copies.empty();
  const bool unpermitted = only_acknowledges && mutant(Mutant::kAcksUnpermitted);
  const routing::Choice choice = routing::choose(
      views, unpermitted ? policy::everything() : permits_of(turn.profile, contact).all());
  if (!choice.path) return {nullptr, nullptr, choice.reason};
  PathEntry& path = contact.paths[*choice.path];
  return {&path, turn.network(path.transport), WHERRY_REASON_NONE};
}

int32_t obstacle_of(Turn& turn, const Contact& contact, const PathEntry& path) {
  const routing::Path view = view_of(turn, path);
  return routing::choose({&view, 1}, permits_of(turn.profile, contact).all()).reason;
}

void ensure_inboxes(Turn& turn, Contact& contact) {
  for (const PathEntry& path : contact.paths) {
    Network* network = turn.network(path.transport);
    if (network == nullptr || !network->running()) continue;
    const bool allowed = may_listen(turn.profile, contact, network->listening);
    const store::InboxRow* inbox =
        turn.profile.inbox_of(store::InboxKind::kContact, contact.row.id, path.transport);
    if (inbox != nullptr) {
      const bool open = network->inboxes.contains(inbox->id);
      if (allowed && !open) turn.open_inbox(*network, *inbox);
      if (!allowed && open) restart_network(turn, *network);
    }
    if (allowed) note_revealed(turn, contact, network->listening);
    if (inbox != nullptr || !allowed) continue;
    store::InboxRow row;
    row.transport = path.transport;
    row.kind = store::InboxKind::kContact;
    row.owner = contact.row.id;
    turn.env.random->fill(row.secret.data(), 32);
    row.id = store::inbox_insert(turn.db, row);
    if (turn.db.failed()) return;
    turn.open_inbox(*network, row);
    turn.profile.add_inbox(std::move(row));
  }
}

std::vector<message::Endpoint> own_endpoints(Turn& turn, const Contact& contact) {
  std::vector<message::Endpoint> list;
  for (const auto& [id, transport] : turn.profile.transports) {
    const Network* network = turn.network(id);
    const store::InboxRow* inbox =
        turn.profile.inbox_of(store::InboxKind::kContact, contact.row.id, id);
    if (network != nullptr && inbox != nullptr && !inbox->endpoint.empty() &&
        list.size() < limits::kEndpointsMax && may_listen(turn.profile, *network, *inbox)) {
      list.push_back({transport.name, inbox->endpoint});
    }
  }
  return list;
}

std::optional<message::Endpoints> unannounced_endpoints(Turn& turn, const Contact& contact) {
  message::Endpoints mine;
  mine.list = own_endpoints(turn, contact);
  if (mine.list.empty()) return std::nullopt;
  mine.permits = announced_permits(turn.profile, contact);
  const auto& told = contact.announced;
  const bool known = told && (told->permits == mine.permits || mutant(Mutant::kPermitsNotTold));
  if (known && told->list == mine.list) return std::nullopt;
  mine.generation = told ? told->generation + 1 : 1;
  return mine;
}

}  // namespace wherry::engine
