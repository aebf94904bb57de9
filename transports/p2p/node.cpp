// The host's calls, and the worker's loop.
#include "node.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "limits.h"
#include "transports/common/crypto.h"
#include "transports/common/guarded.h"

namespace wherry::transports::p2p {
namespace {

constexpr const char* kKeyName = "listener-key";
constexpr const char* kPortName = "port";
constexpr auto kIdle = std::chrono::hours(1);

// The app's signals are for its own threads. Those that say that this thread itself is at fault
// come through, so that the app's crash reporter sees them.
void block_signals() {
  sigset_t signals;
  ::sigfillset(&signals);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS}) {
    ::sigdelset(&signals, fault);
  }
  ::pthread_sigmask(SIG_SETMASK, &signals, nullptr);
}

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

struct Node::Life {
  explicit Life(int wake_event) : wake(wake_event) {}

  zmq::context_t context{1, kSocketsMax};
  Intake intake;
  std::optional<Door> door;
  std::map<std::uint64_t, Link> links;
  std::deque<Outgoing> sends;                      // taken from the host, and not by a link yet
  std::deque<std::uint64_t> to_dial;               // peers; some may be gone by the time
  std::deque<std::uint64_t> to_dial_again;         // likewise, those that failed last time
  std::map<std::uint64_t, std::string> announced;  // endpoints, by inbox
  std::vector<Address> advertised;
  Key key{};  // of the listener, secret
  std::uint16_t port = 0;
  bool busy = false;  // the host has no room: nothing is read until resume_receive
  std::map<std::uint64_t, Link::State> told;  // of peers
  const int wake;
};

Node::Node(const wherry_transport_host_api& api, wherry_transport_host* host, NodeSettings settings)
    : api_(api), host_(host), settings_(std::move(settings)) {}

Node::~Node() {
  if (worker_.joinable()) worker_.join();
  if (wake_ >= 0) ::close(wake_);
}

// ---- What the host calls -----------------------------------------------------------------------

std::int32_t Node::start() {
  {
    const std::lock_guard lock(mutex_);
    if (started_) return WHERRY_TRANSPORT_E_ARGUMENT;
  }
  if (worker_.joinable()) worker_.join();  // of an earlier life, which has said on_stopped
  const std::lock_guard lock(mutex_);
  if (wake_ < 0) wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_ < 0) return WHERRY_TRANSPORT_E_RESOURCE;
  tasks_.clear();
  sends_.clear();
  queued_ = 0;
  refused_ = stopping_ = failed_ = false;
  started_ = true;
  try {
    worker_ = std::thread([this] { run(); });
  } catch (...) {
    started_ = false;
    throw;
  }
  return WHERRY_TRANSPORT_OK;
}

void Node::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  wake();
}

void Node::update(std::uint32_t flags) {
  if ((flags & WHERRY_CHANGE_NETWORK) == 0) return;
  post([this](Life& life) {
    life.advertised.clear();
    announce(life);
  });
}

void Node::post(Task task) {
  const std::lock_guard lock(mutex_);
  if (!started_ || stopping_ || failed_) return;
  tasks_.push_back(std::move(task));
  wake();
}

void Node::wake() {
  if (wake_ >= 0) ::eventfd_write(wake_, 1);
}

std::int32_t Node::open_inbox(std::uint64_t inbox, std::span<const std::uint8_t, 32> secret) {
  if (inbox == 0) return WHERRY_TRANSPORT_E_ARGUMENT;
  const Key pass = pass_of(secret);
  {
    const std::lock_guard lock(mutex_);
    const auto [known, fresh] = inboxes_.emplace(inbox, pass);
    if (!fresh && known->second != pass) return WHERRY_TRANSPORT_E_ARGUMENT;
  }
  post([this, inbox, pass](Life& life) {
    if (life.door) life.door->allow(inbox, pass);
    life.announced.erase(inbox);
    announce(life);
  });
  return WHERRY_TRANSPORT_OK;
}

std::int32_t Node::close_inbox(std::uint64_t inbox) {
  {
    const std::lock_guard lock(mutex_);
    if (inboxes_.erase(inbox) == 0) return WHERRY_TRANSPORT_E_ARGUMENT;
  }
  post([inbox](Life& life) {
    if (life.door) life.door->forbid(inbox);
    life.announced.erase(inbox);
  });
  return WHERRY_TRANSPORT_OK;
}

