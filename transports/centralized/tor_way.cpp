// Waits for a tor, and for what it dials.
#include "tor_way.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>

#include "transports/common/tor/tor_provider.h"

namespace wherry::transports::centralized {
namespace {

constexpr const char* kIsolation = "relay";  // all that goes over this tor goes there

class TorWay final : public Way, tor::Listener {
 public:
  TorWay(const ClientSettings& settings, WayCalls calls)
      : address_(onion_of(settings.relay.authority).value()),
        calls_(std::move(calls)),
        wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!wake_.valid()) throw std::system_error(errno, std::generic_category(), "eventfd");
    provider_ = tor::make_tor_provider(*settings.tor, *this);
    provider_->start();
  }
  ~TorWay() override {
    provider_->stop();
    provider_.reset();
  }

  // As long as tor says that it gets on, it is waited for; the deadline is for one that does not.
  Dialled dial(Deadline deadline, const Stopper& stopper) override {
    Dialled result;
    tor::Status before;
    {
      const std::lock_guard lock(mutex_);
      wanted_ = false;
      before = status_;
    }
    const bool ailing = before.state == WHERRY_TRANSPORT_STATE_DEGRADED;
    if (ailing) provider_->renew();
    for (;;) {
      const tor::Status now = status();
      if (now.state == WHERRY_TRANSPORT_STATE_ONLINE) break;
      const bool lost = now.state == WHERRY_TRANSPORT_STATE_DEGRADED;
      const bool waits = lost && ailing && now == before && Deadline::clock::now() < deadline;
      if (lost && !waits) return fail(now.reason, now.phase);
      if (!lost) calls_.progress(now.percent, now.phase);
      if (!wait(lost ? deadline : Deadline::max(), stopper)) return fail(WHERRY_REASON_STOPPED, "");
    }
    calls_.progress(100, "looking for the relay");
    {
      const std::lock_guard lock(mutex_);
      answer_.reset();
      ++last_dial_;
    }
    provider_->dial(last_dial_, {address_, std::nullopt, kIsolation});
    for (;;) {
      if (auto answer = take_answer()) {
        if (answer->reason != WHERRY_REASON_NONE) return fail(answer->reason, "");
        result.tunnel = open_tunnel(std::move(answer->stream));
        if (!result.tunnel) return fail(WHERRY_REASON_RESOURCE, "");
        result.address = "unix:" + result.tunnel->path();
        return result;
      }
      if (wait(Deadline::max(), stopper)) continue;
      provider_->give_up(last_dial_);
      return fail(WHERRY_REASON_STOPPED, "");
    }
  }

  void network_changed() override { provider_->renew(); }

 private:
  struct Answer {
    Descriptor stream;
    std::int32_t reason = 0;
  };

  void on_status(const tor::Status& status) override {
    bool back = false;
    {
      const std::lock_guard lock(mutex_);
      status_ = status;
      back = status.state == WHERRY_TRANSPORT_STATE_ONLINE && std::exchange(wanted_, false);
    }
    ::eventfd_write(wake_.get(), 1);
    if (back) calls_.try_again();
  }
  void on_published(std::uint64_t, std::int32_t) override {}  // we publish nothing,
  void on_stream(std::uint64_t, Descriptor) override {}       // so that nobody comes
  void on_dialled(std::uint64_t dial, Descriptor stream, std::int32_t reason) override {
    {
      const std::lock_guard lock(mutex_);
      if (dial != last_dial_) return;
      answer_ = {std::move(stream), reason};
    }
    ::eventfd_write(wake_.get(), 1);
  }
  void on_stopped() override {}

  tor::Status status() {
    const std::lock_guard lock(mutex_);
    return status_;
  }
  std::optional<Answer> take_answer() {
    const std::lock_guard lock(mutex_);
    return std::exchange(answer_, std::nullopt);
  }
  // False: stopped. Something may have happened, or the time is over.
  bool wait(Deadline deadline, const Stopper& stopper) {
    const DialError error = wait_for(wake_.get(), POLLIN, deadline, stopper);
    eventfd_t count = 0;
    ::eventfd_read(wake_.get(), &count);
    return error != DialError::kStopped;
  }
  Dialled fail(std::int32_t reason, std::string phase) {
    const std::lock_guard lock(mutex_);
    wanted_ = true;
    Dialled failed;
    failed.reason = reason;
    failed.phase = std::move(phase);
    return failed;
  }

  const std::string address_;
  const WayCalls calls_;
  const Descriptor wake_;
  std::unique_ptr<tor::Provider> provider_;
  std::uint64_t last_dial_ = 0;  // written by the dialling thread, under mutex_

  std::mutex mutex_;  // guards everything below
  tor::Status status_;
  bool wanted_ = false;  // the last dial failed
  std::optional<Answer> answer_;
};

}  // namespace

std::unique_ptr<Way> make_tor_way(const ClientSettings& settings, WayCalls calls) {
  return std::make_unique<TorWay>(settings, std::move(calls));
}

}  // namespace wherry::transports::centralized
