// The loopback transport: the smallest complete plug-in, to be read beside transports/README.md.
//
// An instance has two halves. The host calls the functions of the table, one at a time: they check,
// change what the instance knows, and return. One worker thread does the rest and answers, as a
// transport over a network would: so the app sees the same order of things here as there.
#include "transports/loopback/loopback.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <thread>
#include <utility>

#include "include/wherry/transport.h"
#include "transports/common/guarded.h"
#include "transports/loopback/endpoint.h"
#include "transports/loopback/hub.h"
#include "transports/loopback/limits.h"

namespace wherry::loopback {
namespace {

using transports::guarded;

constexpr const char* kHubIdKey = "hub-id";

struct Outgoing {
  std::uint64_t peer = 0;
  std::uint64_t send_id = 0;
  Endpoint endpoint;
  Bytes envelope;
};

class Instance final : public Reader {
 public:
  Instance(const wherry_transport_host_api& api, wherry_transport_host* host, std::string hub_name)
      : api_(api), host_(host), hub_name_(std::move(hub_name)), hub_(Hub::named(hub_name_)) {}

  ~Instance() override { join(); }

  std::int32_t start();
  void stop();
  std::int32_t open_inbox(std::uint64_t inbox, const std::uint8_t* secret);
  std::int32_t close_inbox(std::uint64_t inbox);
  std::int32_t add_peer(std::uint64_t peer, const char* text, wherry_reveals* reveals);
  std::int32_t remove_peer(std::uint64_t peer);
  std::int32_t connect_peer(std::uint64_t peer);
  std::int32_t send(std::span<const wherry_outgoing> envelopes, std::size_t* accepted);
  std::int32_t ack(std::span<const wherry_receipt> receipts);
  void resume_receive();
  std::int32_t put_bundle(std::uint64_t request, const std::uint8_t* locator,
                          const std::uint8_t* owner, wherry_bytes bundle, std::uint32_t ttl_s);
  std::int32_t get_bundle(std::uint64_t request, const char* text, const std::uint8_t* locator);

  void wake() override;  // the hub has something for one of our inboxes

 private:
  using Answer = std::function<void()>;

  void join() {
    if (worker_.joinable()) worker_.join();
  }
  std::int32_t answer_later(Answer answer);
  void attach(std::uint64_t inbox, const Endpoint& endpoint);

  // The worker's own.
  void run();
  void work_until_stopped();
  void notice_another_hub();
  void deliver(std::vector<Outgoing> batch);
  void offer_what_waits();
  bool offer(std::uint64_t inbox, const Address& address);

  const wherry_transport_host_api& api_;
  wherry_transport_host* const host_;
  const std::string hub_name_;
  const std::shared_ptr<Hub> hub_;  // shared by all instances that name it
  std::thread worker_;              // from start until the next start or destroy joins it