std::int32_t Node::add_peer(std::uint64_t peer, const char* text, wherry_reveals* reveals) {
  if (peer == 0) return WHERRY_TRANSPORT_E_ARGUMENT;
  std::optional<Endpoint> endpoint = parse_endpoint(text);
  // Nobody is to make this machine knock at doors of its own network, or of itself.
  if (!endpoint || std::ranges::none_of(endpoint->addresses, [&](const Address& address) {
        return settings_.may_dial(address);
      })) {
    return WHERRY_TRANSPORT_E_ENDPOINT;
  }
  *reveals = reveals_of_dialling(settings_);
  {
    const std::lock_guard lock(mutex_);
    if (!peers_.emplace(peer, *endpoint).second) return WHERRY_TRANSPORT_E_ARGUMENT;
  }
  return WHERRY_TRANSPORT_OK;
}

std::int32_t Node::remove_peer(std::uint64_t peer) {
  {
    const std::lock_guard lock(mutex_);
    if (peers_.erase(peer) == 0) return WHERRY_TRANSPORT_E_ARGUMENT;
    queued_ -= std::erase_if(sends_, [&](const Outgoing& one) { return one.peer == peer; });
  }
  post([peer](Life& life) {
    life.links.erase(peer);
    life.told.erase(peer);
  });
  return WHERRY_TRANSPORT_OK;
}

std::int32_t Node::connect_peer(std::uint64_t peer) {
  if (peer == 0) return WHERRY_TRANSPORT_OK;  // there is no server
  {
    const std::lock_guard lock(mutex_);
    if (!peers_.contains(peer) || !started_) return WHERRY_TRANSPORT_E_ARGUMENT;
    if (failed_) return WHERRY_TRANSPORT_E_RESOURCE;
  }
  post([this, peer](Life& life) {
    const std::lock_guard lock(mutex_);
    const auto known = peers_.find(peer);
    if (known == peers_.end()) return;
    Link& link = life.links.try_emplace(peer, settings_, life.intake, known->second).first->second;
    if (link.state() == Link::State::kDown) life.told.erase(peer);
    ask(life, peer);
  });
  return WHERRY_TRANSPORT_OK;
}

std::int32_t Node::send(std::span<const wherry_outgoing> envelopes, std::size_t* accepted) {
  *accepted = 0;
  const std::lock_guard lock(mutex_);
  const bool sound = std::ranges::all_of(envelopes, [&](const wherry_outgoing& one) {
    return peers_.contains(one.peer) && one.envelope.size > 0 &&
           one.envelope.size <= WHERRY_ENVELOPE_SIZE_MAX;
  });
  if (!started_ || stopping_ || !sound) return WHERRY_TRANSPORT_E_ARGUMENT;
  if (failed_) return WHERRY_TRANSPORT_E_RESOURCE;
  for (const wherry_outgoing& one : envelopes) {
    if (queued_ >= kSendQueueMax) {
      refused_ = true;
      break;
    }
    sends_.push_back(
        {one.peer, one.send_id, Bytes(one.envelope.data, one.envelope.data + one.envelope.size)});
    ++queued_;
    ++*accepted;
  }
  wake();
  return WHERRY_TRANSPORT_OK;
}

std::int32_t Node::ack(std::span<const wherry_receipt> receipts) {
  std::vector<std::uint64_t> stored;
  {
    const std::lock_guard lock(mutex_);
    for (const wherry_receipt& one : receipts) {
      if (!inboxes_.contains(one.inbox)) return WHERRY_TRANSPORT_E_ARGUMENT;
      stored.push_back(one.receipt);
    }
  }
  post([stored = std::move(stored)](Life& life) {
    if (!life.door) return;
    for (const std::uint64_t receipt : stored) life.door->stored(receipt);
  });
  return WHERRY_TRANSPORT_OK;
}

void Node::resume_receive() {
  post([](Life& life) {
    if (life.door) life.busy = !life.door->resume(Clock::now());
  });
}

