// The worker of a node: it begins a life, and sleeps until something comes, is due, or is asked
// for.
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <set>
#include <utility>

#include "life.h"
#include "limits.h"
#include "meeting.h"
#include "node.h"
#include "transports/common/crypto.h"
#include "transports/common/guarded.h"
#include "transports/common/worker_thread.h"

namespace wherry::transports::p2p {
namespace {

constexpr const char* kKeyName = "listener-key";
constexpr const char* kPortName = "port";
constexpr auto kIdle = std::chrono::hours(1);

// False: a signal came first, and the items say nothing.
bool poll(std::vector<zmq::pollitem_t>& items, Clock::time_point until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
  try {
    zmq::poll(items, std::max(left, std::chrono::milliseconds(0)));
    return true;
  } catch (const zmq::error_t& error) {
    if (error.num() != EINTR) throw;
    return false;
  }
}

}  // namespace

void Node::run() {
  block_signals();
  std::optional<Life> life;  // outlives what ends it: give_up tells of what it holds
  try {
    std::uint64_t receipts = 0;
    for (std::vector<std::uint64_t> peers;;) {
      api_.on_state(host_, WHERRY_TRANSPORT_STATE_STARTING, 0, WHERRY_REASON_NONE,
                    "opening a port");
      life.emplace(wake_, receipts);
      if (!begin(*life)) break;
      api_.on_state(host_, WHERRY_TRANSPORT_STATE_ONLINE, 0, WHERRY_REASON_NONE, nullptr);
      announce(*life);
      remember(*life, peers);
      if (!work(*life)) break;
      peers = let_go(*life);
      if (life->door) receipts = life->door->receipts();
    }
  } catch (const std::exception& error) {
    log(WHERRY_LOG_ERROR, std::string("p2p: ") + error.what());
    api_.on_state(host_, WHERRY_TRANSPORT_STATE_FAILED, 0, WHERRY_REASON_RESOURCE, nullptr);
  }
  guarded([&] { give_up(life); });
  life.reset();
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) {
        started_ = false;
        break;
      }
    }
    pollfd one{wake_, POLLIN, 0};
    ::poll(&one, 1, -1);
    eventfd_t count = 0;
    ::eventfd_read(wake_, &count);
  }
  api_.on_state(host_, WHERRY_TRANSPORT_STATE_OFF, 0, WHERRY_REASON_NONE, nullptr);
  api_.on_stopped(host_);  // the last call
}

// The worker ended before it was told to: what was accepted has failed, and no more is.
void Node::give_up(std::optional<Life>& life) {
  std::deque<Outgoing> sends;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    failed_ = true;
    sends.swap(sends_);
    tasks_.clear();
  }
  if (life) {
    for (auto& [peer, link] : life->links) link.lose(WHERRY_REASON_RESOURCE);
    report(*life);
    std::ranges::move(life->sends, std::back_inserter(sends));
  }
  std::vector<wherry_sent> failed;
  for (const Outgoing& one : sends) {
    failed.push_back({one.send_id, WHERRY_OUTCOME_FAILED_RETRY, WHERRY_REASON_RESOURCE});
  }
  if (!failed.empty()) api_.on_sent(host_, failed.data(), failed.size());
}

Key Node::listener_key() {
  Key key{};
  if (api_.state_get(host_, kKeyName, key.data(), key.size()) ==
      static_cast<std::int64_t>(key.size())) {
    return key;
  }
  random_bytes(key);
  api_.state_set(host_, kKeyName, {key.data(), key.size()});
  return key;
}

// False: it can not listen.
bool Node::begin(Life& life) {
  life.key = listener_key();
  {
    const std::lock_guard lock(mutex_);
    if (settings_.listen || settings_.meeting) {
      life.door.emplace(
          life.context, life.intake, life.key, settings_.meeting ? settings_.meeting->port : 0,
          life.receipts, [this](std::uint64_t inbox, const std::vector<Arrival>& arrivals) {
            std::vector<wherry_incoming> offered;
            for (const Arrival& one : arrivals) {
              offered.push_back({one.receipt, {one.envelope.data(), one.envelope.size()}});
            }
            return api_.on_receive(host_, inbox, offered.data(), offered.size());
          });
      for (const auto& [id, inbox] : inboxes_) life.door->allow(id, inbox.pass);
    }
  }
  if (!settings_.listen) return true;
  Address address = *settings_.listen;
  // The same port as last time, so that contacts find this person where they were told.
  std::array<std::uint8_t, 2> last{};
  const bool chosen = address.port != 0;
  if (!chosen && api_.state_get(host_, kPortName, last.data(), last.size()) == 2) {
    address.port = static_cast<std::uint16_t>(last[0] << 8 | last[1]);
  }
  std::string reason;
  life.port = life.door->bind(address, reason);
  if (life.port == 0 && !chosen && address.port != 0) {
    address.port = 0;
    life.port = life.door->bind(address, reason);
  }
  if (life.port == 0) {
    const std::string what = to_text(address) + ": " + reason;
    log(WHERRY_LOG_WARNING, "p2p: can not listen at " + what);
    api_.on_state(host_, WHERRY_TRANSPORT_STATE_FAILED, 0, WHERRY_REASON_CANNOT_LISTEN,
                  what.c_str());
    return false;
  }
  last = {static_cast<std::uint8_t>(life.port >> 8), static_cast<std::uint8_t>(life.port)};
  api_.state_set(host_, kPortName, {last.data(), last.size()});
  if (settings_.lan) begin_lan(life);
  return true;
}

