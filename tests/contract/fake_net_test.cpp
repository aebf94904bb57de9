// The contract on FakeNet without faults, in virtual time: the engine is tested on it.
#include "tests/support/fake_net.h"

#include "tests/contract/contract.h"

namespace wherry::test {
namespace {

struct World {
  explicit World(FakeKind kind) : net(clock, 1, kind) {}
  FakeClock clock;
  FakeNet net;
};

template <FakeKind kKind>
Fixture make_fake() {
  const auto world = std::make_shared<World>(kKind);
  return {world->net.plugin(),
          {world->net.settings("alice"), world->net.settings("bob")},
          std::shared_ptr<Pump>(world, &world->clock),
          world};
}

INSTANTIATE_TEST_SUITE_P(
    Transport, TransportContract,
    ::testing::Values(TransportUnderTest{"FakeStored", make_fake<FakeKind::kStored>},
                      TransportUnderTest{"FakeDirect", make_fake<FakeKind::kDirect>},
                      TransportUnderTest{"FakeHidden", make_fake<FakeKind::kHidden>}),
    name_of);

}  // namespace
}  // namespace wherry::test