// ---- The worker --------------------------------------------------------------------------------

void Node::run() {
  block_signals();
  api_.on_state(host_, WHERRY_TRANSPORT_STATE_STARTING, 0, WHERRY_REASON_NONE, "opening a port");
  std::optional<Life> life;  // outlives what ends it: give_up tells of what it holds
  try {
    life.emplace(wake_);
    if (begin(*life)) {
      api_.on_state(host_, WHERRY_TRANSPORT_STATE_ONLINE, 0, WHERRY_REASON_NONE, nullptr);
      announce(*life);
      work(*life);
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
    if (settings_.listen) {
      life.door.emplace(
          life.context, life.intake, life.key,
          [this](std::uint64_t inbox, const std::vector<Arrival>& arrivals) {
            std::vector<wherry_incoming> offered;
            for (const Arrival& one : arrivals) {
              offered.push_back({one.receipt, {one.envelope.data(), one.envelope.size()}});
            }
            return api_.on_receive(host_, inbox, offered.data(), offered.size());
          });
      for (const auto& [inbox, pass] : inboxes_) life.door->allow(inbox, pass);
    }
  }
  if (!life.door) return true;
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
  return true;
}

// Says where inboxes are, if that is news.
void Node::announce(Life& life) {
  if (life.advertised.empty() && life.door) {
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
  std::map<std::uint64_t, Key> inboxes;
  {
    const std::lock_guard lock(mutex_);
    inboxes = inboxes_;
  }
  const Key listener = public_key(life.key);
  for (const auto& [inbox, pass] : inboxes) {
    const std::string text =
        life.advertised.empty() ? "" : to_text(Endpoint{listener, pass, life.advertised});
    const auto known = life.announced.find(inbox);
    if (known != life.announced.end() && known->second == text) continue;
    life.announced[inbox] = text;
    api_.on_inbox(host_, inbox, text.empty() ? nullptr : text.c_str(),
                  text.empty() ? WHERRY_REASON_SETTING : WHERRY_REASON_NONE);
  }
}

void Node::work(Life& life) {
  for (;;) {
    take_tasks(life);
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
    }
    dial(life);
    if (life.door) life.door->flush();
    report(life);
    wait(life);
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
    life.links.try_emplace(peer, settings_, life.intake, endpoint);
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
  auto dialling = static_cast<std::size_t>(std::ranges::count_if(
      life.links, [](const auto& one) { return one.second.state() == Link::State::kDialling; }));
  const Clock::time_point now = Clock::now();
  const auto dial = [&](std::deque<std::uint64_t>& peers, std::size_t most) {
    while (dialling < most && !peers.empty()) {
      const auto link = life.links.find(peers.front());
      peers.pop_front();
      if (link == life.links.end() || !link->second.asked()) continue;
      link->second.dial(life.context, now);
      if (link->second.state() == Link::State::kDialling) ++dialling;
    }
  };
  dial(life.to_dial, kDiallingMax);
  dial(life.to_dial_again, kDiallingAgainMax);
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
    ask(life.door->guard(), 0, ZMQ_POLLIN);
    ask(life.door->callers().monitor(), 0, ZMQ_POLLIN);
    ask(life.door->socket(), 0, life.busy ? 0 : ZMQ_POLLIN);
    if (!life.busy) by(life.door->callers().deadline());
  }
  std::vector<Link*> links;
  const std::size_t first = items.size();
  for (auto& [peer, link] : life.links) {
    by(link.deadline());
    if (link.state() == Link::State::kDown) continue;
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
    if (readable(door)) life.door->answer_guard(now);
    if (readable(door + 1)) life.door->callers().on_monitor(now);
    if (readable(door + 2)) life.busy = !life.door->receive();
    if (!life.busy) life.door->callers().on_time(now);
  }
  for (std::size_t i = 0; i < links.size(); ++i) {
    Link& link = *links[i];
    if (readable(first + 2 * i + 1)) link.on_monitor(life.context, now);
    if (link.state() == Link::State::kUp) {
      if (readable(first + 2 * i)) link.on_readable();
      if ((items[first + 2 * i].revents & ZMQ_POLLOUT) != 0) link.write();
    }
  }
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