void Node::begin_lan(Life& life) {
  const Clock::time_point now = Clock::now();
  life.lan.emplace(Address{settings_.listen->ip, life.port}, life.key, now);
  const std::lock_guard lock(mutex_);
  for (const auto& [id, inbox] : inboxes_) {
    if (inbox.of_contact) life.lan->announce(id, inbox.pass, now);
  }
  for (const auto& [peer, endpoint] : peers_) life.lan->expect(peer, endpoint.pass, now);
}

// Who was found can be reached; whether they are to be is the host's affair.
void Node::hear(Life& life, int descriptor, Clock::time_point now) {
  for (const std::uint64_t peer : life.lan->on_ready(descriptor, now)) {
    const auto link = life.links.find(peer);
    if (link != life.links.end()) {
      const std::vector<Address> places = life.lan->places_of(peer, now);
      link->second.heard_at(places.front());
      link->second.also_try(life.context, now, places);
      if (link->second.asked() || link->second.state() != Link::State::kDown) continue;
    }
    {
      const std::lock_guard lock(mutex_);
      if (!peers_.contains(peer)) continue;
    }
    api_.on_peer(host_, peer, WHERRY_PEER_STATE_UNREACHABLE, WHERRY_REASON_NEARBY);
  }
}

void Node::keep_lan(Life& life, Clock::time_point now) {
  const bool was_mute = life.lan->is_mute();
  life.lan->on_time(now);
  if (life.lan->is_mute() && !was_mute) {
    log(WHERRY_LOG_WARNING,
        "p2p: nobody is found on the local network: there is none, or neither multicast nor "
        "broadcast leaves this machine");
  }
}

// Says where inboxes are, if that is news.
void Node::announce(Life& life) {
  if (life.advertised.empty() && settings_.listen) {
    life.advertised = settings_.advertise;
    if (life.advertised.empty()) {
      const bool any = settings_.listen->is_any();
      life.advertised = any ? own_addresses() : std::vector<Address>{*settings_.listen};
      // Where nobody else would dial is nobody's business.
      std::erase_if(life.advertised,
                    [&](const Address& address) { return any && !settings_.is_known(address); });
      for (Address& address : life.advertised) address.port = life.port;
    }
    if (life.advertised.size() > kAddressesMax) life.advertised.resize(kAddressesMax);
  }
  std::map<std::uint64_t, Inbox> inboxes;
  {
    const std::lock_guard lock(mutex_);
    inboxes = inboxes_;
  }
  const Key listener = public_key(life.key);
  for (const auto& [inbox, what] : inboxes) {
    const bool somewhere = !life.advertised.empty() || settings_.meeting || life.lan;
    const std::string text =
        somewhere ? to_text(Endpoint{listener, what.pass, life.advertised, settings_.meeting}) : "";
    const auto known = life.announced.find(inbox);
    if (known != life.announced.end() && known->second == text) continue;
    life.announced[inbox] = text;
    api_.on_inbox(host_, inbox, text.empty() ? nullptr : text.c_str(),
                  text.empty() ? WHERRY_REASON_SETTING : WHERRY_REASON_NONE);
  }
}

// False: it is over; else another life begins.
bool Node::work(Life& life) {
  for (;;) {
    take_tasks(life);
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return false;
      if (std::exchange(begins_anew_, false)) return true;
    }
    dial(life);
    if (life.door) life.door->flush();
    report(life);
    wait(life);
  }
}

// What is under way may be on its way to where this machine was. Out: whom the host asked for.
std::vector<std::uint64_t> Node::let_go(Life& life) {
  std::vector<std::uint64_t> peers;
  for (auto& [peer, link] : life.links) {
    link.lose(WHERRY_REASON_TRANSPORT_OFFLINE);
    peers.push_back(peer);
  }
  report(life);
  return peers;
}

// Whom the host asked for in the life before, and was told to be lost.
void Node::remember(Life& life, const std::vector<std::uint64_t>& peers) {
  const std::lock_guard lock(mutex_);
  for (const std::uint64_t peer : peers) {
    const auto known = peers_.find(peer);
    if (known == peers_.end()) continue;
    life.links.try_emplace(peer, settings_, life.intake, life.wake, known->second);
    life.told.emplace(peer, Link::State::kDown);
  }
}