  // Guards everything below. Never held while the hub is called, which calls wake() with its own
  // lock held; nor, though it might be, while the host is.
  std::mutex mutex_;
  std::condition_variable changed_;
  bool started_ = false;  // between start and stop
  bool fetch_ = false;    // the hub has, or may have, something for us
  bool busy_ = false;     // the host has no room: nothing is offered until resume_receive
  bool refused_ = false;  // send accepted fewer than it was given: on_writable is owed
  std::map<std::uint64_t, Endpoint> inboxes_;
  std::map<std::uint64_t, Endpoint> peers_;
  std::deque<Outgoing> sends_;
  std::deque<Answer> answers_;
};

// ---- What the host calls -----------------------------------------------------------------------

std::int32_t Instance::start() {
  {
    const std::lock_guard lock(mutex_);
    if (started_) return WHERRY_TRANSPORT_E_ARGUMENT;
  }
  join();  // the worker of an earlier life, which has said on_stopped
  std::map<std::uint64_t, Endpoint> inboxes;
  {
    const std::lock_guard lock(mutex_);
    started_ = true;
    busy_ = false;
    refused_ = false;
    inboxes = inboxes_;
  }
  try {
    worker_ = std::thread([this] { run(); });
  } catch (...) {
    const std::lock_guard lock(mutex_);
    started_ = false;
    throw;
  }
  for (const auto& [inbox, endpoint] : inboxes) attach(inbox, endpoint);
  return WHERRY_TRANSPORT_OK;
}

void Instance::stop() {
  hub_->detach(this);
  const std::lock_guard lock(mutex_);
  started_ = false;
  changed_.notify_all();
}

std::int32_t Instance::open_inbox(std::uint64_t inbox, const std::uint8_t* secret) {
  if (inbox == 0) return WHERRY_TRANSPORT_E_ARGUMENT;
  // Everything about an inbox comes from its secret: the host may lose our answer, forget the
  // endpoint, or ask on another machine, and gets the same.
  const Endpoint endpoint = endpoint_of(hub_name_, secret);
  bool started = false;
  {
    const std::lock_guard lock(mutex_);
    inboxes_[inbox] = endpoint;
    started = started_;
  }
  if (started) attach(inbox, endpoint);  // else start does it
  return WHERRY_TRANSPORT_OK;
}

void Instance::attach(std::uint64_t inbox, const Endpoint& endpoint) {
  const bool attached = hub_->attach(endpoint.address, endpoint.token, this);
  const std::string text = attached ? to_text(endpoint) : std::string();
  const auto answer = [this, inbox, attached, text] {
    api_.on_inbox(host_, inbox, attached ? text.c_str() : nullptr,
                  attached ? WHERRY_REASON_NONE : WHERRY_REASON_QUOTA);
  };
  const std::lock_guard lock(mutex_);
  answers_.emplace_back(answer);  // bounded by the number of inboxes, which the host bounds
  changed_.notify_all();
}

std::int32_t Instance::close_inbox(std::uint64_t inbox) {
  Address address{};
  {
    const std::lock_guard lock(mutex_);
    const auto found = inboxes_.find(inbox);
    if (found == inboxes_.end()) return WHERRY_TRANSPORT_E_ARGUMENT;
    address = found->second.address;
    inboxes_.erase(found);
  }
  hub_->close(address);
  return WHERRY_TRANSPORT_OK;
}

std::int32_t Instance::add_peer(std::uint64_t peer, const char* text, wherry_reveals* reveals) {
  if (peer == 0) return WHERRY_TRANSPORT_E_ARGUMENT;
  const std::optional<Endpoint> endpoint = parse_endpoint(text);
  // Another hub is another network, to which this instance has no way.
  if (!endpoint.has_value() || endpoint->hub != hub_name_) return WHERRY_TRANSPORT_E_ENDPOINT;
  *reveals = wherry_transport_loopback()->describe()->reveals_worst;  // no path reveals less
  const std::lock_guard lock(mutex_);
  peers_[peer] = *endpoint;
  return WHERRY_TRANSPORT_OK;
}

std::int32_t Instance::remove_peer(std::uint64_t peer) {
  const std::lock_guard lock(mutex_);
  if (peers_.erase(peer) == 0) return WHERRY_TRANSPORT_E_ARGUMENT;
  std::erase_if(sends_, [&](const Outgoing& queued) { return queued.peer == peer; });
  return WHERRY_TRANSPORT_OK;
}

std::int32_t Instance::connect_peer(std::uint64_t peer) {
  if (peer == 0) return WHERRY_TRANSPORT_OK;  // the hub is always there
  {
    const std::lock_guard lock(mutex_);
    if (!peers_.contains(peer)) return WHERRY_TRANSPORT_E_ARGUMENT;
    if (!started_) return WHERRY_TRANSPORT_OK;
  }
  return answer_later(
      [this, peer] { api_.on_peer(host_, peer, WHERRY_PEER_STATE_REACHABLE, WHERRY_REASON_NONE); });
}

std::int32_t Instance::send(std::span<const wherry_outgoing> envelopes, std::size_t* accepted) {
  *accepted = 0;
  const std::uint32_t size_max = wherry_transport_loopback()->describe()->envelope_size_max;
  const std::lock_guard lock(mutex_);
  // Look at all before taking one, so that a call either breaks a rule or is carried out.
  const bool sound = std::all_of(envelopes.begin(), envelopes.end(), [&](const auto& one) {
    return peers_.contains(one.peer) && one.envelope.size > 0 && one.envelope.size <= size_max;
  });
  if (!started_ || !sound) return WHERRY_TRANSPORT_E_ARGUMENT;
  for (const wherry_outgoing& one : envelopes) {
    if (sends_.size() >= kSendQueueMax) {
      refused_ = true;
      break;
    }
    sends_.push_back({one.peer, one.send_id, peers_.at(one.peer),
                      Bytes(one.envelope.data, one.envelope.data + one.envelope.size)});
    ++*accepted;
  }
  changed_.notify_all();
  return WHERRY_TRANSPORT_OK;
}

std::int32_t Instance::ack(std::span<const wherry_receipt> receipts) {
  for (const wherry_receipt& one : receipts) {
    Address address{};
    {
      const std::lock_guard lock(mutex_);
      const auto found = inboxes_.find(one.inbox);
      if (found == inboxes_.end()) return WHERRY_TRANSPORT_E_ARGUMENT;
      address = found->second.address;
    }
    // Our receipts are the hub's ids. One that it does not know was acknowledged before.
    hub_->erase(address, one.receipt);
  }
  return WHERRY_TRANSPORT_OK;
}

void Instance::resume_receive() {
  const std::lock_guard lock(mutex_);
  busy_ = false;
  fetch_ = true;
  changed_.notify_all();
}

std::int32_t Instance::put_bundle(std::uint64_t request, const std::uint8_t* locator,
                                  const std::uint8_t* owner, wherry_bytes bundle,
                                  std::uint32_t ttl_s) {
  if (bundle.size == 0 || bundle.size > WHERRY_BUNDLE_SIZE_MAX) return WHERRY_TRANSPORT_E_ARGUMENT;
  Locator key{};
  Owner right{};
  std::copy_n(locator, key.size(), key.begin());
  std::copy_n(owner, right.size(), right.begin());
  return answer_later([this, request, key, right, ttl_s,
                       bytes = Bytes(bundle.data, bundle.data + bundle.size)] {
    const wherry_reason reason = hub_->put_bundle(key, right, bytes, std::chrono::seconds(ttl_s));
    api_.on_bundle(host_, request, {nullptr, 0}, reason);
  });
}

std::int32_t Instance::get_bundle(std::uint64_t request, const char* text,
                                  const std::uint8_t* locator) {
  const std::optional<Endpoint> endpoint = parse_endpoint(text);
  if (!endpoint.has_value() || endpoint->hub != hub_name_) return WHERRY_TRANSPORT_E_ENDPOINT;
  Locator key{};
  std::copy_n(locator, key.size(), key.begin());
  return answer_later([this, request, key] {
    const std::optional<Bytes> found = hub_->get_bundle(key);
    const bool there = found.has_value();
    api_.on_bundle(host_, request,
                   there ? wherry_bytes{found->data(), found->size()} : wherry_bytes{nullptr, 0},
                   there ? WHERRY_REASON_NONE : WHERRY_REASON_NOT_FOUND);
  });
}

std::int32_t Instance::answer_later(Answer answer) {
  const std::lock_guard lock(mutex_);
  if (!started_) return WHERRY_TRANSPORT_E_ARGUMENT;
  if (answers_.size() >= kAnswersMax) return WHERRY_TRANSPORT_E_FULL;
  answers_.push_back(std::move(answer));
  changed_.notify_all();
  return WHERRY_TRANSPORT_OK;
}

void Instance::wake() {
  const std::lock_guard lock(mutex_);
  fetch_ = true;
  changed_.notify_all();
}

// ---- The worker --------------------------------------------------------------------------------

void Instance::run() {
  api_.on_state(host_, WHERRY_TRANSPORT_STATE_STARTING, 0, WHERRY_REASON_NONE, "attaching");
  try {
    notice_another_hub();
    api_.on_state(host_, WHERRY_TRANSPORT_STATE_ONLINE, 0, WHERRY_REASON_NONE, nullptr);
    work_until_stopped();
  } catch (...) {  // only memory can fail here; an exception may not leave the thread
    api_.on_state(host_, WHERRY_TRANSPORT_STATE_FAILED, 0, WHERRY_REASON_RESOURCE, nullptr);
  }
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !started_; });
    sends_.clear();  // what was queued is the host's still: it never heard that it was sent
    answers_.clear();
  }
  api_.on_state(host_, WHERRY_TRANSPORT_STATE_OFF, 0, WHERRY_REASON_NONE, nullptr);
  api_.on_stopped(host_);  // the last call; destroy or the next start joins this thread
}

