// A client that is stopped while its relay speaks. The relay is a test: see scripted_link.h.
#include <gtest/gtest.h>

#include <chrono>
#include <mutex>

#include "tests/fuzz/scripted_link.h"
#include "tests/support/pump.h"
#include "tests/support/transport_host.h"
#include "transports/centralized/plugin.h"

namespace wherry::test {
namespace {

using fuzz::OpenDialler;
using fuzz::Wire;
using fuzz::Wires;
using transports::centralized::Lane;

constexpr const char* kRelay = "wr1:relay.example:443/CQAAAAAAAAAAAAAAAAAAAA";
constexpr std::int64_t kLimit_ms = 20'000;

std::int32_t create(wherry_transport** transport, const wherry_transport_host_api* api,
                    wherry_transport_host* host, const wherry_setting* settings,
                    std::size_t count) {
  return transports::centralized::create_client(transport, api, host, settings, count,
                                                Wires::make_link, OpenDialler::make);
}

std::shared_ptr<Wire> next_link() {
  Wires& wires = Wires::current();
  std::unique_lock lock(wires.mutex);
  wires.changed.wait_for(lock, std::chrono::milliseconds(kLimit_ms),
                         [&] { return !wires.all.empty(); });
  std::shared_ptr<Wire> wire = wires.all.back();
  lock.unlock();
  std::unique_lock inner(wire->mutex);
  wire->changed.wait_for(inner, std::chrono::milliseconds(kLimit_ms),
                         [&] { return wire->reading[0] && wire->reading[1]; });
  return wire;
}

// It has read the client's greeting, and greets.
template <class Reply>
void welcome(Wire& wire, Lane lane) {
  const auto index = static_cast<std::size_t>(lane);
  {
    const std::lock_guard lock(wire.mutex);
    wire.reading[index] = wire.writing[index] = false;
  }
  wire.listener->on_written(wire.number, lane);
  Reply reply;
  reply.mutable_welcome()->set_version(1);
  reply.mutable_welcome()->set_store_id(std::string(16, 's'));
  reply.mutable_welcome()->set_challenge(std::string(32, 'c'));
  wire.listener->on_frame(wire.number, reply);
}

// The worker of the client finds out that it is to stop when it gets to it; what comes before that
// changes nothing. Which is first is the system's to say, so it is tried often.
TEST(RelayClientStop, AWelcomeThatComesAfterwardsStartsNothing) {
  const wherry_transport_plugin plugin = transports::centralized::table_of(create);
  for (int i = 0; i < 300; ++i) {
    Wires::fresh();
    RealPump pump;
    TransportHost host(plugin, pump, {{"relay", kRelay}});
    ASSERT_EQ(host.create(), WHERRY_TRANSPORT_OK);
    ASSERT_EQ(host.start(), WHERRY_TRANSPORT_OK);
    const std::shared_ptr<Wire> wire = next_link();
    welcome<relay::v1::SubmitReply>(*wire, Lane::kSubmit);
    host.stop();
    welcome<relay::v1::ReceiveReply>(*wire, Lane::kReceive);
    for (std::size_t lane = 0; lane < wire->ended.size(); ++lane) {
      wire->ended[lane] = true;
      wire->listener->on_ended(wire->number, static_cast<Lane>(lane),
                               WHERRY_REASON_TRANSPORT_OFFLINE, "over");
    }
    const auto is_off = [&] { return host.state() == WHERRY_TRANSPORT_STATE_OFF; };
    ASSERT_TRUE(pump.until(is_off, kLimit_ms)) << "at try " << i;
    host.destroy();
  }
}

}  // namespace
}  // namespace wherry::test