void Node::take_tasks(Life& life) {
  std::vector<Task> tasks;
  std::map<std::uint64_t, Endpoint> unknown;
  {
    const std::lock_guard lock(mutex_);
    eventfd_t count = 0;
    ::eventfd_read(wake_, &count);
    tasks.swap(tasks_);
    life.sends.swap(sends_);
    // These are for peers that are there now: a task may take away an older link to one of them.
    for (const Outgoing& one : life.sends) {
      if (!tasks.empty() || !life.links.contains(one.peer)) {
        unknown.try_emplace(one.peer, peers_.at(one.peer));
      }
    }
  }
  for (const Task& task : tasks) task(life);
  const Clock::time_point now = Clock::now();
  for (auto& [peer, endpoint] : unknown)
    life.links.try_emplace(peer, settings_, life.intake, life.wake, endpoint);
  std::vector<std::uint64_t> touched;
  for (; !life.sends.empty(); life.sends.pop_front()) {
    Outgoing& one = life.sends.front();
    if (touched.empty() || touched.back() != one.peer) touched.push_back(one.peer);
    life.links.at(one.peer).queue(one.send_id, std::move(one.envelope), now);
  }
  for (const std::uint64_t peer : touched) {
    Link& link = life.links.at(peer);
    if (link.state() == Link::State::kUp) {
      link.write();
    } else {
      ask(life, peer);
    }
  }
}

void Node::ask(Life& life, std::uint64_t peer) {
  Link& link = life.links.at(peer);
  if (link.ask()) (link.failed() ? life.to_dial_again : life.to_dial).push_back(peer);
}

void Node::dial(Life& life) {
  std::size_t dialling = life.dialling();
  const Clock::time_point now = Clock::now();
  const auto dial = [&](std::deque<std::uint64_t>& peers, std::size_t most) {
    while (dialling < most && !peers.empty()) {
      const std::uint64_t peer = peers.front();
      const auto link = life.links.find(peer);
      peers.pop_front();
      if (link == life.links.end() || !link->second.asked()) continue;
      const auto nearby = life.lan ? life.lan->places_of(peer, now) : std::vector<Address>();
      // Where they were heard they may be no more.
      if (life.lan && (nearby.empty() || link->second.failed())) life.lan->ask(now);
      link->second.dial(life.context, now, nearby);
      if (link->second.is_open()) ++dialling;
    }
  };
  dial(life.to_dial, kDiallingMax);
  dial(life.to_dial_again, kDiallingAgainMax);
}

// All who wait for a moment would begin at once: those who waited longest do, as many as may be
// dialled and one at each place, and the others wait for the next one. Whoever has come to a place
// before gives way: a contact may name the place of another, and each is to have a turn.
void Node::begin_meetings(Life& life, Clock::time_point now) {
  std::vector<Link*> due;
  for (auto& [peer, link] : life.links) {
    if (link.is_to_meet(now)) due.push_back(&link);
  }
  if (due.empty()) return;
  std::ranges::sort(due, {}, &Link::dial_until);
  std::size_t dialling = life.dialling();
  std::set<Address> begun;
  for (Link* link : due) {
    const Address& place = *link->meeting();
    const auto held = std::ranges::find_if(
        life.links, [&](const auto& entry) { return entry.second.holds(place); });
    const bool begins = held != life.links.end() && held->second.state() == Link::State::kDialling;
    if (begins || begun.contains(place) || dialling++ >= kDiallingMax) {
      link->wait_for_another_moment(now);
      continue;
    }
    if (held != life.links.end()) held->second.lose(WHERRY_REASON_UNREACHABLE);
    begun.insert(place);
  }
}

// The listener's part, for everybody whom the host has asked for, also in the middle of a moment.
void Node::meet(Life& life, Clock::time_point now) {
  if (until_meeting() > Clock::duration(0)) return;
  Meetings& meetings = life.door->meetings();
  // Where they are too many for one moment, the next one goes on with those who had no place.
  auto next = life.links.upper_bound(life.met_last);
  for (std::size_t i = 0; i < life.links.size() && meetings.has_room(); ++i) {
    if (next == life.links.end()) next = life.links.begin();
    const auto& [peer, link] = *next++;
    if (!link.meeting() || meetings.knows(next_port(*link.meeting())) ||
        !settings_.may_meet(link.meeting())) {
      continue;
    }
    meetings.begin(settings_.meeting->port, next_port(*link.meeting()), now);
    life.met_last = peer;
  }
}

