// Paths and inboxes.
#include "engine/paths.h"

#include <algorithm>
#include <functional>
#include <ranges>
#include <utility>

#include "base/limits.h"
#include "base/mutant.h"
#include "engine/moving.h"
#include "engine/permits.h"
#include "engine/running.h"
#include "engine/sealing.h"
#include "engine/sending.h"
#include "policy/reveals.h"

namespace wherry::engine {
namespace {

// Those of their newest set, each once, and the one in use before it came.
std::vector<message::Endpoint> wanted_endpoints(const Contact& contact) {
  if (const message::Endpoints* theirs = contact.endpoints()) {
    std::vector<message::Endpoint> each_once;
    for (const message::Endpoint& endpoint : theirs->list) {
      if (std::ranges::find(each_once, endpoint) == each_once.end()) each_once.push_back(endpoint);
    }
    const auto& in_use = contact.ways.in_use;
    if (in_use && std::ranges::find(each_once, *in_use) == each_once.end()) {
      each_once.push_back(*in_use);
    }
    return each_once;
  }
  if (contact.card) return {{contact.card->transport, contact.card->endpoint}};
  return {};
}

bool is_listed(const Contact& contact, const message::Endpoint& endpoint) {
  const message::Endpoints* theirs = contact.endpoints();
  return theirs == nullptr || std::ranges::find(theirs->list, endpoint) != theirs->list.end();
}

void drop_path(Turn& turn, Contact& contact, const PathEntry& path) {
  Network* network = turn.network(path.transport);
  if (path.peer == 0 || network == nullptr || !network->running()) return;
  // The plug-in drops what it holds for the peer without a word.
  const bool acknowledges = std::ranges::any_of(network->flights, [&](const auto& entry) {
    const Network::Flight& flight = entry.second;
    return flight.peer == path.peer && flight.copy == kNoCopy;
  });
  if (acknowledges) acknowledge_again(turn, contact);
  network->forget_peer(path.peer, contact.row.id);
  for (Copy& copy : contact.outbox.copies) {
    if (is_for(copy, path)) copy.send_id = 0;
  }
  turn.calls.push_back([network, peer = path.peer] {
    if (network->running()) network->instance->remove_peer(peer);
  });
}

bool wants_to_send(Turn& turn, const Contact& contact) {
  return !contact.outbox.empty() || contact.ack_at != Executor::kNever ||
         (!contact.sessions.empty() && unannounced_endpoints(turn, contact).has_value()) ||
         std::ranges::any_of(contact.paths,
                             [&](const PathEntry& path) { return is_unproven(contact, path); });
}

// In the route, or on the way out of it.
bool has_a_use(const Contact& contact, const PathEntry& path) {
  return contact.route.place_of(path.endpoint.transport).has_value() ||
         contact.ways.in_use == path.endpoint || path.admission == Admission::kLastWord;
}

// Plug-ins do not reconnect by themselves; each try is followed by a report.
void reconnect(Turn& turn, Contact& contact, PathEntry& path) {
  Network* network = turn.network(path.transport);
  if (path.peer_state != WHERRY_PEER_STATE_UNREACHABLE || path.connect_at > turn.now ||
      network == nullptr || !network->online() || path.admission == Admission::kForbidden) {
    return;
  }
  const bool both = path.needs_both && path.permitted();
  if (!path.has_a_use || !(both || wants_to_send(turn, contact))) return;
  // They say where; whoever is there need not be them. So that counts as asking.
  if (is_unproven(contact, path) && !spend_probe(turn, contact, path)) return;
  path.peer_state = WHERRY_PEER_STATE_UNKNOWN;
  turn.calls.push_back([network, peer = path.peer] {
    if (network->running()) network->instance->connect_peer(peer);
  });
}

routing::Path view_of(Turn& turn, const Contact& contact, const PathEntry& path) {
  routing::Path view;
  view.listed = path.listed;
  view.proven = contact.endpoints() == nullptr || contact.ways.knows(path.endpoint);
  view.closed = is_closed(contact, path) && !mutant(Mutant::kFallsBack);
  view.quiet = view.closed && contact.quiet_until > turn.now;
  view.place = contact.route.place_of(path.endpoint.transport);
  view.in_use = contact.ways.in_use == path.endpoint;
  view.works_for_ms = path.works_since == 0 ? 0 : turn.now - path.works_since;
  const Network* network = turn.network(path.transport);
  view.configured = path.transport != 0;
  view.started = network != nullptr && network->running();
  view.accepted = path.accepted || !view.started;
  view.reveals = reveals_of(network, path);
  view.peer_state = path.peer_state;
  if (network != nullptr) {
    view.transport_state = network->state;
    view.transport_reason = network->reason;
    if (network->instance != nullptr) view.latency = network->instance->description().latency;
  }
  return view;
}

// Leaves the path in use if one of the two does not want it any more, and there is another that
// hides this device's address. From then on it is quiet for a while.
void break_before_make(Turn& turn, Contact& contact) {
  const auto old = std::ranges::find_if(contact.paths, [&](const PathEntry& path) {
    return contact.ways.in_use == path.endpoint &&
           !(path.listed && contact.route.place_of(path.endpoint.transport));
  });
  if (old == contact.paths.end()) return;
  // Its own are known while its network runs; what went there is among the conversation's.
  const wherry_reveals& shown = old->accepted ? old->reveals : contact.conversation.revealed;
  const bool hides = std::ranges::any_of(contact.paths, [&](const PathEntry& path) {
    return path.listed && path.accepted && path.permitted() &&
           contact.route.place_of(path.endpoint.transport) &&
           routing::hides_address(shown, path.reveals);
  });
  if (hides && !contact.ways.closed) {
    contact.ways.closed = true;
    contact.row.ways = contact.ways.to_bytes();
    turn.changed(contact);
    drop_path(turn, contact, *old);
    old->peer = 0;
    old->accepted = false;
    old->peer_state = WHERRY_PEER_STATE_UNKNOWN;
    old->admission = Admission::kForbidden;
  }
  if (!contact.ways.closed || contact.quiet_until != 0) return;
  constexpr auto span = static_cast<uint64_t>(limits::kQuietMax_ms - limits::kQuietMin_ms + 1);
  contact.quiet_until =
      turn.now + limits::kQuietMin_ms + static_cast<int64_t>(turn.env.random->number() % span);
}

// On auto, if all that it listens on is forbidden: whatever is not, from now on.
void choose_other_networks(Turn& turn, Contact& contact) {
  if (!contact.route.automatic() || contact.conversation.stands_by ||
      turn.profile.transports.size() < 2) {
    return;
  }
  bool permitted_there = false;
  bool permitted_elsewhere = false;
  for (const auto& [id, transport] : turn.profile.transports) {
    const Network* network = turn.network(id);
    if (network == nullptr || !may_listen(turn.profile, contact, network->listening)) continue;
    (listens_on(turn, contact, transport) ? permitted_there : permitted_elsewhere) = true;
  }
  if (permitted_there || !permitted_elsewhere) return;
  contact.conversation.stands_by = true;
  turn.changed_conversation(contact);
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
    // What the plug-in still holds is dropped when less may go there, and when nothing does: whom
    // it was asked for it goes on dialling or meeting as it sees fit.
    const bool less = admission_of(turn.profile, contact, path.reveals) < path.admission;
    const bool had_a_use = std::exchange(path.has_a_use, has_a_use(contact, path));
    if (less || (had_a_use && !path.has_a_use)) {
      drop_path(turn, contact, path);
      path.peer = 0;
      path.peer_state = WHERRY_PEER_STATE_UNKNOWN;
    }
    // Where nothing may be sent nothing is dialled either.
    const bool closed = is_closed(contact, path) && !mutant(Mutant::kFallsBack);
    if (path.peer == 0 && !closed && network != nullptr && network->running()) {
      path.peer = turn.runtime.next_peer++;
      const std::optional<wherry_reveals> reveals =
          network->instance->add_peer(path.peer, endpoint.text);
      path.accepted = reveals.has_value();
      if (reveals) {
        path.reveals = *reveals;
        network->contact_by_peer[path.peer] = contact.row.id;
      }
    }
    path.admission =
        path.accepted ? admission_of(turn.profile, contact, path.reveals) : Admission::kForbidden;
    path.listed = is_listed(contact, endpoint);
    const bool works =
        path.permitted() && network != nullptr && network->online() && !path.is_away();
    path.has_a_use = has_a_use(contact, path);
    path.works_since = !works ? 0 : path.works_since != 0 ? path.works_since : turn.now;
    reconnect(turn, contact, path);
    paths.push_back(std::move(path));
  }
  contact.paths = std::move(paths);
  break_before_make(turn, contact);
}

void forget_peers(Profile& profile, uint64_t transport) {
  for (auto& [id, contact] : profile.contacts) {
    for (PathEntry& path : contact->paths) {
      if (path.transport != transport) continue;
      path.peer = 0;
      path.accepted = false;
      path.peer_state = WHERRY_PEER_STATE_UNKNOWN;
    }
    for (Copy& copy : contact->outbox.copies) {
      if (copy.transport == transport) copy.send_id = 0;
    }
  }
}

ChosenPath choose_path(Turn& turn, Contact& contact) {
  if (is_quiet(turn, contact)) return {nullptr, nullptr, WHERRY_REASON_QUIET};
  std::vector<routing::Path> views;
  for (const PathEntry& path : contact.paths) views.push_back(view_of(turn, contact, path));
  const bool only_acknowledges = contact.outbox.empty();
  const bool unpermitted = only_acknowledges && mutant(Mutant::kAcksUnpermitted);
  const routing::Choice choice = routing::choose(
      views, unpermitted ? policy::everything() : permits_of(turn.profile, contact).all(),
      contact.route.automatic());
  if (!choice.path) return {nullptr, nullptr, choice.reason};
  PathEntry& path = contact.paths[*choice.path];
  return {&path, turn.network(path.transport), WHERRY_REASON_NONE};
}

int32_t obstacle_of(Turn& turn, const Contact& contact, const PathEntry& path) {
  const routing::Path view = view_of(turn, contact, path);
  return routing::choose({&view, 1}, permits_of(turn.profile, contact).all(), true).reason;
}

bool is_quiet(Turn& turn, Contact& contact) {
  const bool quiet =
      contact.ways.closed && contact.quiet_until > turn.now && !mutant(Mutant::kFallsBack);
  if (quiet) turn.wake(contact, contact.quiet_until);
  return quiet;
}

bool is_closed(const Contact& contact, const PathEntry& path) {
  return contact.ways.closed && contact.ways.in_use == path.endpoint;
}

wherry_reveals reveals_of(const Network* network, const PathEntry& path) {
  return path.accepted || network == nullptr ? path.reveals : network->listening;
}

bool is_unproven(const Contact& contact, const PathEntry& path) {
  return contact.endpoints() != nullptr && path.listed && path.accepted && path.permitted() &&
         contact.route.place_of(path.endpoint.transport) && !contact.ways.knows(path.endpoint);
}

bool listens_on(Turn& turn, const Contact& contact, const store::TransportRow& transport) {
  if (!contact.route.automatic()) return contact.route.place_of(transport.name).has_value();
  const message::Endpoints* theirs = contact.endpoints();
  const auto they_are_there = [&] {
    return std::ranges::find(theirs->list, transport.name, &message::Endpoint::transport) !=
           theirs->list.end();
  };
  const bool stands_by = contact.conversation.stands_by;
  if (theirs != nullptr && theirs->chosen && !stands_by) return they_are_there();
  const auto is_told = [&](uint64_t id) {
    const store::InboxRow* inbox =
        turn.profile.inbox_of(store::InboxKind::kContact, contact.row.id, id);
    return inbox != nullptr && inbox->dropped == 0;
  };
  const auto is_allowed = [&](uint64_t id) {
    const Network* network = turn.network(id);
    return network != nullptr && may_listen(turn.profile, contact, network->listening);
  };
  const auto ids = std::views::keys(turn.profile.transports);
  if (std::ranges::any_of(ids, is_told)) {
    const bool there_is_none = stands_by && std::ranges::none_of(ids, [&](uint64_t id) {
                                 return is_told(id) && is_allowed(id);
                               });
    return there_is_none ? is_allowed(transport.id) : is_told(transport.id);
  }
  if (theirs != nullptr) return they_are_there();
  return contact.card && contact.card->transport == transport.name;
}

void close_inbox(Turn& turn, const store::InboxRow& inbox) {
  const uint64_t id = inbox.id;
  Network* network = turn.network(inbox.transport);
  store::inbox_delete(turn.db, id);
  turn.profile.remove_inbox(id);
  if (network == nullptr) return;
  turn.calls.push_back([network, id] {
    network->refused.erase(id);
    if (network->inboxes.erase(id) != 0 && network->running()) network->instance->close_inbox(id);
  });
}

void ensure_inboxes(Turn& turn, Contact& contact) {
  choose_other_networks(turn, contact);
  for (const auto& [id, transport] : turn.profile.transports) {
    Network* network = turn.network(id);
    if (network == nullptr || !network->running()) continue;
    const store::InboxRow* inbox =
        turn.profile.inbox_of(store::InboxKind::kContact, contact.row.id, id);
    const bool wanted = listens_on(turn, contact, transport);
    if (inbox != nullptr && !wanted && !inbox->told()) {
      close_inbox(turn, *inbox);  // they never heard of it
      continue;
    }
    if (inbox != nullptr) {
      const bool allowed = may_be_open(turn.profile, *network, *inbox);
      const bool open = network->inboxes.contains(inbox->id);
      if (allowed) note_revealed(turn, contact, network->listening);
      if (allowed && !open) turn.open_inbox(*network, *inbox);
      if (!allowed && open) restart_network(turn, *network);
      continue;
    }
    if (!wanted || !may_listen(turn.profile, contact, network->listening)) continue;
    note_revealed(turn, contact, network->listening);
    store::InboxRow row;
    row.transport = id;
    row.kind = store::InboxKind::kContact;
    row.owner = contact.row.id;
    row.dropped = store::InboxRow::kNeverTold;
    turn.env.random->fill(row.secret.data(), 32);
    row.id = store::inbox_insert(turn.db, row);
    if (turn.db.failed()) return;
    turn.open_inbox(*network, row);
    turn.profile.add_inbox(std::move(row));
  }
}

std::vector<message::Endpoint> own_endpoints(Turn& turn, const Contact& contact) {
  struct Own {
    message::Endpoint endpoint;
    std::pair<size_t, uint64_t> place;  // in the route, and of transports
    bool wanted;
  };
  std::vector<Own> own;
  for (const auto& [id, transport] : turn.profile.transports) {
    const Network* network = turn.network(id);
    const store::InboxRow* inbox =
        turn.profile.inbox_of(store::InboxKind::kContact, contact.row.id, id);
    if (network == nullptr || inbox == nullptr || inbox->endpoint.empty() ||
        !may_listen(turn.profile, contact, network->listening)) {
      continue;
    }
    const bool wanted = listens_on(turn, contact, transport) || mutant(Mutant::kAllAnnounced);
    if (!wanted && inbox->dropped != 0) continue;
    own.push_back({{transport.name, inbox->endpoint},
                   {contact.route.place_of(transport.name).value_or(0), id},
                   wanted});
  }
  // Those of the route, in its order; until one of them is open, those that were told before.
  if (std::ranges::any_of(own, &Own::wanted)) std::erase_if(own, std::not_fn(&Own::wanted));
  std::ranges::sort(own, {}, &Own::place);
  std::vector<message::Endpoint> list;
  for (Own& each : own) {
    if (list.size() < limits::kEndpointsMax) list.push_back(std::move(each.endpoint));
  }
  return list;
}

std::optional<message::Endpoints> unannounced_endpoints(Turn& turn, const Contact& contact) {
  message::Endpoints mine;
  mine.list = own_endpoints(turn, contact);
  if (mine.list.empty()) return std::nullopt;
  mine.permits = announced_permits(turn.profile, contact);
  mine.chosen = !contact.route.automatic() || contact.conversation.stands_by;
  const auto& told = contact.announced;
  const bool known = told && (told->permits == mine.permits || mutant(Mutant::kPermitsNotTold));
  if (known && told->list == mine.list && told->chosen == mine.chosen) return std::nullopt;
  mine.generation = told ? told->generation + 1 : 1;
  return mine;
}

}  // namespace wherry::engine
