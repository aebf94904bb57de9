// The contract on the onion transport: two instances with a tor each, in a private Tor network.
#include "transports/onion/onion.h"

#include "tests/contract/contract.h"
#include "tests/integration/tornet/tornet.h"

namespace wherry::test {
namespace {

Fixture make_onion() {
  const auto settings = [](const char* name) {
    return Settings{{"folder", tor_net().client_folder(name)}, {"torrc", tor_net().torrc()}};
  };
  return {wherry_transport_onion(),
          {settings("alice"), settings("bob")},
          std::make_shared<RealPump>(),
          nullptr};
}

INSTANTIATE_TEST_SUITE_P(Transport, TransportContract,
                         ::testing::Values(TransportUnderTest{"Onion", make_onion}), name_of);

}  // namespace
}  // namespace wherry::test
