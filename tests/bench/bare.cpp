// A host that does nothing but count, and what is measured with two of them.
#include "bare.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "meters.h"

namespace wherry::bench {

struct HostCalls {
  static Bare& of(wherry_transport_host* host) { return *reinterpret_cast<Bare*>(host); }

  template <class Change>
  static void note(wherry_transport_host* host, Change change) {
    Bare& bare = of(host);
    const std::lock_guard lock(bare.mutex_);
    change(bare);
    bare.changed_.notify_all();
  }

  static wherry_transport_host_api make() {
    wherry_transport_host_api api{};
    api.size = sizeof(api);
    api.on_state = [](wherry_transport_host* host, std::int32_t state, std::int32_t,
                      std::int32_t reason, const char*) {
      if (state == WHERRY_TRANSPORT_STATE_DEGRADED || state == WHERRY_TRANSPORT_STATE_FAILED) {
        std::fprintf(stderr, "not online: reason %d\n", reason);
        std::_Exit(1);
      }
      note(host, [&](Bare& bare) { bare.counts_.online = state == WHERRY_TRANSPORT_STATE_ONLINE; });
    };
    api.on_inbox = [](wherry_transport_host* host, std::uint64_t inbox, const char* endpoint,
                      std::int32_t) {
      note(host, [&](Bare& bare) {
        if (bare.endpoints_.size() <= inbox) bare.endpoints_.resize(inbox + 1);
        bare.endpoints_[inbox] = endpoint != nullptr ? endpoint : "";
      });
    };
    api.on_peer = [](wherry_transport_host* host, std::uint64_t, std::int32_t state,
                     std::int32_t reason) {
      if (reason == WHERRY_REASON_NEARBY) note(host, [](Bare& bare) { ++bare.counts_.nearby; });
      if (state != WHERRY_PEER_STATE_REACHABLE) return;
      note(host, [](Bare& bare) {
        ++bare.counts_.connected;
        bare.counts_.connected_at = SteadyClock::now();
      });
    };
    api.on_writable = [](wherry_transport_host* host, std::uint64_t) {
      note(host, [](Bare& bare) { bare.counts_.writable = true; });
    };
    api.on_receive = [](wherry_transport_host* host, std::uint64_t inbox,
                        const wherry_incoming* some, std::size_t count) {
      note(host, [&](Bare& bare) {
        for (std::size_t i = 0; i < count; ++i) bare.receipts_.push_back({inbox, some[i].receipt});
        bare.counts_.received += count;
        bare.counts_.received_at = SteadyClock::now();
      });
      return count;
    };
    api.on_sent = [](wherry_transport_host* host, const wherry_sent* sent, std::size_t count) {
      note(host, [&](Bare& bare) {
        for (std::size_t i = 0; i < count; ++i) {
          if (sent[i].outcome == WHERRY_OUTCOME_HANDED) {
            ++bare.counts_.handed;
          } else if (sent[i].outcome == WHERRY_OUTCOME_STORED) {
            ++bare.counts_.stored;
          } else {
            ++bare.counts_.failed;
          }
        }
        bare.counts_.confirmed_at = SteadyClock::now();
      });
    };
    api.on_bundle = [](wherry_transport_host*, std::uint64_t, wherry_bytes, std::int32_t) {};
    api.on_look_up = [](wherry_transport_host*, std::uint64_t, const char*, std::int32_t) {};
    api.on_stopped = [](wherry_transport_host* host) {
      note(host, [](Bare& bare) { bare.counts_.stopped = true; });
    };
    api.state_get = [](wherry_transport_host*, const char*, std::uint8_t*, std::size_t) {
      return std::int64_t{-1};
    };
    api.state_set = [](wherry_transport_host*, const char*, wherry_bytes) {
      return std::int32_t{0};
    };
    api.log = [](wherry_transport_host*, std::int32_t, const char*) {};
    return api;
  }
};

namespace {

const wherry_transport_host_api kApi = HostCalls::make();

void must(std::int32_t status, const char* what) {
  if (status == WHERRY_TRANSPORT_OK) return;
  std::fprintf(stderr, "%s: the transport answers %d\n", what, status);
  std::_Exit(1);
}

// Everything differs, as sealed envelopes do.
void fill(std::vector<std::uint8_t>& bytes, std::uint64_t which) {
  std::memcpy(bytes.data(), &which, std::min(bytes.size(), sizeof(which)));
}

}  // namespace

template <class Predicate>
void Bare::wait(Predicate predicate) {
  std::unique_lock lock(mutex_);
  if (changed_.wait_for(lock, std::chrono::seconds(120), predicate)) return;
  std::fprintf(stderr, "no progress: confirmed %zu failed %zu received %zu\n", counts_.confirmed(),
               counts_.failed, counts_.received);
  std::_Exit(1);
}

Bare::Bare(const wherry_transport_plugin& plugin, std::vector<wherry_setting> settings)
    : plugin_(plugin) {
  must(plugin_.create(&transport_, &kApi, reinterpret_cast<wherry_transport_host*>(this),
                      settings.data(), settings.size()),
       "create");
  must(plugin_.start(transport_), "start");
  wait([&] { return counts_.online; });
}

Bare::~Bare() {
  plugin_.stop(transport_);
  wait([&] { return counts_.stopped; });
  plugin_.destroy(transport_);
}

std::string Bare::open_inbox(std::uint64_t inbox) {
  std::vector<std::uint8_t> secret(32, static_cast<std::uint8_t>(inbox));
  const auto now = SteadyClock::now().time_since_epoch().count();
  std::memcpy(secret.data(), &now, sizeof(now));  // an inbox of this run alone
  must(plugin_.open_inbox(transport_, inbox, secret.data(), WHERRY_AUDIENCE_CONTACT), "open_inbox");
  wait([&] { return endpoints_.size() > inbox && !endpoints_[inbox].empty(); });
  const std::lock_guard lock(mutex_);
  return endpoints_[inbox];
}

void Bare::add_peer(std::uint64_t peer, const std::string& endpoint) {
  wherry_reveals reveals{};
  must(plugin_.add_peer(transport_, peer, endpoint.c_str(), nullptr, &reveals), "add_peer");
}

void Bare::remove_peer(std::uint64_t peer) {
  must(plugin_.remove_peer(transport_, peer), "remove_peer");
}

double Bare::connect_ms(std::uint64_t peer) {
  std::size_t before = 0;
  {
    const std::lock_guard lock(mutex_);
    before = counts_.connected;
  }
  const auto begin = SteadyClock::now();
  must(plugin_.connect_peer(transport_, peer), "connect_peer");
  wait([&] { return counts_.connected > before; });
  const std::lock_guard lock(mutex_);
  return milliseconds(begin, counts_.connected_at);
}

double Bare::find_ms(std::uint64_t peer, const std::string& endpoint) {
  const auto begin = SteadyClock::now();
  add_peer(peer, endpoint);
  wait([&] { return counts_.nearby > 0; });
  connect_ms(peer);
  const std::lock_guard lock(mutex_);
  return milliseconds(begin, counts_.connected_at);
}

void Bare::acknowledge() {
  std::vector<wherry_receipt> receipts;
  {
    const std::lock_guard lock(mutex_);
    receipts.swap(receipts_);
  }
  if (!receipts.empty()) plugin_.ack(transport_, receipts.data(), receipts.size());
}

// ---- What two of them do ------------------------------------------------------------------------

// From alice to bob.
struct Talk {
  Bare& alice;
  Bare& bob;

