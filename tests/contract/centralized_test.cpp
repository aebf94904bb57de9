// The contract on the centralized transport: a relay of its own for each test.
#include "transports/centralized/centralized.h"

#include "tests/contract/contract.h"
#include "tests/integration/relay_fixture.h"

namespace wherry::test {
namespace {

Fixture make_centralized() {
  auto relay = std::make_shared<RelayInProcess>();
  const Settings settings = {{"relay", relay->address()}};
  return {
      wherry_transport_centralized(), {settings, settings}, std::make_shared<RealPump>(), relay};
}

INSTANTIATE_TEST_SUITE_P(Transport, TransportContract,
                         ::testing::Values(TransportUnderTest{"Centralized", make_centralized}),
                         name_of);

}  // namespace
}  // namespace wherry::test
