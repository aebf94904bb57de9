// The worker of a node: it has the streams, and sleeps until something comes, is due, or is asked
// for.
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <utility>

#include "include/wherry/transport.h"
#include "node.h"
#include "transports/common/guarded.h"
#include "transports/common/tor/settings.h"
#include "transports/common/tor/tor_provider.h"
#include "transports/common/worker_thread.h"

namespace wherry::transports::onion {
// The provider's thread notes what has happened.
void Node::on_status(const tor::Status& status) {
  api_.on_state(host_, status.state, status.percent, status.reason,
                status.phase.empty() ? nullptr : status.phase.c_str());
}

void Node::on_published(std::uint64_t service, std::int32_t reason) {
  post([this, service, reason] { tell_published(service, reason); });
}

void Node::on_stream(std::uint64_t service, Descriptor stream) {
  post([this, service, stream = std::make_shared<Descriptor>(std::move(stream))] {
    callers_.came(service, std::move(*stream), Clock::now());
  });
}

void Node::on_dialled(std::uint64_t dial, Descriptor stream, std::int32_t reason) {
  post([this, dial, reason, stream = std::make_shared<Descriptor>(std::move(stream))] {
    if (const auto fetch = fetch_dials_.extract(dial)) {
      const auto asked = fetches_.find(fetch.mapped());
      if (asked == fetches_.end()) return;
      if (stream->valid()) return asked->second.open(std::move(*stream));
      return asked->second.finish(reason);
    }
    const auto one = dials_.extract(dial);
    if (one.empty()) return;  // given up
    const auto link = links_.find(one.mapped());
    if (link == links_.end()) return;
    if (stream->valid()) return link->second.open(std::move(*stream), Clock::now());
    link->second.lose(reason);
  });
}

void Node::on_stopped() {
  post([this] { over_ = true; });
}

void Node::run() {
  block_signals();
  const std::int32_t status = guarded([&] {
    begin();
    work();
  });
  if (status != WHERRY_TRANSPORT_OK) give_up();
  // Its thread ends by itself, and only notes until then.
  if (provider_) provider_->stop();
  provider_.reset();
  callers_.clear();
  {
    const std::lock_guard lock(mutex_);
    started_ = false;
    tasks_.clear();
  }
  api_.on_state(host_, WHERRY_TRANSPORT_STATE_OFF, 0, WHERRY_REASON_NONE, nullptr);
  api_.on_stopped(host_);  // the last call
}

// The worker ended before it was told to: what was accepted has failed, and no more is.
void Node::give_up() {
  api_.on_state(host_, WHERRY_TRANSPORT_STATE_FAILED, 0, WHERRY_REASON_RESOURCE, nullptr);
  std::deque<Outgoing> sends;
  {
    const std::lock_guard lock(mutex_);
    failed_ = true;
    sends.swap(sends_);
  }
  guarded([&] {
    for (auto& [peer, link] : links_) link.lose(WHERRY_REASON_RESOURCE);
    for (auto& [request, fetch] : fetches_) fetch.finish(WHERRY_REASON_RESOURCE);
    report_fetches(Clock::now());
    report();
    std::vector<wherry_sent> failed;
    for (const Outgoing& one : sends) {
      failed.push_back({one.send_id, WHERRY_OUTCOME_FAILED_RETRY, WHERRY_REASON_RESOURCE});
    }
    if (!failed.empty()) api_.on_sent(host_, failed.data(), failed.size());
  });
  while (!is_stopping()) {
    pollfd one{wake_.get(), POLLIN, 0};
    ::poll(&one, 1, -1);
    eventfd_t count = 0;
    ::eventfd_read(wake_.get(), &count);
  }
}

// 32 random bytes that stay the same for this instance.
tor::Seed Node::stored_secret(const char* name) {
  tor::Seed secret{};
  if (api_.state_get(host_, name, secret.data(), secret.size()) ==
      static_cast<std::int64_t>(secret.size())) {
    return secret;
  }
  random_bytes(secret);
  api_.state_set(host_, name, {secret.data(), secret.size()});
  return secret;
}

void Node::begin() {
  links_.clear();
  told_.clear();
  to_dial_.clear();
  dials_.clear();
  fetches_.clear();
  fetch_dials_.clear();
  over_ = false;
  tor::TorSettings settings = settings_.tor;
  tor::choose_folder(settings, api_, host_);
  provider_ = tor::make_tor_provider(std::move(settings), *this);
  provider_->start();
  begin_inboxes();
}

void Node::work() {
  for (bool stopping = false; !over_;) {
    take_tasks();
    if (!stopping && is_stopping()) {
      stopping = true;
      links_.clear();
      for (auto& [request, fetch] : fetches_) fetch.finish(WHERRY_REASON_STOPPED);
      provider_->stop();
    }
    dial();
    report_fetches(Clock::now());
    callers_.flush(Clock::now());
    report();
    if (!over_) wait();
  }
}

bool Node::is_stopping() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void Node::take_tasks() {
  std::deque<Task> tasks;
  std::deque<Outgoing> sends;
  {
    const std::lock_guard lock(mutex_);
    eventfd_t count = 0;
    ::eventfd_read(wake_.get(), &count);
    tasks.swap(tasks_);
  }
  for (const Task& task : tasks) task();
  std::map<std::uint64_t, Endpoint> unknown;
  {
    const std::lock_guard lock(mutex_);
    sends.swap(sends_);
    for (const Outgoing& one : sends) {
      if (!links_.contains(one.peer)) unknown.emplace(one.peer, peers_.at(one.peer));
    }
  }
  for (const auto& [peer, endpoint] : unknown) links_.try_emplace(peer, endpoint);
  const Clock::time_point now = Clock::now();
  std::set<std::uint64_t> touched;
  for (Outgoing& one : sends) {
    links_.at(one.peer).queue(one.send_id, std::move(one.envelope), now);
    touched.insert(one.peer);
  }
  for (const std::uint64_t peer : touched) {
    Link& link = links_.at(peer);
    if (link.state() == Link::State::kUp) {
      link.write();
    } else {
      ask(peer);
    }
  }
}

void Node::ask(std::uint64_t peer) {
  if (!links_.contains(peer)) {
    const std::lock_guard lock(mutex_);
    const auto known = peers_.find(peer);
    if (known == peers_.end()) return;
    links_.try_emplace(peer, known->second);
  }
  Link& link = links_.at(peer);
  if (link.state() != Link::State::kDown) return;
  link.ask();
  to_dial_.push_back(peer);
}

// A few at once: each costs tor circuits.
void Node::dial() {
  while (dials_.size() < kDiallingMax && !to_dial_.empty()) {
    const std::uint64_t peer = to_dial_.front();
    to_dial_.pop_front();
    const auto link = links_.find(peer);
    if (link == links_.end() || link->second.state() != Link::State::kAsked) continue;
    link->second.dialling();
    dials_.emplace(++last_dial_, peer);
    provider_->dial(last_dial_, link->second.target());
  }
}

void Node::report_fetches(Clock::time_point now) {
  for (auto entry = fetches_.begin(); entry != fetches_.end();) {
    Fetch& fetch = entry->second;
    if (fetch.until() <= now) fetch.finish(WHERRY_REASON_TIMEOUT);
    if (!fetch.is_over()) {
      ++entry;
      continue;
    }
    const links::Bytes& bundle = fetch.bundle();
    const bool found = fetch.reason() == WHERRY_REASON_NONE;
    api_.on_bundle(host_, entry->first,
                   {found ? bundle.data() : nullptr, found ? bundle.size() : 0}, fetch.reason());
    entry = fetches_.erase(entry);
  }
}

void Node::wait() {
  std::vector<pollfd> items;
  auto until = Clock::time_point::max();
  const auto by = [&](const std::optional<Clock::time_point>& at) {
    if (at) until = std::min(until, *at);
  };
  items.push_back({wake_.get(), POLLIN, 0});
  const std::vector<Callers::Watched> callers = callers_.watched();
  for (const Callers::Watched& one : callers) items.push_back({one.descriptor, one.events, 0});
  by(callers_.deadline());
  std::vector<Link*> links;
  for (auto& [peer, link] : links_) {
    by(link.deadline());
    if (link.state() != Link::State::kUp) continue;
    links.push_back(&link);
    items.push_back({link.descriptor(), link.events(), 0});
  }
  std::vector<Fetch*> fetches;
  for (auto& [request, fetch] : fetches_) {
    by(fetch.until());
    if (!fetch.is_open()) continue;
    fetches.push_back(&fetch);
    items.push_back({fetch.descriptor(), fetch.events(), 0});
  }
  if (!poll_until(items, until)) return;
  const Clock::time_point now = Clock::now();
  std::size_t item = 1;
  for (const Callers::Watched& one : callers) {
    const short events = items[item++].revents;
    if (events != 0) callers_.on_ready(one.caller, events, now);
  }
  for (Link* link : links) {
    const short events = items[item++].revents;
    if (events != 0) link->on_ready(events, now);
  }
  for (Fetch* fetch : fetches) {
    const short events = items[item++].revents;
    if (events != 0) fetch->on_ready(events);
  }
  callers_.on_time(now);
  for (auto& [peer, link] : links_) link.on_time(now);
}

// What became of envelopes and links.
void Node::report() {
  std::vector<wherry_sent> sent;
  std::size_t queued = 0;
  for (auto& [peer, link] : links_) {
    tell_peer(peer, link);
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

void Node::tell_peer(std::uint64_t peer, const Link& link) {
  if (link.state() == Link::State::kAsked) return;  // its turn is still to come
  const auto [told, fresh] = told_.try_emplace(peer, link.state());
  if (!fresh && std::exchange(told->second, link.state()) == link.state()) return;
  if (link.state() == Link::State::kUp) {
    api_.on_peer(host_, peer, WHERRY_PEER_STATE_REACHABLE, WHERRY_REASON_NONE);
  } else if (link.state() == Link::State::kDown) {
    api_.on_peer(host_, peer, WHERRY_PEER_STATE_UNREACHABLE, link.reason());
  }
}

}  // namespace wherry::transports::onion