  void send(std::vector<wherry_outgoing>& batch) {
    std::size_t taken = 0;
    while (taken < batch.size()) {
      {
        const std::lock_guard lock(alice.mutex_);
        alice.counts_.writable = false;
      }
      std::size_t accepted = 0;
      const std::int32_t status = alice.plugin_.send(alice.transport_, batch.data() + taken,
                                                     batch.size() - taken, &accepted);
      if (status != WHERRY_TRANSPORT_E_FULL) must(status, "send");
      taken += accepted;
      if (taken < batch.size()) alice.wait([&] { return alice.counts_.writable; });
    }
  }

  Throughput many(const Load& load) {
    constexpr std::size_t kBatch = 256;
    std::vector<std::vector<std::uint8_t>> bodies(kBatch, std::vector<std::uint8_t>(load.size, 7));
    std::vector<wherry_outgoing> batch;
    const auto begin = SteadyClock::now();
    std::atomic<bool> done{false};
    std::thread acknowledger([&] {
      while (!done) {
        bob.wait([&] { return done || !bob.receipts_.empty(); });
        bob.acknowledge();
      }
    });
    for (std::size_t sent = 0; sent < load.envelopes; sent += batch.size()) {
      batch.clear();
      while (batch.size() < std::min(kBatch, load.envelopes - sent)) {
        std::vector<std::uint8_t>& body = bodies[batch.size()];
        const std::uint64_t id = sent + batch.size() + 1;
        fill(body, id);
        batch.push_back({1 + (sent / 32) % load.inboxes, 0, id, {body.data(), body.size()}});
      }
      send(batch);
    }
    alice.wait([&] { return alice.counts_.confirmed() + alice.counts_.failed >= load.envelopes; });
    bob.wait([&] { return bob.counts_.received >= alice.counts_.confirmed(); });
    {
      const std::lock_guard lock(bob.mutex_);
      done = true;
    }
    bob.changed_.notify_all();
    acknowledger.join();
    const auto envelopes = static_cast<double>(load.envelopes);
    return {envelopes / seconds(begin, alice.counts_.confirmed_at),
            envelopes / seconds(begin, bob.counts_.received_at), alice.counts_.failed};
  }

