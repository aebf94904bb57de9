// How fast the relay is: two instances of the centralized transport against a running relay, many
// envelopes at once, then one at a time.
//
//   relay_bench ADDRESS [ENVELOPES] [SIZE] [INBOXES]
//
// ADDRESS is what wherry-relay prints. Start that with --inbox-envelopes 1000000 --rate 10000000.
// Prints lines "name value unit".
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "include/wherry/transport.h"
#include "transports/centralized/centralized.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kFirst = 1;

// The least host: acknowledges at once, counts, remembers when things happened.
struct Host {
  std::mutex mutex;
  std::condition_variable changed;
  bool online = false;
  bool stopped = false;
  bool writable = false;
  std::size_t stored = 0;
  std::size_t failed = 0;
  std::size_t received = 0;
  std::vector<std::string> endpoints;
  std::vector<wherry_receipt> receipts;
  Clock::time_point stored_at;
  Clock::time_point received_at;

  template <class Predicate>
  void wait(Predicate predicate) {
    std::unique_lock lock(mutex);
    if (!changed.wait_for(lock, std::chrono::seconds(120), predicate)) {
      std::fprintf(stderr, "no progress: stored %zu failed %zu received %zu\n", stored, failed,
                   received);
      std::_Exit(1);
    }
  }
};

Host& of(wherry_transport_host* host) {
  return *reinterpret_cast<Host*>(host);
}

wherry_transport_host_api make_api() {
  wherry_transport_host_api api{};
  api.size = sizeof(api);
  api.on_state = [](wherry_transport_host* h, std::int32_t state, std::int32_t, std::int32_t reason,
                    const char*) {
    Host& host = of(h);
    const std::lock_guard lock(host.mutex);
    host.online = state == WHERRY_TRANSPORT_STATE_ONLINE;
    if (state == WHERRY_TRANSPORT_STATE_DEGRADED) {
      std::fprintf(stderr, "degraded: reason %d\n", reason);
      std::_Exit(1);
    }
    host.changed.notify_all();
  };
  api.on_inbox = [](wherry_transport_host* h, std::uint64_t inbox, const char* endpoint,
                    std::int32_t) {
    Host& host = of(h);
    const std::lock_guard lock(host.mutex);
    if (host.endpoints.size() <= inbox) host.endpoints.resize(inbox + 1);
    host.endpoints[inbox] = endpoint != nullptr ? endpoint : "";
    host.changed.notify_all();
  };
  api.on_peer = [](wherry_transport_host*, std::uint64_t, std::int32_t, std::int32_t) {};
  api.on_writable = [](wherry_transport_host* h, std::uint64_t) {
    Host& host = of(h);
    const std::lock_guard lock(host.mutex);
    host.writable = true;
    host.changed.notify_all();
  };
  api.on_receive = [](wherry_transport_host* h, std::uint64_t inbox, const wherry_incoming* some,
                      std::size_t count) {
    Host& host = of(h);
    const std::lock_guard lock(host.mutex);
    for (std::size_t i = 0; i < count; ++i) host.receipts.push_back({inbox, some[i].receipt});
    host.received += count;
    host.received_at = Clock::now();
    host.changed.notify_all();
    return count;
  };
  api.on_sent = [](wherry_transport_host* h, const wherry_sent* sent, std::size_t count) {
    Host& host = of(h);
    const std::lock_guard lock(host.mutex);
    for (std::size_t i = 0; i < count; ++i) {
      ++(sent[i].outcome == WHERRY_OUTCOME_STORED ? host.stored : host.failed);
    }
    host.stored_at = Clock::now();
    host.changed.notify_all();
  };
  api.on_bundle = [](wherry_transport_host*, std::uint64_t, wherry_bytes, std::int32_t) {};
  api.on_look_up = [](wherry_transport_host*, std::uint64_t, const char*, std::int32_t) {};
  api.on_stopped = [](wherry_transport_host* h) {
    Host& host = of(h);
    const std::lock_guard lock(host.mutex);
    host.stopped = true;
    host.changed.notify_all();
  };
  api.state_get = [](wherry_transport_host*, const char*, std::uint8_t*, std::size_t) {
    return std::int64_t{-1};
  };
  api.state_set = [](wherry_transport_host*, const char*, wherry_bytes) { return std::int32_t{0}; };
  api.log = [](wherry_transport_host*, std::int32_t, const char*) {};
  return api;
}

const wherry_transport_host_api kApi = make_api();
const wherry_transport_plugin& kPlugin = *wherry_transport_centralized();

wherry_transport* start(Host& host, const char* address) {
  const wherry_setting setting{"relay", address};
  wherry_transport* transport = nullptr;
  if (kPlugin.create(&transport, &kApi, reinterpret_cast<wherry_transport_host*>(&host), &setting,
                     1) != WHERRY_TRANSPORT_OK ||
      kPlugin.start(transport) != WHERRY_TRANSPORT_OK) {
    std::fprintf(stderr, "cannot start with this address\n");
    std::_Exit(1);
  }
  host.wait([&] { return host.online; });
  return transport;
}

void stop(Host& host, wherry_transport* transport) {
  kPlugin.stop(transport);
  host.wait([&] { return host.stopped; });
  kPlugin.destroy(transport);
}

// Acknowledges what came; on a thread of the host's own, as an engine does after its commit.
void acknowledge(Host& host, wherry_transport* transport) {
  std::vector<wherry_receipt> receipts;
  {
    const std::lock_guard lock(host.mutex);
    receipts.swap(host.receipts);
  }
  if (!receipts.empty()) kPlugin.ack(transport, receipts.data(), receipts.size());
}

