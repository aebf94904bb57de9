// The contract on the peer-to-peer transport: two instances on this machine's loop.
#include "transports/p2p/p2p.h"

#include "tests/contract/contract.h"

namespace wherry::test {
namespace {

Fixture make_p2p() {
  const Settings settings = {{"listen", "127.0.0.1:0"}, {"allow", "127.0.0.0/8"}};
  return {wherry_transport_p2p(), {settings, settings}, std::make_shared<RealPump>(), nullptr};
}

INSTANTIATE_TEST_SUITE_P(Transport, TransportContract,
                         ::testing::Values(TransportUnderTest{"PeerToPeer", make_p2p}), name_of);

}  // namespace
}  // namespace wherry::test
