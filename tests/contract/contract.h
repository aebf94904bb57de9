// The suite that every transport passes. A transport's own file gives a Fixture and instantiates
// TransportContract with it; see loopback_test.cpp. What a transport has not got (its description
// says so) is skipped, everything else must hold.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/pump.h"
#include "tests/support/transport_host.h"

namespace wherry::test {

// One transport, ready for one test: nothing of an earlier test is left in it.
struct Fixture {
  const wherry_transport_plugin* plugin = nullptr;
  std::array<Settings, 2> settings;  // of two instances that can reach each other
  std::shared_ptr<Pump> pump;
  std::shared_ptr<void> network;  // whatever must live meanwhile: a server, a FakeNet
};

struct TransportUnderTest {
  std::string name;  // letters and digits, for the test's name
  std::function<Fixture()> make;
};

// How failures print the parameter, and how INSTANTIATE_TEST_SUITE_P names it.
void PrintTo(const TransportUnderTest& transport, std::ostream* out);
std::string name_of(const ::testing::TestParamInfo<TransportUnderTest>& info);

class TransportContract : public ::testing::TestWithParam<TransportUnderTest> {
 protected:
  // No answer takes longer: a link that hangs as it is dialled or used has failed by then. A
  // passing test does not wait for it.
  static constexpr std::int64_t kLimitMs = 40'000;
  // transport.h: on_stopped follows within 2 seconds.
  static constexpr std::int64_t kStopLimitMs = 2'000;
  // How long a test watches that something does not happen.
  static constexpr std::int64_t kQuietMs = 100;

  static constexpr std::uint64_t kInbox = 11;
  static constexpr std::uint64_t kPeer = 21;

  void SetUp() override;
  void TearDown() override;  // fails for each rule that the plug-in broke

  const wherry_transport_plugin& plugin() const { return *fixture_.plugin; }
  const wherry_transport_description& description() const { return *fixture_.plugin->describe(); }
  bool able(std::uint32_t ability) const { return (description().abilities & ability) != 0; }
  TransportHost& alice() { return *hosts_[0]; }
  TransportHost& bob() { return *hosts_[1]; }
  bool until(const std::function<bool()>& predicate) {
    return fixture_.pump->until(predicate, kLimitMs);
  }
  void quiet() { fixture_.pump->quiet(kQuietMs); }

  // 32 bytes that differ for each `which`.
  static Bytes secret(std::uint8_t which);
  // An envelope of `size` bytes that differs for each `which`.
  static Bytes envelope(std::size_t size, std::uint32_t which);

  // Replaces a host by a new one with the same memory, as when the app was started again.
  void renew(std::size_t which);

  // Creates and starts both, opens Bob's inbox and makes it known to Alice. Gives its endpoint.
  std::string connect();
  // Opens an inbox of a running instance and waits for its endpoint.
  std::string open(TransportHost& host, std::uint64_t inbox, std::uint8_t which_secret);
  // Sends, offering again after on_writable what was not accepted. Gives the send ids in order.
  std::vector<std::uint64_t> send_all(TransportHost& host, std::uint64_t peer,
                                      const std::vector<Bytes>& envelopes);
  // Waits for the first report of an attempt.
  SentReport outcome(TransportHost& host, std::uint64_t send_id);
  // Waits until `host` holds each of these envelopes.
  bool arrives(TransportHost& host, const std::vector<Bytes>& envelopes);
  // A new envelope from Alice to Bob, there and acknowledged: what was sent before has had its
  // time.
  void exchange(std::uint32_t which);
  static bool holds(const TransportHost& host, const Bytes& envelope);
  static bool holds_since(const TransportHost& host, std::size_t from, const Bytes& envelope);

  Fixture fixture_;
  std::array<HostMemory, 2> memories_;
  std::array<std::unique_ptr<TransportHost>, 2> hosts_;
  std::vector<std::string> violations_;  // of hosts that were renewed
  std::uint64_t next_send_id_ = 1'000'000;
};

}  // namespace wherry::test