// Envelopes reported STORED live in this process's memory. After a restart of the process the hub
// is another one, and what waited there is gone: the host must send it again.
void Instance::notice_another_hub() {
  HubId known{};
  const std::int64_t size = api_.state_get(host_, kHubIdKey, known.data(), known.size());
  if (size == static_cast<std::int64_t>(known.size()) && known == hub_->id()) return;
  api_.state_set(host_, kHubIdKey, {hub_->id().data(), hub_->id().size()});
  if (size < 0) return;  // the first start of all
  std::map<std::uint64_t, Endpoint> peers;
  {
    const std::lock_guard lock(mutex_);
    peers = peers_;
  }
  for (const auto& [peer, endpoint] : peers) {
    api_.on_peer(host_, peer, WHERRY_PEER_STATE_RESET, WHERRY_REASON_RELAY_RESET);
  }
}

void Instance::work_until_stopped() {
  for (;;) {
    std::deque<Answer> answers;
    std::vector<Outgoing> batch;
    bool fetch = false;
    bool writable = false;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] {
        return !started_ || !answers_.empty() || !sends_.empty() || (fetch_ && !busy_);
      });
      if (!started_) return;
      answers.swap(answers_);
      while (!sends_.empty() && batch.size() < kBatchMax) {
        batch.push_back(std::move(sends_.front()));
        sends_.pop_front();
      }
      if (!busy_) fetch = std::exchange(fetch_, false);
      // At half, so that a full queue does not cost one call for each envelope.
      if (refused_ && sends_.size() <= kSendQueueMax / 2) writable = std::exchange(refused_, false);
    }
    for (const Answer& answer : answers) answer();
    deliver(std::move(batch));
    if (writable) api_.on_writable(host_, 0);
    if (fetch) offer_what_waits();
  }
}

