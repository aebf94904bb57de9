// What the contract's tests share: two hosts, and the moves that most tests make.
#include "tests/contract/contract.h"

#include <algorithm>
#include <set>

namespace wherry::test {

void PrintTo(const TransportUnderTest& transport, std::ostream* out) {
  *out << transport.name;
}

std::string name_of(const ::testing::TestParamInfo<TransportUnderTest>& info) {
  return info.param.name;
}

void TransportContract::SetUp() {
  fixture_ = GetParam().make();
  ASSERT_NE(fixture_.plugin, nullptr);
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    hosts_[i] = std::make_unique<TransportHost>(*fixture_.plugin, *fixture_.pump,
                                                fixture_.settings[i], &memories_[i]);
  }
}

void TransportContract::TearDown() {
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    if (hosts_[i] == nullptr) continue;
    if (hosts_[i]->exists() && hosts_[i]->running()) {
      EXPECT_TRUE(hosts_[i]->stop_and_wait(kStopLimitMs)) << "on_stopped did not follow";
    }
    if (hosts_[i]->exists()) hosts_[i]->destroy();
    for (const std::string& text : hosts_[i]->violations()) violations_.push_back(text);
  }
  for (const std::string& text : violations_) ADD_FAILURE() << "rule broken: " << text;
}

Bytes TransportContract::secret(std::uint8_t which) {
  Bytes bytes(WHERRY_TRANSPORT_SECRET_SIZE);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(which * 37U + i * 11U + 5U);
  }
  return bytes;
}

Bytes TransportContract::envelope(std::size_t size, std::uint32_t which) {
  Bytes bytes(size);
  std::uint32_t state = which * 2654435761U + 12345U;
  for (std::uint8_t& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<std::uint8_t>(state >> 24U);
  }
  for (std::size_t i = 0; i < std::min<std::size_t>(size, 4); ++i) {
    bytes[i] = static_cast<std::uint8_t>(which >> (8U * i));
  }
  return bytes;
}

void TransportContract::renew(std::size_t which) {
  for (const std::string& text : hosts_[which]->violations()) violations_.push_back(text);
  hosts_[which] = std::make_unique<TransportHost>(*fixture_.plugin, *fixture_.pump,
                                                  fixture_.settings[which], &memories_[which]);
}

std::string TransportContract::connect() {
  for (const auto& host : hosts_) {
    EXPECT_EQ(host->create(), WHERRY_TRANSPORT_OK);
    EXPECT_TRUE(host->start_and_wait(kLimitMs)) << "not online";
  }
  const std::string endpoint = open(bob(), kInbox, 1);
  EXPECT_EQ(alice().add_peer(kPeer, endpoint), WHERRY_TRANSPORT_OK);
  return endpoint;
}

std::string TransportContract::open(TransportHost& host, std::uint64_t inbox,
                                    std::uint8_t which_secret) {
  EXPECT_EQ(host.open_inbox(inbox, secret(which_secret)), WHERRY_TRANSPORT_OK);
  EXPECT_TRUE(until([&] { return host.endpoint(inbox).has_value(); })) << "no endpoint";
  return host.endpoint(inbox).value_or("");
}

std::vector<std::uint64_t> TransportContract::send_all(TransportHost& host, std::uint64_t peer,
                                                       const std::vector<Bytes>& envelopes) {
  std::vector<wherry_outgoing> waiting;
  std::vector<std::uint64_t> ids;
  for (const Bytes& bytes : envelopes) {
    ids.push_back(next_send_id_++);
    waiting.push_back({peer, 0, ids.back(), {bytes.data(), bytes.size()}});
  }
  while (!waiting.empty()) {
    const std::size_t before = host.writable_count();
    std::size_t accepted = 0;
    const std::int32_t status = host.send(waiting, &accepted);
    EXPECT_TRUE(status == WHERRY_TRANSPORT_OK || status == WHERRY_TRANSPORT_E_FULL) << status;
    if (status != WHERRY_TRANSPORT_OK && status != WHERRY_TRANSPORT_E_FULL) return ids;
    waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(accepted));
    if (waiting.empty()) break;
    const bool writable = until([&] { return host.writable_count() > before; });
    EXPECT_TRUE(writable) << "on_writable did not follow";
    if (!writable) return ids;
  }
  return ids;
}

SentReport TransportContract::outcome(TransportHost& host, std::uint64_t send_id) {
  EXPECT_TRUE(until([&] { return host.last_sent(send_id).has_value(); })) << "no on_sent";
  return host.last_sent(send_id).value_or(SentReport{});
}

bool TransportContract::arrives(TransportHost& host, const std::vector<Bytes>& envelopes) {
  const std::set<Bytes> expected(envelopes.begin(), envelopes.end());
  // Looks only at what is new since the last look: there may be many envelopes.
  std::set<Bytes> missing = expected;
  std::size_t looked_at = 0;
  return until([&] {
    if (host.received_count() == looked_at) return missing.empty();
    for (const Received& one : host.received_since(looked_at)) {
      missing.erase(one.envelope);
      ++looked_at;
    }
    return missing.empty();
  });
}

void TransportContract::exchange(std::uint32_t which) {
  const Bytes fence = envelope(64, which);
  const std::size_t from = bob().received_count();
  constexpr int kAttemptsMax = 10;
  bool arrived = false;
  for (int attempt = 0; attempt < kAttemptsMax && !arrived; ++attempt) {
    const std::vector<std::uint64_t> ids = send_all(alice(), kPeer, {fence});
    const auto failed = [&] {
      const auto report = alice().last_sent(ids.front());
      return report.has_value() && report->outcome == WHERRY_OUTCOME_FAILED_RETRY;
    };
    until([&] { return holds_since(bob(), from, fence) || failed(); });
    arrived = holds_since(bob(), from, fence);
    // As a host does: a connection that was just lost is asked for again.
    if (!arrived) {
      ASSERT_TRUE(alice().wait_online(kLimitMs) && bob().wait_online(kLimitMs));
    }
  }
  ASSERT_TRUE(arrived);
  for (const Received& one : bob().received_since(from)) {
    if (one.envelope == fence) {
      EXPECT_EQ(bob().ack({one}), WHERRY_TRANSPORT_OK);
    }
  }
}

bool TransportContract::holds(const TransportHost& host, const Bytes& envelope) {
  return holds_since(host, 0, envelope);
}

bool TransportContract::holds_since(const TransportHost& host, std::size_t from,
                                    const Bytes& envelope) {
  const std::vector<Received> received = host.received_since(from);
  return std::any_of(received.begin(), received.end(),
                     [&](const Received& one) { return one.envelope == envelope; });
}

}  // namespace wherry::test
