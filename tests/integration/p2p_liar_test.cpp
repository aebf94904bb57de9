// A listener of a hostile contact: it proves its key and takes part in nothing.
#include <atomic>

#include "p2p_fixture.h"

namespace wherry::test {
namespace {

class P2pLiar : public TwoNodes {
 protected:
  P2pLiar() : TwoNodes("127.0.0.1/32") {}

  void SetUp() override {
    TwoNodes::SetUp();
    socket = zmq::socket_t(context, zmq::socket_type::router);
    p2p::Key secret{};
    secret.fill(3);
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::rcvtimeo, 8'000);
    socket.set(zmq::sockopt::sndhwm, 100'000);
    socket.set(zmq::sockopt::curve_server, true);
    socket.set(zmq::sockopt::curve_secretkey, zmq::const_buffer(secret.data(), 32));
    socket.bind("tcp://127.0.0.1:0");
    const std::string bound = socket.get(zmq::sockopt::last_endpoint);
    p2p::Endpoint liar{p2p::public_key(secret), {5}, {*p2p::parse_address(bound.substr(6))}};
    ASSERT_EQ(alice.add_peer(kPeer, p2p::to_text(liar)), WHERRY_TRANSPORT_OK);
  }
  // An envelope of Alice's is here.
  std::uint64_t lure() {
    const std::uint64_t id = alice.send_one(kPeer, Bytes(100, 1));
    zmq::message_t name;
    zmq::message_t frame;
    EXPECT_TRUE(socket.recv(name) && socket.recv(frame));
    link = name.to_string();
    return id;
  }
  void answer(const Bytes& frame, bool more = false) {
    socket.send(zmq::buffer(link), zmq::send_flags::sndmore);
    socket.send(zmq::buffer(frame), more ? zmq::send_flags::sndmore : zmq::send_flags::none);
    if (more) socket.send(zmq::str_buffer("x"), zmq::send_flags::none);
  }

  zmq::context_t context;
  zmq::socket_t socket;
  std::string link;
};

TEST_F(P2pLiar, AnswersThatAreNoneEndTheLink) {
  const std::vector<Bytes> wrong = {{},
                                    {0},
                                    {9, 1},
                                    {1, 0, 0, 0, 1, 0, 1, 9},
                                    {2},
                                    {2, 0, 0, 0, 0, 0, 0, 0, 1},
                                    {2, 0, 0, 0, 2, 0, 0, 0, 1},
                                    {3, 0, 0, 0, 1, 0, 0, 0, 1, 0},
                                    Bytes(100'000, 2)};
  for (const Bytes& frame : wrong) {
    const std::uint64_t id = lure();
    answer(frame);
    ASSERT_TRUE(until([&] { return alice.last_sent(id).has_value(); })) << frame.size();
    EXPECT_EQ(alice.last_sent(id)->outcome, WHERRY_OUTCOME_FAILED_RETRY);
    EXPECT_EQ(alice.last_sent(id)->reason, WHERRY_REASON_PROTOCOL);
  }
  const std::uint64_t id = lure();
  answer({2, 0, 0, 0, 1, 0, 0, 0, 1}, true);  // two parts
  ASSERT_TRUE(until([&] { return alice.last_sent(id).has_value(); }));
  EXPECT_EQ(alice.last_sent(id)->outcome, WHERRY_OUTCOME_FAILED_RETRY);
  EXPECT_TRUE(link_works());
}

// As it would be kept: no part of it is given out before its end, and that is far.
TEST_F(P2pLiar, AnAnswerWithoutAnEndEndsTheLink) {
  const std::uint64_t id = lure();
  const Bytes part(100'000, 1);
  socket.send(zmq::buffer(link), zmq::send_flags::sndmore);
  for (int i = 0; i < 600; ++i) socket.send(zmq::buffer(part), zmq::send_flags::sndmore);
  socket.send(zmq::buffer(part), zmq::send_flags::none);
  ASSERT_TRUE(until([&] { return alice.last_sent(id).has_value(); }, 5'000));
  EXPECT_EQ(alice.last_sent(id)->reason, WHERRY_REASON_UNREACHABLE);
  EXPECT_TRUE(link_works());
}

TEST_F(P2pLiar, NumbersThatWereNeverSentEndTheLink) {
  const std::uint64_t id = lure();
  answer({3, 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff});
  ASSERT_TRUE(until([&] { return alice.last_sent(id).has_value(); }));
  EXPECT_EQ(alice.last_sent(id)->outcome, WHERRY_OUTCOME_FAILED_RETRY);
  EXPECT_EQ(alice.last_sent(id)->reason, WHERRY_REASON_PROTOCOL);
  EXPECT_TRUE(link_works());
}

TEST_F(P2pLiar, NumbersBeyondThoseThatWereSentTellNothing) {
  const std::uint64_t id = lure();
  answer({3, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff});
  ASSERT_TRUE(until([&] {
    return alice.last_sent(id) && alice.last_sent(id)->outcome == WHERRY_OUTCOME_STORED;
  }));
  answer({2, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff});  // once more
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_EQ(alice.last_sent(id)->outcome, WHERRY_OUTCOME_STORED);
  EXPECT_TRUE(link_works());
}

// Bob is reached within the second meanwhile.
TEST_F(P2pLiar, AFloodOfAnswersKeepsNobodyElseWaiting) {
  lure();
  std::atomic<bool> stop = false;
  std::thread flood([&] {
    Bytes frame{2};
    for (int i = 0; i < 1024; ++i) {
      const std::uint32_t number = 1 + 2 * static_cast<std::uint32_t>(i);
      for (int j = 0; j < 2; ++j) {
        for (int shift = 24; shift >= 0; shift -= 8) {
          frame.push_back(static_cast<std::uint8_t>(number >> shift));
        }
      }
    }
    while (!stop) answer(frame);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  const auto began = std::chrono::steady_clock::now();
  EXPECT_TRUE(link_works());
  const auto took = std::chrono::steady_clock::now() - began;
  EXPECT_LT(took, std::chrono::seconds(3));
  stop = true;
  flood.join();
}

}  // namespace
}  // namespace wherry::test
