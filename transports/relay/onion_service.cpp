// Keeps the relay's onion service up.
#include "onion_service.h"

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
  return reason == WHERRY_REASON_NO_NETWORK || reason == WHERRY_REASON_UNREACHABLE ||
         reason == WHERRY_REASON_CLOCK_WRONG || reason == WHERRY_REASON_BRIDGE_NEEDED;
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

OnionService::OnionService(const transports::tor::Seed& key, transports::tor::TorSettings settings,
                           Calls calls)
    : calls_(std::move(calls)),
      service_{key, {}},
      provider_(transports::tor::make_tor_provider(std::move(settings), *this)) {
  provider_->start();
  provider_->publish(kService, service_);
}

OnionService::~OnionService() {
  provider_->stop();
  provider_.reset();
}

bool OnionService::wait_for_tor(std::string& error) {
  std::unique_lock lock(mutex_);
  const auto said = [&] {
    return status_.state == WHERRY_TRANSPORT_STATE_ONLINE ||
           status_.state == WHERRY_TRANSPORT_STATE_DEGRADED || status_.percent > 0;
  };
  // One that says nothing has no network: a tor that does not even start is DEGRADED before that.
  changed_.wait_for(lock, kTorLimit, said);
  if (status_.state != WHERRY_TRANSPORT_STATE_DEGRADED || passes(status_.reason)) return true;
  error = complaint(status_);
  return false;
}

void OnionService::tick(std::int64_t now_s) {
  const std::lock_guard lock(mutex_);
  const bool online = status_.state == WHERRY_TRANSPORT_STATE_ONLINE;
  const bool ails = status_.state == WHERRY_TRANSPORT_STATE_DEGRADED || (online && refused_);
  if (!ails) {
    again_at_s_ = 0;
    if (online) pause_s_ = 0;
  } else if (again_at_s_ == 0) {
    pause_s_ = std::clamp(pause_s_ * 2, kPauseMinS, kPauseMaxS);
    again_at_s_ = now_s + pause_s_;
  } else if (again_at_s_ <= now_s) {
    again_at_s_ = 0;
    if (std::exchange(refused_, false)) {
      provider_->withdraw(kService);
      provider_->publish(kService, service_);
    } else {
      provider_->renew();
    }
  }
}

void OnionService::on_status(const Status& status) {
  if (status.state == WHERRY_TRANSPORT_STATE_DEGRADED) {
    spdlog::warn("{}", complaint(status));
  } else if (status.state == WHERRY_TRANSPORT_STATE_STARTING) {
    spdlog::info("tor: {} %, {}", status.percent, status.phase);
  } else {
    spdlog::info("tor: in its network");
  }
  const std::lock_guard lock(mutex_);
  status_ = status;
  changed_.notify_all();
}

void OnionService::on_published(std::uint64_t, std::int32_t reason) {
  {
    const std::lock_guard lock(mutex_);
    refused_ = reason != WHERRY_REASON_NONE;
  }
  if (reason != WHERRY_REASON_NONE) {
    spdlog::warn("tor: the relay's address can not be published; it is tried again");
  } else if (!std::exchange(published_, true)) {
    calls_.on_published();
  }
}

void OnionService::on_stream(std::uint64_t, transports::Descriptor stream) {
  calls_.take(std::move(stream));
}

void OnionService::on_dialled(std::uint64_t, transports::Descriptor, std::int32_t) {
}  // we dial nobody

void OnionService::on_stopped() {}

}  // namespace wherry::relay
