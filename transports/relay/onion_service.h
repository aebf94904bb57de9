// The relay as an onion service: whoever knows its address comes over Tor, and neither side learns
// where the other is.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "transports/common/relay_address.h"
#include "transports/common/tor/tor_provider.h"

namespace wherry::relay {

// What clients configure, of a service with this key.
[[nodiscard]] transports::RelayAddress onion_address_of(const transports::tor::Seed& key);

class OnionService final : transports::tor::Listener {
 public:
  struct Calls {
    // Both on a thread of the door's.
    std::function<void(transports::Descriptor connection)> take;
    std::function<void()> on_published;  // once
  };

  // Begins to publish it.
  OnionService(const transports::tor::Seed& key, transports::tor::TorSettings settings,
               Calls calls);
  OnionService(const OnionService&) = delete;
  OnionService& operator=(const OnionService&) = delete;
  ~OnionService();  // nobody comes any more; a tor of our own has ended

  // Waits until tor is there. False: it can not be used, and `error` says why. That the network is
  // away, or does not let tor in, is not an error: it goes on by itself.
  [[nodiscard]] bool wait_for_tor(std::string& error);

  // Called about once a second: begins anew what has ended or was refused, and has the connections
  // of a tor without a network made anew; less and less often.
  void tick(std::int64_t now_s);

 private:
  void on_status(const transports::tor::Status& status) override;
  void on_published(std::uint64_t service, std::int32_t reason) override;
  void on_stream(std::uint64_t service, transports::Descriptor stream) override;
  void on_dialled(std::uint64_t dial, transports::Descriptor stream, std::int32_t reason) override;
  void on_stopped() override;

  const Calls calls_;
  const transports::tor::Service service_;
  std::int64_t again_at_s_ = 0;  // tick's own; 0: nothing is to be done yet
  std::int64_t pause_s_ = 0;
  bool published_ = false;  // the provider's thread's own

  std::mutex mutex_;  // guards what follows, up to provider_
  std::condition_variable changed_;
  transports::tor::Status status_;
  bool refused_ = false;  // the service was not published
  std::unique_ptr<transports::tor::Provider> provider_;
};

}  // namespace wherry::relay