struct Load {
  std::size_t envelopes;
  std::size_t size;
  std::uint64_t inboxes;
};

// Everything differs, as sealed envelopes do.
void fill(std::vector<std::uint8_t>& bytes, std::uint64_t which) {
  for (std::size_t i = 0; i < bytes.size() && i < sizeof(which); ++i) {
    bytes[i] = static_cast<std::uint8_t>(which >> (8 * i));
  }
}

void measure_throughput(Host& alice, wherry_transport* from, Host& bob, wherry_transport* to,
                        const Load& load) {
  constexpr std::size_t kBatch = 256;
  std::vector<std::vector<std::uint8_t>> bodies(kBatch, std::vector<std::uint8_t>(load.size, 7));
  std::vector<wherry_outgoing> batch(kBatch);
  const auto begin = Clock::now();
  std::atomic<bool> done{false};
  std::thread acknowledger([&] {
    while (!done) {
      bob.wait([&] { return done || !bob.receipts.empty(); });
      acknowledge(bob, to);
    }
  });
  for (std::size_t sent = 0; sent < load.envelopes;) {
    const std::size_t count = std::min(kBatch, load.envelopes - sent);
    for (std::size_t i = 0; i < count; ++i) {
      fill(bodies[i], sent + i + 1);
      batch[i] = {kFirst + (sent / 32) % load.inboxes,
                  0,
                  sent + i + 1,
                  {bodies[i].data(), bodies[i].size()}};
    }
    std::size_t taken = 0;
    while (taken < count) {
      {
        const std::lock_guard lock(alice.mutex);
        alice.writable = false;
      }
      std::size_t accepted = 0;
      kPlugin.send(from, batch.data() + taken, count - taken, &accepted);
      taken += accepted;
      if (taken < count) alice.wait([&] { return alice.writable; });
    }
    sent += count;
  }
  alice.wait([&] { return alice.stored + alice.failed == load.envelopes; });
  bob.wait([&] { return bob.received >= alice.stored; });
  done = true;
  bob.changed.notify_all();
  acknowledger.join();
  const auto rate = [&](Clock::time_point end) {
    return static_cast<double>(load.envelopes) / std::chrono::duration<double>(end - begin).count();
  };
  std::printf("stored_rate %.0f msgs/s\n", rate(alice.stored_at));
  std::printf("delivered_rate %.0f msgs/s\n", rate(bob.received_at));
  std::printf("failed %zu msgs\n", alice.failed);
}

void measure_latency(Host& alice, wherry_transport* from, Host& bob, wherry_transport* to,
                     const Load& load) {
  constexpr std::size_t kRounds = 2000;
  std::vector<double> there_ms;
  std::vector<double> stored_ms;
  std::vector<std::uint8_t> body(load.size, 9);
  for (std::size_t i = 0; i < kRounds; ++i) {
    fill(body, 1'000'000'000 + i);
    const std::size_t stored = alice.stored;
    const std::size_t received = bob.received;
    const wherry_outgoing one{kFirst, 0, 1'000'000'000 + i, {body.data(), body.size()}};
    std::size_t accepted = 0;
    const auto begin = Clock::now();
    kPlugin.send(from, &one, 1, &accepted);
    bob.wait([&] { return bob.received > received; });
    alice.wait([&] { return alice.stored > stored; });
    const auto ms = [&](Clock::time_point end) {
      return std::chrono::duration<double, std::milli>(end - begin).count();
    };
    there_ms.push_back(ms(bob.received_at));
    stored_ms.push_back(ms(alice.stored_at));
    acknowledge(bob, to);
  }
  const auto print = [](const char* name, std::vector<double>& values) {
    std::sort(values.begin(), values.end());
    std::printf("%s_median %.3f ms\n%s_p99 %.3f ms\n", name, values[values.size() / 2], name,
                values[values.size() * 99 / 100]);
  };
  print("one_way", there_ms);
  print("stored", stored_ms);
}

std::size_t argument(int argc, char** argv, int index, std::size_t fallback) {
  return argc > index ? std::strtoul(argv[index], nullptr, 10) : fallback;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: relay_bench ADDRESS [ENVELOPES] [SIZE] [INBOXES]\n");
    return 2;
  }
  const Load load{argument(argc, argv, 2, 200'000), argument(argc, argv, 3, 256),
                  argument(argc, argv, 4, 4)};
  Host alice;
  Host bob;
  wherry_transport* to = start(bob, argv[1]);
  wherry_transport* from = start(alice, argv[1]);
  for (std::uint64_t i = 0; i < load.inboxes; ++i) {
    std::vector<std::uint8_t> secret(32, static_cast<std::uint8_t>(i + 1));
    const auto now = Clock::now().time_since_epoch().count();
    std::memcpy(secret.data(), &now, sizeof(now));  // an inbox of this run alone
    kPlugin.open_inbox(to, kFirst + i, secret.data());
    bob.wait(
        [&] { return bob.endpoints.size() > kFirst + i && !bob.endpoints[kFirst + i].empty(); });
    wherry_reveals reveals{};
    kPlugin.add_peer(from, kFirst + i, bob.endpoints[kFirst + i].c_str(), nullptr, &reveals);
  }
  measure_throughput(alice, from, bob, to, load);
  measure_latency(alice, from, bob, to, load);
  stop(alice, from);
  stop(bob, to);
  return 0;
}