  void single(const Load& load) {
    constexpr std::size_t kRounds = 2000;
    std::vector<double> there_ms;
    std::vector<double> confirmed_ms;
    std::vector<std::uint8_t> body(load.size, 9);
    for (std::size_t i = 0; i < kRounds; ++i) {
      const std::uint64_t id = 1'000'000'000 + i;
      fill(body, id);
      const std::size_t confirmed = alice.counts_.confirmed();
      const std::size_t received = bob.counts_.received;
      std::vector<wherry_outgoing> batch{{1, 0, id, {body.data(), body.size()}}};
      const auto begin = SteadyClock::now();
      send(batch);
      bob.wait([&] { return bob.counts_.received > received; });
      bob.acknowledge();
      alice.wait([&] { return alice.counts_.confirmed() > confirmed; });
      there_ms.push_back(milliseconds(begin, bob.counts_.received_at));
      confirmed_ms.push_back(milliseconds(begin, alice.counts_.confirmed_at));
    }
    print_spread("one_way", there_ms);
    print_spread("confirmed", confirmed_ms);
  }
};

std::vector<wherry_setting> loopback_links() {
  return {{"listen", "127.0.0.1:0"}, {"allow", "127.0.0.0/8"}};
}

void meet(Bare& alice, Bare& bob, const Load& load) {
  for (std::uint64_t i = 1; i <= load.inboxes; ++i) alice.add_peer(i, bob.open_inbox(i));
}

std::vector<double> connect_times_ms(Bare& alice, const std::string& endpoint, std::size_t times) {
  std::vector<double> out;
  while (out.size() < times) {
    alice.add_peer(1, endpoint);
    out.push_back(alice.connect_ms(1));
    alice.remove_peer(1);
  }
  return out;
}

Throughput throughput_of(Bare& alice, Bare& bob, const Load& load) {
  return Talk{alice, bob}.many(load);
}

void measure_throughput(Bare& alice, Bare& bob, const Load& load) {
  const Throughput found = throughput_of(alice, bob, load);
  print("confirmed_rate", found.confirmed, "msgs/s");
  print("delivered_rate", found.delivered, "msgs/s");
  print("failed", static_cast<double>(found.failed), "msgs");
}

void measure_latency(Bare& alice, Bare& bob, const Load& load) {
  Talk{alice, bob}.single(load);
}

}  // namespace wherry::bench
