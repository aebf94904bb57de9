// The checks of moves.
#include "tests/sim/moving_checks.h"

#include <algorithm>
#include <optional>
#include <set>

#include "identity/card.h"
#include "routing/route.h"
#include "routing/ways.h"
#include "tests/sim/plan.h"

namespace wherry::sim {
namespace {

using message::Endpoint;
using message::Endpoints;
using test::World;

// What one person has committed of another.
struct View {
  store::ContactRow row;
  routing::Ways ways;
  Endpoints theirs;
  Endpoints announced;
  std::string card_endpoint;
  routing::Route route;
  uint64_t incarnation = 0;  // of what `who` says
};

// None: the disk can not be read now.
std::optional<View> view_of(World& world, int who, int other) {
  View view;
  std::vector<store::ContactRow> rows =
      store::contacts(world.database(who), world.contact(who, other) - 1, 1);
  const std::vector<store::ConversationRow> conversations =
      store::conversations(world.database(who), world.conversation(who, other) - 1, 1);
  if (rows.empty() || conversations.empty()) return std::nullopt;
  view.row = std::move(rows.front());
  view.incarnation = conversations.front().incarnation;
  if (auto ways = routing::Ways::from_bytes(view.row.ways)) view.ways = ways.take();
  if (auto theirs = Endpoints::from_bytes(view.row.endpoints)) view.theirs = theirs.take();
  if (auto mine = Endpoints::from_bytes(view.row.announced)) view.announced = mine.take();
  if (auto card = identity::Card::parse(as_text(view.row.card))) {
    view.card_endpoint = card->endpoint;
  }
  if (auto route = routing::Route::parse(conversations.front().route)) {
    view.route = route.take();
  }
  return view;
}

std::vector<store::InboxRow> inboxes_for(World& world, int who, int other) {
  std::vector<store::InboxRow> list;
  for (store::InboxRow& inbox : store::inboxes(world.database(who))) {
    if (inbox.kind == store::InboxKind::kContact && inbox.owner == world.contact(who, other)) {
      list.push_back(std::move(inbox));
    }
  }
  return list;
}

bool lists(const Endpoints& set, const std::string& endpoint) {
  return std::ranges::find(set.list, endpoint, &Endpoint::text) != set.list.end();
}

std::set<std::string> networks_of(const Endpoints& set) {
  std::set<std::string> names;
  for (const Endpoint& endpoint : set.list) names.insert(endpoint.transport);
  return names;
}

std::string text_of(const Endpoints& set) {
  std::string text;
  for (const Endpoint& endpoint : set.list) text += " " + endpoint.transport;
  return text;
}

bool shows_address(const std::string& endpoint) {
  return !endpoint.starts_with(test::FakeNet::scheme(test::FakeKind::kHidden));
}

// Empty: `one` sends to `other` where that one wants it.
std::string not_moved(World& world, int one, int other) {
  const std::optional<View> mine = view_of(world, one, other);
  const std::optional<View> theirs = view_of(world, other, one);
  if (!mine || !theirs) return "can not be read";
  if (mine->theirs.list != theirs->announced.list) return "does not know the newest set";
  // Whoever may not go where the other wants it goes on by the old way.
  const bool can_follow =
      std::ranges::any_of(mine->theirs.list, [&](const message::Endpoint& endpoint) {
        return mine->route.place_of(endpoint.transport).has_value();
      });
  if (!can_follow) return "";
  if (!mine->ways.in_use || !lists(mine->theirs, mine->ways.in_use->text)) {
    return "does not send to the newest set:" + text_of(mine->theirs);
  }
  for (const store::InboxRow& inbox : inboxes_for(world, other, one)) {
    if (inbox.left()) return "left an inbox that is still open";
  }
  return "";
}

}  // namespace

void Departures::note(World& world, int who, const std::string& endpoint) {
  for (int other = 0; other < static_cast<int>(world.people()); ++other) {
    if (other == who || world.contact(who, other) == 0) continue;
    const std::optional<View> view = view_of(world, who, other);
    if (!view) continue;
    for (const store::SealedRow& copy : store::sealed_of(world.database(who), view->row.id)) {
      if (copy.endpoint != endpoint || copy.first_seq == 0) continue;
      Highest& highest = highest_[{who, other, endpoint}];
      if (highest.incarnation != view->incarnation) highest = {view->incarnation, 0};
      highest.seq = std::max(highest.seq, copy.last_seq);
    }
  }
}

void Departures::check_close(World& world, int who) const {
  for (int other = 0; other < static_cast<int>(world.people()); ++other) {
    if (other == who || !world.running(other) || world.contact(other, who) == 0) continue;
    const std::optional<View> view = view_of(world, other, who);
    if (!view || !view_of(world, who, other)) continue;
    const std::vector<store::InboxRow> inboxes = inboxes_for(world, who, other);
    const auto is_open = [&](const std::string& endpoint) {
      return endpoint == view->card_endpoint ||
             std::ranges::find(inboxes, endpoint, &store::InboxRow::endpoint) != inboxes.end();
    };
    if (view->ways.in_use && !is_open(view->ways.in_use->text)) {
      world.violation("stranded",
                      name_of(who) + " closed the inbox that " + name_of(other) + " sends to");
    }
    const auto streams = store::streams(world.database(who), world.conversation(who, other));
    const auto stream =
        std::ranges::find(streams, view->incarnation, &store::StreamRow::incarnation);
    const uint64_t next = stream == streams.end() ? 1 : stream->next;
    for (const auto& [to, highest] : highest_) {
      // What was said before a reset is said again, under other numbers.
      if (to.from != other || to.to != who || highest.incarnation != view->incarnation) continue;
      if (!is_open(to.endpoint) && highest.seq >= next) {
        world.violation("early", name_of(who) + " closed an inbox where something of " +
                                     name_of(other) + " had not come");
      }
    }
  }
}

void check_proven(World& world, int who, const std::string& endpoint) {
  for (int other = 0; other < static_cast<int>(world.people()); ++other) {
    if (other == who || world.contact(who, other) == 0) continue;
    const std::optional<View> found = view_of(world, who, other);
    if (!found) continue;
    const View& view = *found;
    const bool known =
        lists(view.theirs, endpoint) || (view.ways.in_use && view.ways.in_use->text == endpoint);
    if (!known) continue;
    const bool hidden_listed = std::ranges::any_of(
        view.theirs.list, [](const Endpoint& listed) { return !shows_address(listed.text); });
    if (!lists(view.theirs, endpoint) && shows_address(endpoint) && hidden_listed &&
        view.ways.closed && view.route.place_of("fake-hidden")) {
      world.violation("fallback", name_of(who) + " goes back to where " + name_of(other) +
                                      " has left, and shows the address");
    }
    if (endpoint.starts_with(test::FakeNet::scheme(test::FakeKind::kStored))) continue;
    const auto sealed = store::sealed_of(world.database(who), view.row.id);
    const bool messages = std::ranges::any_of(sealed, [&](const store::SealedRow& copy) {
      return copy.endpoint == endpoint && copy.first_seq != 0;
    });
    if (messages && !world.net_of(endpoint)->reached(endpoint)) {
      world.violation("unproven", name_of(who) + " sends messages to an endpoint of " +
                                      name_of(other) + "'s that never answered");
    }
  }
}

bool all_moved(World& world) {
  for (int one = 0; one < static_cast<int>(world.people()); ++one) {
    for (int other = 0; other < static_cast<int>(world.people()); ++other) {
      if (one != other && !not_moved(world, one, other).empty()) return false;
    }
  }
  return true;
}

void check_moved(World& world) {
  for (int one = 0; one < static_cast<int>(world.people()); ++one) {
    for (int other = 0; other < static_cast<int>(world.people()); ++other) {
      if (one == other) continue;
      if (const std::string why = not_moved(world, one, other); !why.empty()) {
        world.violation("moved", name_of(one) + " " + why + " (of " + name_of(other) + ")");
      }
      const std::optional<View> view = view_of(world, one, other);
      if (!view || view->route.automatic()) continue;
      const std::set<std::string> wanted(view->route.transports.begin(),
                                         view->route.transports.end());
      if (networks_of(view->announced) != wanted) {
        world.violation("announced", name_of(one) + " told " + name_of(other) + " of" +
                                         text_of(view->announced) + ", the route is " +
                                         view->route.to_text());
      }
    }
  }
}

}  // namespace wherry::sim