void Instance::deliver(std::vector<Outgoing> batch) {
  std::vector<wherry_sent> sent;
  for (Outgoing& one : batch) {
    const wherry_reason reason =
        hub_->store(one.endpoint.address, one.endpoint.token, std::move(one.envelope));
    std::int32_t outcome = WHERRY_OUTCOME_STORED;
    // A wrong token never becomes right. An inbox that is full will have room, and one that is not
    // there may only not have been opened yet.
    if (reason == WHERRY_REASON_NOT_ALLOWED)
      outcome = WHERRY_OUTCOME_FAILED_PERMANENT;
    else if (reason != WHERRY_REASON_NONE)
      outcome = WHERRY_OUTCOME_FAILED_RETRY;
    sent.push_back({one.send_id, outcome, reason});
  }
  if (!sent.empty()) api_.on_sent(host_, sent.data(), sent.size());
}

void Instance::offer_what_waits() {
  std::map<std::uint64_t, Endpoint> inboxes;
  {
    const std::lock_guard lock(mutex_);
    inboxes = inboxes_;
  }
  for (const auto& [inbox, endpoint] : inboxes) {
    if (!offer(inbox, endpoint.address)) return;
  }
}

// Offers at most a batch of an inbox; gives false when the host has no more room.
bool Instance::offer(std::uint64_t inbox, const Address& address) {
  const std::vector<Stored> stored = hub_->fetch(address, kBatchMax);
  if (stored.empty()) return true;
  std::vector<wherry_incoming> incoming;
  incoming.reserve(stored.size());
  for (const Stored& one : stored) {
    incoming.push_back({one.id, {one.envelope.data(), one.envelope.size()}});
  }
  {
    // Before the offer, since resume_receive may come before on_receive has returned.
    const std::lock_guard lock(mutex_);
    busy_ = true;
  }
  const std::size_t taken = api_.on_receive(host_, inbox, incoming.data(), incoming.size());
  if (taken < stored.size()) {
    hub_->rewind(address, stored[taken].id);
    const std::lock_guard lock(mutex_);
    fetch_ = true;  // for when busy_ is lifted
    return false;
  }
  const std::lock_guard lock(mutex_);
  busy_ = false;
  fetch_ = true;  // perhaps there is more; the others have their turn first
  return true;
}

// ---- The table ---------------------------------------------------------------------------------

Instance& instance(wherry_transport* transport) {
  return *reinterpret_cast<Instance*>(transport);
}

std::int32_t create(wherry_transport** transport, const wherry_transport_host_api* api,
                    wherry_transport_host* host, const wherry_setting* settings,
                    std::size_t setting_count) {
  return guarded([&]() -> std::int32_t {
    std::string hub;
    for (std::size_t i = 0; i < setting_count; ++i) {
      if (std::strcmp(settings[i].name, "hub") == 0) hub = settings[i].value;
    }
    if (!is_hub_name(hub)) {
      api->log(host, WHERRY_LOG_WARNING, "loopback: 'hub' must be 1 to 32 of a-z, 0-9 and '-'");
      return WHERRY_TRANSPORT_E_SETTING;
    }
    *transport = reinterpret_cast<wherry_transport*>(new Instance(*api, host, std::move(hub)));
    return WHERRY_TRANSPORT_OK;
  });
}

