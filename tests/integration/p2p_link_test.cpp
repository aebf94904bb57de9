// Direct links that go wrong: each becomes a state or a failed send within seconds.
#include <algorithm>

#include "p2p_fixture.h"

namespace wherry::test {
namespace {

class P2pLink : public TwoNodes {
 protected:
  P2pLink() : TwoNodes("127.0.0.0/8") {}

  // Sends to the endpoint, which must fail. Gives why, and for how many ms nothing was said.
  std::pair<std::int32_t, std::int64_t> failure(const p2p::Endpoint& to) {
    EXPECT_EQ(alice.add_peer(kPeer, p2p::to_text(to)), WHERRY_TRANSPORT_OK);
    const auto began = std::chrono::steady_clock::now();
    const std::uint64_t id = alice.send_one(kPeer, Bytes(100, 1));
    EXPECT_TRUE(until([&] {
      const auto last = alice.last_sent(id);
      return last && last->outcome == WHERRY_OUTCOME_FAILED_RETRY && !alice.peer_reports().empty();
    }));
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - began);
    EXPECT_EQ(alice.peer_reports().back().state, WHERRY_PEER_STATE_UNREACHABLE);
    EXPECT_EQ(alice.peer_reports().back().reason, alice.last_sent(id)->reason);
    EXPECT_EQ(bob.received_count(), 0u);
    return {alice.last_sent(id)->reason, ms.count()};
  }
  void expect_link_works() {
    const std::uint64_t peer = kPeer + 1;
    ASSERT_EQ(alice.add_peer(peer, *bob.endpoint(kInbox)), WHERRY_TRANSPORT_OK);
    const std::size_t before = bob.received_count();
    ASSERT_NE(alice.send_one(peer, Bytes(50, 2)), 0u);
    EXPECT_TRUE(until([&] { return bob.received_count() == before + 1; }));
  }
};

TEST_F(P2pLink, ToAnotherKey) {
  endpoint.listener[5] ^= 1;
  const auto [reason, ms] = failure(endpoint);
  EXPECT_EQ(reason, WHERRY_REASON_WRONG_KEY);
  EXPECT_LT(ms, 8'000);
  expect_link_works();
}

TEST_F(P2pLink, WithAPassThatNoInboxKnows) {
  endpoint.pass[5] ^= 1;
  const auto [reason, ms] = failure(endpoint);
  EXPECT_EQ(reason, WHERRY_REASON_NOT_ALLOWED);
  EXPECT_LT(ms, 8'000);
  expect_link_works();
}

TEST_F(P2pLink, ToWhereNobodyListens) {
  endpoint.addresses[0].port = 1;
  const auto [reason, ms] = failure(endpoint);
  EXPECT_EQ(reason, WHERRY_REASON_UNREACHABLE);
  EXPECT_LT(ms, 8'000);
}

// A server that takes connections and says nothing.
TEST_F(P2pLink, ToSomebodyWhoIsSilent) {
  const transports::Descriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener.get(), 8), 0);
  ASSERT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  endpoint.addresses[0].port = ntohs(address.sin_port);
  const auto [reason, ms] = failure(endpoint);
  EXPECT_EQ(reason, WHERRY_REASON_WRONG_KEY);
  EXPECT_LT(ms, 10'000);
}

TEST_F(P2pLink, TheNextAddressIsTriedWhenOneFails) {
  p2p::Address closed = endpoint.addresses[0];
  closed.port = 1;
  endpoint.addresses.insert(endpoint.addresses.begin(), closed);
  ASSERT_EQ(alice.add_peer(kPeer, p2p::to_text(endpoint)), WHERRY_TRANSPORT_OK);
  ASSERT_NE(alice.send_one(kPeer, Bytes(50, 2)), 0u);
  EXPECT_TRUE(until([&] { return bob.received_count() == 1; }));
}

// Somebody who is there, and takes nothing.
TEST_F(P2pLink, ToSomebodyWhoHasNoRoom) {
  bob.set_room(0);
  const auto [reason, ms] = failure(endpoint);
  EXPECT_EQ(reason, WHERRY_REASON_TIMEOUT);
  EXPECT_LT(ms, 15'000);
  bob.set_room(std::nullopt);
  bob.resume_receive();
}

TEST_F(P2pLink, AnEnvelopeIsStoredWhenItsReceiverSaysSo) {
  ASSERT_EQ(alice.add_peer(kPeer, *bob.endpoint(kInbox)), WHERRY_TRANSPORT_OK);
  const std::uint64_t id = alice.send_one(kPeer, Bytes(50, 2));
  ASSERT_TRUE(until([&] { return alice.last_sent(id).has_value(); }));
  EXPECT_EQ(alice.last_sent(id)->outcome, WHERRY_OUTCOME_HANDED);
  ASSERT_TRUE(until([&] { return bob.received_count() == 1; }));
  ASSERT_EQ(bob.ack(bob.received()), WHERRY_TRANSPORT_OK);
  EXPECT_TRUE(until([&] { return alice.last_sent(id)->outcome == WHERRY_OUTCOME_STORED; }));
}

TEST_F(P2pLink, WhoGoesAwayIsNoticedAndFoundAgain) {
  ASSERT_EQ(alice.add_peer(kPeer, *bob.endpoint(kInbox)), WHERRY_TRANSPORT_OK);
  ASSERT_NE(alice.send_one(kPeer, Bytes(50, 2)), 0u);
  ASSERT_TRUE(until([&] { return bob.received_count() == 1; }));
  const std::string before = *bob.endpoint(kInbox);
  ASSERT_TRUE(bob.stop_and_wait(2'000));
  ASSERT_TRUE(
      until([&] { return alice.peer_reports().back().state == WHERRY_PEER_STATE_UNREACHABLE; }));
  bob.destroy();
  TransportHost again(*wherry_transport_p2p(), pump, settings, &bobs_memory);
  ASSERT_EQ(again.create(), WHERRY_TRANSPORT_OK);
  ASSERT_EQ(again.open_inbox(kInbox, Bytes(32, 7)), WHERRY_TRANSPORT_OK);
  ASSERT_TRUE(again.start_and_wait(kLimitMs));
  ASSERT_TRUE(until([&] { return again.endpoint(kInbox).has_value(); }));
  EXPECT_EQ(*again.endpoint(kInbox), before);  // the same key and port
  ASSERT_EQ(alice.connect_peer(kPeer), WHERRY_TRANSPORT_OK);
  ASSERT_TRUE(
      until([&] { return alice.peer_reports().back().state == WHERRY_PEER_STATE_REACHABLE; }));
  ASSERT_NE(alice.send_one(kPeer, Bytes(50, 3)), 0u);
  EXPECT_TRUE(until([&] { return again.received_count() == 1; }));
  EXPECT_EQ(again.violations(), std::vector<std::string>());
}

// The system may have taken the port away meanwhile, and connections of the old network look alive.
TEST_F(P2pLink, AfterAChangeOfNetworksAllIsMadeAnew) {
  ASSERT_EQ(alice.add_peer(kPeer, *bob.endpoint(kInbox)), WHERRY_TRANSPORT_OK);
  ASSERT_NE(alice.send_one(kPeer, Bytes(50, 1)), 0u);
  ASSERT_TRUE(until([&] { return bob.received_count() == 1; }));
  const std::string before = *bob.endpoint(kInbox);
  const std::size_t states = bob.states().size();
  bob.update(WHERRY_CHANGE_NETWORK);
  ASSERT_TRUE(until([&] {
    return bob.states().size() > states && bob.state() == WHERRY_TRANSPORT_STATE_ONLINE &&
           alice.peer_reports().back().state == WHERRY_PEER_STATE_UNREACHABLE;
  }));
  EXPECT_EQ(*bob.endpoint(kInbox), before);
  // What is said of an envelope of before says nothing of one of now.
  const std::uint64_t id = alice.send_one(kPeer, Bytes(50, 2));
  ASSERT_TRUE(until([&] { return bob.received_count() == 2; }));
  ASSERT_EQ(bob.ack(kInbox, bob.received()[0].receipt), WHERRY_TRANSPORT_OK);
  pump.quiet(200);
  EXPECT_EQ(alice.last_sent(id)->outcome, WHERRY_OUTCOME_HANDED);
  ASSERT_EQ(bob.ack(kInbox, bob.received()[1].receipt), WHERRY_TRANSPORT_OK);
  EXPECT_TRUE(until([&] { return alice.last_sent(id)->outcome == WHERRY_OUTCOME_STORED; }));
}

// What it was about to send has failed, and is told.
TEST_F(P2pLink, ADiallerWhoseNetworkChangedSaysWhatBecameOfItsEnvelopes) {
  ASSERT_EQ(alice.add_peer(kPeer, *bob.endpoint(kInbox)), WHERRY_TRANSPORT_OK);
  bob.set_room(0);
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 20; ++i) ids.push_back(alice.send_one(kPeer, Bytes(50, 1)));
  alice.update(WHERRY_CHANGE_NETWORK);
  for (const std::uint64_t id : ids) {
    EXPECT_TRUE(until([&] { return alice.last_sent(id).has_value(); }));
  }
  EXPECT_TRUE(std::ranges::any_of(ids, [&](std::uint64_t id) {
    return alice.last_sent(id)->reason == WHERRY_REASON_TRANSPORT_OFFLINE;
  }));
  bob.set_room(std::nullopt);
  bob.resume_receive();
  EXPECT_TRUE(link_works());
}

// An app elsewhere that holds a contact's endpoint, and breaks every rule of a frame.
TEST_F(P2pLink, FramesThatAreNoneHurtNobody) {
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  const p2p::Key pass = p2p::public_key(endpoint.pass);
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::rcvtimeo, 5'000);
  socket.set(zmq::sockopt::curve_serverkey, zmq::const_buffer(endpoint.listener.data(), 32));
  socket.set(zmq::sockopt::curve_publickey, zmq::const_buffer(pass.data(), 32));
  socket.set(zmq::sockopt::curve_secretkey, zmq::const_buffer(endpoint.pass.data(), 32));
  socket.connect("tcp://" + p2p::to_text(endpoint.addresses[0]));
  const auto refused = [&](const Bytes& frame) {
    socket.send(zmq::buffer(frame), zmq::send_flags::none);
    zmq::message_t reply;
    return socket.recv(reply) && reply.size() == 1 &&
           *static_cast<const std::uint8_t*>(reply.data()) == 4;
  };
  EXPECT_TRUE(refused({}));
  EXPECT_TRUE(refused({0}));
  EXPECT_TRUE(refused({1}));
  EXPECT_TRUE(refused({2, 0, 0, 0, 1, 0, 0, 0, 1}));
  EXPECT_TRUE(refused({1, 0, 0, 0, 1, 0xff, 0xff, 1}));
  EXPECT_TRUE(refused(Bytes(100'000, 1)));
  socket.send(zmq::str_buffer("two"), zmq::send_flags::sndmore);
  EXPECT_TRUE(refused({1, 0, 0, 0, 1, 0, 1, 9}));
  EXPECT_EQ(bob.received_count(), 0u);
  socket.send(zmq::buffer(Bytes{1, 0, 0, 0, 1, 0, 1, 9}), zmq::send_flags::none);
  EXPECT_TRUE(until([&] { return bob.received_count() == 1; }));
  expect_link_works();
}

TEST(P2pNode, DialsNoAddressOfThisNetworkUnlessTold) {
  RealPump pump;
  TransportHost host(*wherry_transport_p2p(), pump, {{"listen", ""}});
  ASSERT_EQ(host.create(), WHERRY_TRANSPORT_OK);
  const auto status_of = [&](const char* address) {
    p2p::Endpoint endpoint{{1}, {2}, {*p2p::parse_address(address)}};
    const std::int32_t status = host.add_peer(kPeer, p2p::to_text(endpoint));
    if (status == WHERRY_TRANSPORT_OK) host.remove_peer(kPeer);
    return status;
  };
  EXPECT_EQ(status_of("127.0.0.1:22"), WHERRY_TRANSPORT_E_ENDPOINT);
  EXPECT_EQ(status_of("192.168.1.1:80"), WHERRY_TRANSPORT_E_ENDPOINT);
  EXPECT_EQ(status_of("[fe80::1]:80"), WHERRY_TRANSPORT_E_ENDPOINT);
  EXPECT_EQ(status_of("8.8.8.8:1024"), WHERRY_TRANSPORT_OK);
}

TEST(P2pNode, WhoListensNowhereHasNoEndpoint) {
  RealPump pump;
  TransportHost host(*wherry_transport_p2p(), pump, {{"listen", ""}});
  ASSERT_EQ(host.create(), WHERRY_TRANSPORT_OK);
  ASSERT_TRUE(host.start_and_wait(kLimitMs));
  ASSERT_EQ(host.open_inbox(kInbox, Bytes(32, 7)), WHERRY_TRANSPORT_OK);
  ASSERT_TRUE(pump.until([&] { return !host.inbox_reports().empty(); }, kLimitMs));
  EXPECT_FALSE(host.endpoint(kInbox).has_value());
  EXPECT_TRUE(host.stop_and_wait(2'000));
}

TEST(P2pNode, APortThatIsTakenIsSaid) {
  RealPump pump;
  TransportHost first(*wherry_transport_p2p(), pump, {{"listen", "127.0.0.1:0"}});
  ASSERT_EQ(first.create(), WHERRY_TRANSPORT_OK);
  ASSERT_TRUE(first.start_and_wait(kLimitMs));
  ASSERT_EQ(first.open_inbox(kInbox, Bytes(32, 7)), WHERRY_TRANSPORT_OK);
  ASSERT_TRUE(pump.until([&] { return first.endpoint(kInbox).has_value(); }, kLimitMs));
  const p2p::Address taken = p2p::parse_endpoint(*first.endpoint(kInbox))->addresses[0];
  TransportHost second(*wherry_transport_p2p(), pump, {{"listen", p2p::to_text(taken)}});
  ASSERT_EQ(second.create(), WHERRY_TRANSPORT_OK);
  ASSERT_EQ(second.start(), WHERRY_TRANSPORT_OK);
  ASSERT_TRUE(
      pump.until([&] { return second.state() == WHERRY_TRANSPORT_STATE_FAILED; }, kLimitMs));
  EXPECT_EQ(second.states().back().reason, WHERRY_REASON_CANNOT_LISTEN);
  EXPECT_EQ(second.states().back().phase, p2p::to_text(taken) + ": Address already in use");
  EXPECT_EQ(second.log_lines(WHERRY_LOG_WARNING).size(), 1u);
  EXPECT_TRUE(second.stop_and_wait(2'000));
}

}  // namespace
}  // namespace wherry::test