void Node::wait(Life& life) {
  std::vector<zmq::pollitem_t> items;
  // Where the answer stands.
  const auto ask = [&](void* socket, int descriptor, int events) {
    items.push_back({socket, descriptor, static_cast<short>(events), 0});
    return items.size() - 1;
  };
  auto until = Clock::now() + kIdle;
  const auto by = [&](const std::optional<Clock::time_point>& at) {
    if (at) until = std::min(until, *at);
  };
  ask(nullptr, life.wake, ZMQ_POLLIN);
  const std::optional<Clock::time_point> look = life.intake.next_look();
  by(look);
  const std::size_t intake = ask(nullptr, life.intake.descriptor(), look ? 0 : ZMQ_POLLIN);
  const std::size_t door = items.size();
  if (life.door) {
    ask(life.door->zap(), 0, ZMQ_POLLIN);
    ask(life.door->callers().monitor(), 0, ZMQ_POLLIN);
    ask(life.door->socket(), 0, life.busy ? 0 : ZMQ_POLLIN);
    if (!life.busy) by(life.door->callers().deadline());
    by(life.door->meetings().deadline());
    if (settings_.meeting && !life.links.empty()) by(Clock::now() + until_next_meeting());
  }
  const std::size_t heard = items.size();
  const Clock::time_point before = Clock::now();
  std::vector<int> lan;
  if (life.lan) {
    lan = life.lan->descriptors(before);
    for (const int descriptor : lan) ask(nullptr, descriptor, ZMQ_POLLIN);
    by(life.lan->deadline(before));
  }
  std::vector<Link*> links;
  const std::size_t first = items.size();
  for (auto& [peer, link] : life.links) {
    by(link.deadline());
    if (!link.has_socket()) continue;
    links.push_back(&link);
    ask(link.socket(), 0, ZMQ_POLLIN | (link.wants_to_write() ? ZMQ_POLLOUT : 0));
    ask(link.monitor(), 0, ZMQ_POLLIN);
  }
  if (!poll(items, until)) return;
  const Clock::time_point now = Clock::now();
  const auto readable = [&](std::size_t item) { return (items[item].revents & ZMQ_POLLIN) != 0; };
  // Before anything is read of what came.
  if (look ? *look <= now : readable(intake)) life.intake.look(now);
  if (life.door) {
    if (readable(door)) life.door->answer_zap(now);
    if (readable(door + 1)) life.door->callers().on_monitor(now);
    if (readable(door + 2)) life.busy = !life.door->receive();
    if (!life.busy) life.door->callers().on_time(now);
    life.door->meetings().on_time(now);
    if (settings_.meeting) meet(life, now);
  }
  for (std::size_t i = 0; i < lan.size(); ++i) {
    if (readable(heard + i)) hear(life, lan[i], now);
  }
  if (life.lan) keep_lan(life, now);
  for (std::size_t i = 0; i < links.size(); ++i) {
    Link& link = *links[i];
    if (readable(first + 2 * i + 1)) link.on_monitor(life.context, now);
    if (link.state() == Link::State::kUp) {
      if (readable(first + 2 * i)) link.on_readable();
      if ((items[first + 2 * i].revents & ZMQ_POLLOUT) != 0) link.write();
    }
  }
  begin_meetings(life, now);
  for (auto& [peer, link] : life.links) link.on_time(life.context, now);
}

// What became of envelopes and links.
void Node::report(Life& life) {
  std::vector<wherry_sent> sent;
  std::size_t queued = 0;
  for (auto& [peer, link] : life.links) {
    tell_peer(life, peer);
    queued += link.queued();
    sent.insert(sent.end(), link.sent().begin(), link.sent().end());
    link.sent().clear();
  }
  if (!sent.empty()) api_.on_sent(host_, sent.data(), sent.size());
  bool writable = false;
  {
    const std::lock_guard lock(mutex_);
    queued_ = queued + sends_.size();
    // At half, so that a full queue does not cost one call for each envelope.
    if (refused_ && queued_ <= kSendQueueMax / 2) writable = std::exchange(refused_, false);
  }
  if (writable) api_.on_writable(host_, 0);
}

void Node::tell_peer(Life& life, std::uint64_t peer) {
  const Link& link = life.links.at(peer);
  if (link.asked()) return;  // its turn is still to come
  const auto [told, fresh] = life.told.try_emplace(peer, link.state());
  if (!fresh && told->second == link.state()) return;
  told->second = link.state();
  if (link.state() == Link::State::kUp) {
    api_.on_peer(host_, peer, WHERRY_PEER_STATE_REACHABLE, WHERRY_REASON_NONE);
  } else if (link.state() == Link::State::kDown) {
    api_.on_peer(host_, peer, WHERRY_PEER_STATE_UNREACHABLE, link.reason());
  }
}

void Node::log(std::int32_t level, const std::string& text) {
  api_.log(host_, level, text.c_str());
}

}  // namespace wherry::transports::p2p