constexpr wherry_setting_description kSettings[] = {
    {"hub", WHERRY_SETTING_TEXT, "default", "Instances that name the same hub reach each other"}};

constexpr wherry_transport_description describe_loopback() {
  wherry_transport_description about{};
  about.size = sizeof(about);
  about.name = "loopback";
  about.version = "1";
  about.help = "Within one process, for tests and as an example";
  about.architecture = WHERRY_ARCHITECTURE_CENTRALIZED;
  about.abilities = WHERRY_ABILITY_OFFLINE | WHERRY_ABILITY_BUNDLES | WHERRY_ABILITY_CHEAP_INBOXES;
  about.latency = WHERRY_LATENCY_MILLISECONDS;
  about.envelope_size_max = WHERRY_ENVELOPE_SIZE_MAX;
  // The hub stands where a relay would, and could see what a relay can, but for addresses: there is
  // no network.
  about.reveals_worst.facts[WHERRY_OBSERVER_OTHER_PERSON] =
      WHERRY_FACT_USE | WHERRY_FACT_TIMING | WHERRY_FACT_SIZE;
  about.reveals_worst.facts[WHERRY_OBSERVER_HOME_OPERATOR] =
      WHERRY_FACT_USE | WHERRY_FACT_WHO_TALKS | WHERRY_FACT_INBOXES_TOGETHER | WHERRY_FACT_TIMING |
      WHERRY_FACT_SIZE | WHERRY_FACT_PRESENCE;
  about.settings = kSettings;
  about.setting_count = std::size(kSettings);
  return about;
}

constexpr wherry_transport_description kDescription = describe_loopback();

constexpr wherry_transport_plugin kPlugin = {
    .size = sizeof(wherry_transport_plugin),
    .abi = WHERRY_TRANSPORT_ABI,
    .describe = [] { return &kDescription; },
    .create = create,
    .start = [](auto* self) { return guarded([&] { return instance(self).start(); }); },
    .stop = [](auto* self) { instance(self).stop(); },
    .destroy = [](auto* self) { delete &instance(self); },
    .update = [](auto*, std::uint32_t) {},  // nothing around the process matters to it
    .open_inbox =
        [](auto* self, std::uint64_t inbox, const std::uint8_t* secret, std::int32_t) {
          return guarded([&] { return instance(self).open_inbox(inbox, secret); });
        },
    .close_inbox =
        [](auto* self, std::uint64_t inbox) {
          return guarded([&] { return instance(self).close_inbox(inbox); });
        },
    .add_peer =
        [](auto* self, std::uint64_t peer, const char* endpoint, const std::uint8_t*,
           wherry_reveals* reveals) {
          return guarded([&] { return instance(self).add_peer(peer, endpoint, reveals); });
        },
    .remove_peer =
        [](auto* self, std::uint64_t peer) {
          return guarded([&] { return instance(self).remove_peer(peer); });
        },
    .connect_peer =
        [](auto* self, std::uint64_t peer) {
          return guarded([&] { return instance(self).connect_peer(peer); });
        },
    .send =
        [](auto* self, const wherry_outgoing* envelopes, std::size_t count, std::size_t* accepted) {
          return guarded([&] { return instance(self).send({envelopes, count}, accepted); });
        },
    .ack =
        [](auto* self, const wherry_receipt* receipts, std::size_t count) {
          return guarded([&] { return instance(self).ack({receipts, count}); });
        },
    .resume_receive = [](auto* self) { instance(self).resume_receive(); },
    .put_bundle =
        [](auto* self, std::uint64_t request, const std::uint8_t* locator,
           const std::uint8_t* owner, wherry_bytes bundle, std::uint32_t ttl_s) {
          return guarded(
              [&] { return instance(self).put_bundle(request, locator, owner, bundle, ttl_s); });
        },
    .get_bundle =
        [](auto* self, std::uint64_t request, const char* endpoint, const std::uint8_t* locator) {
          return guarded([&] { return instance(self).get_bundle(request, endpoint, locator); });
        },
    .look_up = nullptr,  // what the description does not name,
    .recall = nullptr,   // the host never calls
    .diagnose = nullptr,
    .listening = nullptr,  // the same as every path: reveals_worst
};

}  // namespace
}  // namespace wherry::loopback

const wherry_transport_plugin* wherry_transport_loopback() {
  return &wherry::loopback::kPlugin;
}
