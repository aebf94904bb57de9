// Keeps the relay's onion service up.
#include "onion_door.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "include/wherry/transport.h"
#include "transports/common/crypto.h"
#include "transports/common/tor/onion_address.h"

namespace wherry::relay {
namespace {

using transports::tor::Status;

constexpr std::uint64_t kService = 1;
constexpr std::chrono::seconds kTorLimit{15};
constexpr std::int64_t kPauseMinS = 5;  // until something is done about what is the matter
constexpr std::int64_t kPauseMaxS = 300;

// Of the network, which comes and goes.
bool passes(std::int32_t reason) {
  return reason == WHERRY_REASON_NO_NETWORK || reason == WHERRY_REASON_CLOCK_WRONG ||
         reason == WHERRY_REASON_BRIDGE_NEEDED;
}

std::string complaint(const Status& status) {
  switch (status.reason) {
    case WHERRY_REASON_TOR_MISSING:
      return "there is no program tor: install it (Debian: apt install tor), or say where it is "
             "by --tor";
    case WHERRY_REASON_CLOCK_WRONG:
      return "tor: this machine's clock is wrong: set it";
    case WHERRY_REASON_NO_NETWORK:
      return "tor: this machine has no network";
    case WHERRY_REASON_BRIDGE_NEEDED:
      return "tor: its network does not answer: where it is blocked, bridges in --torrc may help";
    default:
      return "tor: " + (status.phase.empty() ? "it can not be used" : status.phase);
  }
}

}  // namespace

transports::RelayAddress onion_address_of(const transports::tor::Seed& key) {
  const transports::PublicKey service = transports::SigningKey(key).public_key();
  return transports::onion_relay(transports::tor::address_of(service)).value();
}

OnionDoor::OnionDoor(const transports::tor::Seed& key, transports::tor::TorSettings settings,
                     Calls calls)
    : calls_(std::move(calls)),
      provider_(transports::tor::make_tor_provider(std::move(settings), *this)) {
  provider_->start();
  provider_->publish(kService, {key, {}});
}

OnionDoor::~OnionDoor() {
  provider_->stop();
  provider_.reset();
}

bool OnionDoor::wait_for_tor(std::string& error) {
  std::unique_lock lock(mutex_);
  const auto said = [&] {
    return status_.state == WHERRY_TRANSPORT_STATE_ONLINE ||
           status_.state == WHERRY_TRANSPORT_STATE_DEGRADED || status_.percent > 0;
  };
  const bool is_there = changed_.wait_for(lock, kTorLimit, said);
  if (is_there && (status_.state != WHERRY_TRANSPORT_STATE_DEGRADED || passes(status_.reason))) {
    return true;
  }
  error = is_there ? complaint(status_) : "tor does not answer";
  return false;
}

void OnionDoor::tick(std::int64_t now_s) {
  const std::lock_guard lock(mutex_);
  if (status_.state != WHERRY_TRANSPORT_STATE_DEGRADED) {
    again_at_s_ = 0;
    if (status_.state == WHERRY_TRANSPORT_STATE_ONLINE) pause_s_ = 0;
    return;
  }
  if (again_at_s_ == 0) {
    pause_s_ = std::clamp(pause_s_ * 2, kPauseMinS, kPauseMaxS);
    again_at_s_ = now_s + pause_s_;
  } else if (again_at_s_ <= now_s) {
    again_at_s_ = 0;
    provider_->renew();
  }
}

void OnionDoor::on_status(const Status& status) {
  if (status.state == WHERRY_TRANSPORT_STATE_DEGRADED) {
    spdlog::warn("{}", complaint(status));
  } else if (status.state == WHERRY_TRANSPORT_STATE_STARTING) {
    spdlog::info("tor: {} %, {}", status.percent, status.phase);
  }
  const std::lock_guard lock(mutex_);
  status_ = status;
  changed_.notify_all();
}

void OnionDoor::on_published(std::uint64_t, std::int32_t reason) {
  if (reason != WHERRY_REASON_NONE) {
    spdlog::warn("tor: the relay's address can not be published; it is tried again");
  } else if (!std::exchange(published_, true)) {
    calls_.on_published();
  }
}

void OnionDoor::on_stream(std::uint64_t, transports::Descriptor stream) {
  calls_.take(std::move(stream));
}

void OnionDoor::on_dialled(std::uint64_t, transports::Descriptor, std::int32_t) {
}  // we dial nobody

void OnionDoor::on_stopped() {}

}  // namespace wherry::relay
