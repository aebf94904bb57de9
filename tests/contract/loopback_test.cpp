// The contract on the loopback transport: a hub of its own for each test.
#include "transports/loopback/loopback.h"

#include <atomic>

#include "tests/contract/contract.h"

namespace wherry::test {
namespace {

Fixture make_loopback() {
  static std::atomic<int> hubs{0};
  const Settings settings = {{"hub", "contract-" + std::to_string(++hubs)}};
  return {wherry_transport_loopback(), {settings, settings}, std::make_shared<RealPump>(), nullptr};
}

INSTANTIATE_TEST_SUITE_P(Transport, TransportContract,
                         ::testing::Values(TransportUnderTest{"Loopback", make_loopback}), name_of);

}  // namespace
}  // namespace wherry::test
