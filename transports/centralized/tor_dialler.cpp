// Waits for a tor, and for what it dials.
#include "tor_dialler.h"

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

class TorDialler final : public Dialler, tor::Listener {
 public:
  TorDialler(const ClientSettings& settings, DiallerCalls calls)
      : address_(onion_of(settings.relay.authority).value()),
        calls_(std::move(calls)),
        wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!wake_.valid()) throw std::system_error(errno, std::generic_category(), "eventfd");
    provider_ = tor::make_tor_provider(*settings.tor, *this);
    provider_->start();
  }
  ~TorDialler() override {
    provider_->stop();
    provider_.reset();
  }

  // A tor that starts is waited for, since it says itself when it does not get on; the deadline is
  // for one that was degraded, and is told to do something about it.
  Dialled dial(Deadline deadline, const Stopper& stopper) override {
    const tor::Status before = status();
    const bool was_degraded = before.state == WHERRY_TRANSPORT_STATE_DEGRADED;
    if (was_degraded) provider_->renew();
    for (;;) {
      const tor::Status now = status();
      if (now.state == WHERRY_TRANSPORT_STATE_ONLINE) break;
      const bool lost = now.state == WHERRY_TRANSPORT_STATE_DEGRADED;
      const bool waits = lost && was_degraded && now == before && Deadline::clock::now() < deadline;
      if (lost && !waits) return fail(now.reason, now.phase);
      if (now.state == WHERRY_TRANSPORT_STATE_STARTING) calls_.progress(now.percent, now.phase);
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
        return through_tunnel(std::move(answer->stream));
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
    {
      const std::lock_guard lock(mutex_);
      status_ = status;
    }
    ::eventfd_write(wake_.get(), 1);
    if (status.state == WHERRY_TRANSPORT_STATE_ONLINE) calls_.try_again();
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
  static Dialled fail(std::int32_t reason, std::string phase) {
    Dialled failed;
    failed.reason = reason;
    failed.phase = std::move(phase);
    return failed;
  }

  const std::string address_;
  const DiallerCalls calls_;
  const Descriptor wake_;
  std::unique_ptr<tor::Provider> provider_;
  std::uint64_t last_dial_ = 0;  // written by the dialling thread, under mutex_

  std::mutex mutex_;  // guards everything below
  tor::Status status_;
  std::optional<Answer> answer_;
};

}  // namespace

std::unique_ptr<Dialler> make_tor_dialler(const ClientSettings& settings, DiallerCalls calls) {
  return std::make_unique<TorDialler>(settings, std::move(calls));
}

}  // namespace wherry::transports::centralized
