// The client's life: worker, dialling, deadlines, dropping a link; and the small calls.
#include "client.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "transports/common/crypto.h"
#include "transports/common/tor/settings.h"

namespace wherry::transports::centralized {
namespace {

// How a link ended, as far as gRPC's status tells.
const char* text_of(std::int32_t reason) {
  switch (reason) {
    case WHERRY_REASON_TRANSPORT_OFFLINE:
      return "it closed, or the network is gone";
    case WHERRY_REASON_TIMEOUT:
      return "it did not answer in time";
    case WHERRY_REASON_UNREACHABLE:
      return "it could not be reached";
    default:
      return "it does not speak the relay's protocol";
  }
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

Client::Client(const wherry_transport_host_api& api, wherry_transport_host* host,
               ClientSettings settings, LinkFactory make_link, DiallerFactory make_dialler)
    : api_(api),
      host_(host),
      settings_(std::move(settings)),
      reveals_(reveals_of(settings_)),
      make_link_(std::move(make_link)),
      make_dialler_(std::move(make_dialler)) {}

Client::~Client() = default;

std::int32_t Client::start() {
  std::unique_lock lock(mutex_);
  if (life_ != Life::kOff) return WHERRY_TRANSPORT_E_ARGUMENT;
  // The worker of an earlier start has said on_stopped and only has to end.
  std::thread earlier = std::move(worker_);
  lock.unlock();
  if (earlier.joinable()) earlier.join();
  lock.lock();
  life_ = Life::kStarting;
  worker_ = std::thread([this] { run(); });
  want_dial();
  return WHERRY_TRANSPORT_OK;
}

void Client::stop() {
  const std::lock_guard lock(mutex_);
  if (life_ == Life::kOff) return;
  life_ = Life::kStopping;
  if (stopper_) stopper_->stop();
  changed_.notify_all();
}

void Client::join() {
  if (worker_.joinable()) worker_.join();
}

void Client::update(std::uint32_t flags) {
  const std::lock_guard lock(mutex_);
  if ((flags & WHERRY_CHANGE_NETWORK) == 0) return;
  if (life_ == Life::kOff || life_ == Life::kStopping) return;
  // The old addresses may be gone without a word: a new link, asked for by the host.
  if (link_) drop_link(WHERRY_REASON_TRANSPORT_OFFLINE, "the network changed");
  if (dialler_) dialler_->network_changed();
  want_dial();
}

std::int32_t Client::connect_peer(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  if (id == 0) {
    if (life_ == Life::kOff || life_ == Life::kStopping) return WHERRY_TRANSPORT_E_ARGUMENT;
    if (life_ == Life::kDegraded) want_dial();
    return WHERRY_TRANSPORT_OK;
  }
  const auto peer = peers_.find(id);
  if (peer == peers_.end()) return WHERRY_TRANSPORT_E_ARGUMENT;
  peer->second.state = WHERRY_PEER_STATE_UNKNOWN;  // asked anew: it is said again
  const bool online = life_ == Life::kOnline;
  set_peer_state(id, peer->second,
                 online ? WHERRY_PEER_STATE_REACHABLE : WHERRY_PEER_STATE_UNREACHABLE,
                 online ? WHERRY_REASON_NONE : WHERRY_REASON_TRANSPORT_OFFLINE);
  return WHERRY_TRANSPORT_OK;
}

void Client::want_dial() {
  life_ = Life::kStarting;
  dial_wanted_ = true;
  if (stopper_) stopper_->stop();  // one that runs is for the network as it was
  changed_.notify_all();
}

void Client::run() {
  std::unique_lock lock(mutex_);
  while (life_ != Life::kStopping) {
    if (dial_wanted_) {
      dial_now(lock);
      continue;
    }
    if (bury(lock)) continue;
    check_deadlines(std::chrono::steady_clock::now());
    const auto deadline = next_deadline();
    if (dial_wanted_ || life_ == Life::kStopping) continue;
    if (deadline) {
      changed_.wait_until(lock, *deadline);
    } else {
      changed_.wait(lock);
    }
  }
  if (link_) let_go();
  queue_.clear();  // a stop drops them without on_sent
  queue_bytes_ = 0;
  in_flight_.clear();
  in_flight_bytes_ = 0;
  fail_all(WHERRY_REASON_STOPPED);
  receipts_.clear();
  blocked_ = false;
  dial_wanted_ = false;
  for (auto& [id, peer] : peers_) peer.state = WHERRY_PEER_STATE_UNKNOWN;
  // Without the lock: it may be about to call us.
  std::unique_ptr<Dialler> dialler = std::move(dialler_);
  lock.unlock();
  dialler.reset();
  lock.lock();
  say_state(WHERRY_TRANSPORT_STATE_OFF, 0, WHERRY_REASON_NONE, nullptr);
  life_ = Life::kOff;
  api_.on_stopped(host_);
  // Silent towards the host, but not gone: cancelled lanes end within milliseconds.
  while (!closing_.empty()) {
    changed_.wait(lock, [&] {
      return std::any_of(closing_.begin(), closing_.end(),
                         [](const Closing& one) { return one.lanes_left == 0; });
    });
    bury(lock);
  }
}

// Cancels the link; the worker destroys it when both lanes have ended.
void Client::let_go() {
  link_->cancel();
  closing_.push_back({std::move(link_), link_number_, kLanes});
  tunnel_.reset();
}

// Destroys links whose lanes have ended; without the lock, since gRPC's threads may want it.
bool Client::bury(std::unique_lock<std::mutex>& lock) {
  std::vector<Closing> ended;
  for (Closing& one : closing_) {
    if (one.lanes_left == 0) ended.push_back(std::move(one));
  }
  if (ended.empty()) return false;
  std::erase_if(closing_, [](const Closing& one) { return one.link == nullptr; });
  lock.unlock();
  ended.clear();
  lock.lock();
  return true;
}

void Client::dial_now(std::unique_lock<std::mutex>& lock) {
  dial_wanted_ = dial_again_ = false;
  stopper_ = std::make_shared<Stopper>();
  // A tor says by itself how far it is.
  say_state(WHERRY_TRANSPORT_STATE_STARTING, settings_.tor ? 0 : 10, WHERRY_REASON_NONE,
            "connecting to the relay");
  Dialled dialled = dial(lock);
  stopper_.reset();
  if (life_ == Life::kStopping || dial_wanted_) return;
  // What it failed by may be over since.
  if (dialled.reason != WHERRY_REASON_NONE && dial_again_) return want_dial();
  if (dialled.reason != WHERRY_REASON_NONE) {
    life_ = Life::kDegraded;
    last_reason_ = dialled.reason;
    last_phase_ = dialled.phase;
    say_state(WHERRY_TRANSPORT_STATE_DEGRADED, 0, dialled.reason,
              dialled.phase.empty() ? nullptr : dialled.phase.c_str());
    return;
  }
  say_state(WHERRY_TRANSPORT_STATE_STARTING, 50, WHERRY_REASON_NONE, "greeting the relay");
  tunnel_ = std::move(dialled.tunnel);
  link_since_ = std::chrono::steady_clock::now();
  welcomed_ = {};
  store_.reset();
  // Who is at an onion service's address is known by that.
  const auto pin =
      onion_of(settings_.relay.authority) ? std::nullopt : std::optional(settings_.relay.pin);
  link_ = make_link_({dialled.address, pin}, shared_from_this(), ++link_number_);
  link_->start();
  v1::SubmitRequest submit;
  v1::ReceiveRequest receive;
  for (v1::Hello* hello : {submit.mutable_hello(), receive.mutable_hello()}) {
    hello->set_version_min(kProtocolVersion);
    hello->set_version_max(kProtocolVersion);
  }
  writing_.fill(link_since_);
  link_->write(std::move(submit));
  link_->write(std::move(receive));
  link_->read(Lane::kSubmit);
  link_->read(Lane::kReceive);
}

// The lock is not held while it dials.
Dialled Client::dial(std::unique_lock<std::mutex>& lock) {
  const auto stopper = stopper_;
  const auto deadline = std::chrono::steady_clock::now() + kDialTimeout;
  try {
    if (!dialler_) {
      ClientSettings settings = settings_;
      if (settings.tor) tor::choose_folder(*settings.tor, api_, host_);
      dialler_ = make_dialler_(settings, {[this](std::int32_t percent, const std::string& phase) {
                                            say_state(WHERRY_TRANSPORT_STATE_STARTING, percent / 2,
                                                      WHERRY_REASON_NONE, phase.c_str());
                                          },
                                          [this] {
                                            const std::lock_guard again(mutex_);
                                            dial_again_ = true;
                                            if (life_ == Life::kDegraded) want_dial();
                                          }});
    }
  } catch (const std::exception& error) {  // descriptors, threads
    Dialled failed;
    failed.reason = WHERRY_REASON_RESOURCE;
    failed.phase = error.what();
    return failed;
  }
  lock.unlock();
  Dialled dialled = dialler_->dial(deadline, *stopper);
  lock.lock();
  return dialled;
}

std::optional<Client::Time> Client::next_deadline() const {
  if (!link_) return std::nullopt;
  if (life_ != Life::kOnline) return link_since_ + kWelcomeTimeout;
  // Looked at once a second while something is unanswered: a bound need not be exact.
  const bool waiting = !in_flight_.empty() || !opening_since_.empty() || !asked_.empty() ||
                       writing_[0] || writing_[1];
  if (!waiting) return std::nullopt;
  return std::chrono::steady_clock::now() + std::chrono::seconds(1);
}

void Client::check_deadlines(Time now) {
  if (!link_) return;
  if (life_ != Life::kOnline) {
    if (now >= link_since_ + kWelcomeTimeout) {
      drop_link(WHERRY_REASON_TIMEOUT, "the relay did not greet in time");
    }
    return;
  }
  bool late = !in_flight_.empty() && now >= in_flight_.front().since + kAnswerTimeout;
  // While the host is busy we do not read, so that no answer can come on that lane.
  late = late ||
         (!blocked_ && !opening_since_.empty() && now >= opening_since_.front() + kAnswerTimeout);
  late = late || std::any_of(asked_.begin(), asked_.end(), [&](const auto& entry) {
           return now >= entry.second.since + kAnswerTimeout;
         });
  // A relay that does not read is as good as none.
  late = late || std::ranges::any_of(writing_, [&](const std::optional<Time>& since) {
           return since && now >= *since + kAnswerTimeout;
         });
  if (late) drop_link(WHERRY_REASON_TIMEOUT, "the relay did not answer in time");
}

void Client::drop_link(std::int32_t reason, const char* text) {
  let_go();
  fail_all(reason == WHERRY_REASON_TIMEOUT ? reason : WHERRY_REASON_TRANSPORT_OFFLINE);
  if (reason == WHERRY_REASON_WRONG_KEY) {
    log(WHERRY_LOG_WARNING,
        "the server at the relay's address has another key than the one in the setting: it is not "
        "your relay, or its key was made anew; nothing was sent to it");
  } else {
    log(WHERRY_LOG_INFO, std::string("the link to the relay ended: ") + text);
  }
  if (life_ == Life::kStopping) return;
  life_ = Life::kDegraded;
  last_reason_ = reason;
  last_phase_.clear();
  say_state(WHERRY_TRANSPORT_STATE_DEGRADED, 0, reason, nullptr);
  changed_.notify_all();
}

// Answers everything that waited for the link, and forgets what belonged to it.
void Client::fail_all(std::int32_t reason) {
  std::vector<wherry_sent> sent;
  for (const InFlight& one : in_flight_) {
    if (one.peer != 0) sent.push_back({one.send_id, WHERRY_OUTCOME_FAILED_RETRY, reason});
  }
  for (const Outgoing& one : queue_) {
    sent.push_back({one.send_id, WHERRY_OUTCOME_FAILED_RETRY, reason});
  }
  in_flight_.clear();
  in_flight_bytes_ = 0;
  queue_.clear();
  queue_bytes_ = 0;
  if (!sent.empty()) api_.on_sent(host_, sent.data(), sent.size());
  report_writable();

  const wherry_bytes none{nullptr, 0};
  for (const auto& [number, request] : asked_) api_.on_bundle(host_, request.id, none, reason);
  for (const Request& request : requests_) api_.on_bundle(host_, request.id, none, reason);
  asked_.clear();
  requests_.clear();

  for (auto& [number, slot] : slots_) {
    if (slot.inbox == 0 && slot.keys && abandoned_.size() < kAbandonedMax) {
      abandoned_.push_back(slot.keys);
    }
  }
  slots_.clear();
  last_slot_ = 0;
  opens_due_.clear();
  closes_due_.clear();
  opening_since_.clear();
  acks_due_.clear();
  acks_unwritten_ = acks_in_write_ = 0;
  arrived_.clear();  // the relay delivers them again
  receipts_.clear();
  read_due_ = false;
  for (auto& [id, inbox] : inboxes_) inbox.state = InboxState::kIdle;
}

void Client::on_written(std::uint64_t link, Lane lane) {
  const std::lock_guard lock(mutex_);
  if (!current(link)) return;
  writing_[static_cast<std::size_t>(lane)].reset();
  if (lane == Lane::kReceive) acks_unwritten_ -= std::exchange(acks_in_write_, 0);
  if (life_ != Life::kOnline) return;
  if (lane == Lane::kSubmit) {
    flush_submit();
  } else {
    flush_receive();
  }
}

void Client::on_ended(std::uint64_t link, Lane, std::int32_t reason, const std::string& detail) {
  const std::lock_guard lock(mutex_);
  if (current(link)) {
    if (!detail.empty()) log(WHERRY_LOG_DEBUG, "gRPC: " + one_line(detail));
    drop_link(reason, text_of(reason));
  }
  for (Closing& one : closing_) {
    if (one.number == link) --one.lanes_left;
  }
  changed_.notify_all();
}

void Client::say_state(std::int32_t state, std::int32_t percent, std::int32_t reason,
                       const char* phase) {
  api_.on_state(host_, state, percent, reason, phase);
}

void Client::log(std::int32_t level, const std::string& text) {
  api_.log(host_, level, text.c_str());
}

void Client::diagnose() {
  const std::lock_guard lock(mutex_);
  log(WHERRY_LOG_INFO, settings_.proxy ? "the relay is reached through a SOCKS5 proxy"
                       : settings_.tor ? "the relay is reached over Tor"
                                       : "the relay is reached directly");
  if (life_ == Life::kOnline) {
    log(WHERRY_LOG_INFO, "connected; " + std::to_string(inboxes_.size()) + " inboxes, " +
                             std::to_string(queue_.size() + in_flight_.size()) +
                             " envelopes on the way");
    return;
  }
  if (!last_phase_.empty()) return log(WHERRY_LOG_INFO, last_phase_);
  const char* finding = "not connected";
  switch (last_reason_) {
    case WHERRY_REASON_REFUSED:
      finding = "nothing listens at the relay's address: is wherry-relay running there?";
      break;
    case WHERRY_REASON_UNREACHABLE:
    case WHERRY_REASON_TIMEOUT:
      finding = "the relay does not answer: check the network, the address and firewalls";
      break;
    case WHERRY_REASON_NAME_NOT_FOUND:
      finding = "the relay's host name does not resolve: check the setting and the name server";
      break;
    case WHERRY_REASON_WRONG_KEY:
      finding =
          "another server answers at the relay's address: compare the setting with the line "
          "that wherry-relay prints";
      break;
    case WHERRY_REASON_PROXY:
      finding = "the proxy can not be reached or refuses: check the setting proxy";
      break;
    case WHERRY_REASON_VERSION:
      finding = "the relay speaks another version: update the relay or this program";
      break;
    default:
      break;
  }
  log(WHERRY_LOG_INFO, finding);
}

}  // namespace wherry::transports::centralized
