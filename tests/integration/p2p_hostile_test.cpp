// A contact at the other end of a direct link who keeps to no rule, and strangers at the port.
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "p2p_fixture.h"
#include "transports/p2p/settings.h"

namespace wherry::test {
namespace {

std::size_t descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& one : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

// The most that was in memory since the last reset, MiB.
long peak_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    long kib = 0;
    if (word == "VmHWM:" && status >> kib) return kib / 1024;
  }
  return -1;
}
void reset_peak() {
  std::ofstream("/proc/self/clear_refs") << "5";
}

zmq::socket_t dialler(zmq::context_t& context, const p2p::Endpoint& to, bool again = true) {
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  const p2p::Key pass = p2p::public_key(to.pass);
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::rcvtimeo, 3'000);
  socket.set(zmq::sockopt::sndtimeo, 3'000);
  if (!again) socket.set(zmq::sockopt::reconnect_ivl, -1);  // whoever is cut stays so
  socket.set(zmq::sockopt::curve_serverkey, zmq::const_buffer(to.listener.data(), 32));
  socket.set(zmq::sockopt::curve_publickey, zmq::const_buffer(pass.data(), 32));
  socket.set(zmq::sockopt::curve_secretkey, zmq::const_buffer(to.pass.data(), 32));
  socket.connect("tcp://" + p2p::to_text(to.addresses[0]));
  return socket;
}

// A frame with one envelope of one byte.
Bytes tiny(std::uint8_t number) {
  return {1, 0, 0, 0, number, 0, 1, 9};
}

bool takes(zmq::socket_t& socket, std::uint8_t number) {
  zmq::message_t reply;
  return socket.send(zmq::buffer(tiny(number)), zmq::send_flags::none) && socket.recv(reply) &&
         reply.size() > 1 && *static_cast<const std::uint8_t*>(reply.data()) == 2;
}

class P2pHostile : public TwoNodes {
 protected:
  P2pHostile() : TwoNodes("127.0.0.1/32") {}

  void SetUp() override {
    if (!late()) begin();
  }
  // Whether the test forks first.
  static bool late() {
    const std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    return name == "AMessageOfManyPartsIsNotKept";
  }
  // Of what no host is told.
  static bool in_time(const std::function<bool()>& predicate, std::int64_t limit_ms) {
    for (std::int64_t waited = 0; !predicate(); waited += 20) {
      if (waited >= limit_ms) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return true;
  }
};

// An app that has a handler for a signal: it comes to whichever thread does not block it.
TEST_F(P2pHostile, ASignalEndsNoWorker) {
  struct sigaction action{};
  struct sigaction before{};
  action.sa_handler = [](int) {};
  action.sa_flags = SA_RESTART;
  ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));  // the workers wait
  const pid_t self = static_cast<pid_t>(::syscall(SYS_gettid));
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    const pid_t id = std::stoi(thread.path().filename().string());
    if (id != self) ::syscall(SYS_tgkill, ::getpid(), id, SIGUSR1);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_EQ(bob.state(), WHERRY_TRANSPORT_STATE_ONLINE);
  EXPECT_EQ(alice.state(), WHERRY_TRANSPORT_STATE_ONLINE);
  EXPECT_TRUE(link_works());
  ::sigaction(SIGUSR1, &before, nullptr);
}

// ZeroMQ bounds the parts of a message, not the message; it gives none of it before its end.
TEST_F(P2pHostile, AMessageOfManyPartsIsNotKept) {
  constexpr int kParts = 2'000;
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {  // Mallory, who has a pass
    std::array<char, 256> text{};
    if (::read(pipe[0], text.data(), text.size() - 1) <= 0) ::_exit(1);
    zmq::context_t context;
    zmq::socket_t socket = dialler(context, *p2p::parse_endpoint(text.data()));
    const Bytes part(100'000, 1);
    for (int i = 0; i < kParts; ++i) socket.send(zmq::buffer(part), zmq::send_flags::sndmore);
    socket.send(zmq::buffer(part), zmq::send_flags::none);
    std::this_thread::sleep_for(std::chrono::seconds(8));
    ::_exit(0);
  }
  begin();
  reset_peak();
  const long before = peak_mib();
  const std::string text = *bob.endpoint(kInbox);
  ASSERT_EQ(::write(pipe[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  in_time([&] { return peak_mib() - before > 100; }, 8'000);
  EXPECT_LE(peak_mib() - before, 32) << "MiB, of " << kParts / 10 << " that were sent";
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(link_works());
}

// What an honest peer sends to a host that takes nothing now stays within what may be unread.
TEST_F(P2pHostile, AHostWithoutRoomCutsNobody) {
  constexpr std::size_t kCount = 400;
  bob.set_room(0);
  ASSERT_EQ(alice.add_peer(kPeer, *bob.endpoint(kInbox)), WHERRY_TRANSPORT_OK);
  for (std::size_t i = 0; i < kCount; ++i) ASSERT_NE(alice.send_one(kPeer, Bytes(40'000, 2)), 0u);
  std::this_thread::sleep_for(std::chrono::seconds(3));
  bob.set_room(std::nullopt);
  bob.resume_receive();
  EXPECT_TRUE(until([&] { return bob.received_count() == kCount; }, 6'000));
  for (const PeerReport& one : alice.peer_reports()) {
    EXPECT_EQ(one.state, WHERRY_PEER_STATE_REACHABLE);
  }
}

// Whose inbox was closed is let in nowhere else, though another inbox has its number now.
TEST_F(P2pHostile, AConnectionIsOfTheInboxThatItsPassWasFor) {
  zmq::context_t context;
  zmq::socket_t socket = dialler(context, endpoint);
  ASSERT_TRUE(takes(socket, 1));
  const std::size_t reports = bob.inbox_reports().size();
  ASSERT_EQ(bob.close_inbox(kInbox), WHERRY_TRANSPORT_OK);
  ASSERT_EQ(bob.open_inbox(kInbox, Bytes(32, 8)), WHERRY_TRANSPORT_OK);
  ASSERT_TRUE(until([&] { return bob.inbox_reports().size() > reports; }));
  const std::size_t before = bob.received_count();
  EXPECT_FALSE(takes(socket, 2));
  EXPECT_EQ(bob.received_count(), before);
}

// One pass is for one device of one person.
TEST_F(P2pHostile, APassOpensAFewConnections) {
  zmq::context_t context(1, 512);
  std::vector<zmq::socket_t> sockets;
  for (int i = 0; i < 50; ++i) {
    sockets.push_back(dialler(context, endpoint, false));
    EXPECT_TRUE(takes(sockets.back(), 1));  // the newest is let in
  }
  int live = 0;
  for (zmq::socket_t& socket : sockets) {
    socket.set(zmq::sockopt::rcvtimeo, 100);
    socket.set(zmq::sockopt::sndtimeo, 100);
    if (takes(socket, 2)) ++live;
  }
  EXPECT_EQ(live, 4);
  EXPECT_TRUE(link_works());
}

// Whoever has a pass does not take the places of those who come by another one.
TEST_F(P2pHostile, WhoProvesAKeyAndSaysNothingIsShownOut) {
  ASSERT_EQ(bob.open_inbox(kInbox + 1, Bytes(32, 9)), WHERRY_TRANSPORT_OK);
  ASSERT_TRUE(until([&] { return bob.endpoint(kInbox + 1).has_value(); }));
  zmq::context_t context(1, 512);
  std::vector<zmq::socket_t> sockets;
  for (int i = 0; i < 25; ++i) sockets.push_back(dialler(context, endpoint, false));
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  for (int i = 0; i < 25; ++i) sockets.push_back(dialler(context, endpoint, false));
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  ASSERT_EQ(alice.add_peer(kPeer, *bob.endpoint(kInbox + 1)), WHERRY_TRANSPORT_OK);
  ASSERT_NE(alice.send_one(kPeer, Bytes(50, 2)), 0u);
  EXPECT_TRUE(until([&] { return bob.received_count() == 1; }, 3'000));
  std::this_thread::sleep_for(std::chrono::milliseconds(10'000));
  int live = 0;
  for (zmq::socket_t& socket : sockets) {
    socket.set(zmq::sockopt::rcvtimeo, 100);
    socket.set(zmq::sockopt::sndtimeo, 100);
    if (takes(socket, 1)) ++live;
  }
  EXPECT_EQ(live, 0);
}

// Who knows nothing but the port.
TEST_F(P2pHostile, StrangersAtThePortTakeFewDescriptors) {
  const sockaddr_in address = loopback(endpoint.addresses[0].port);
  const std::size_t before = descriptors();
  std::vector<transports::Descriptor> open;
  for (int i = 0; i < 300; ++i) {
    open.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    static_cast<void>(
        ::connect(open.back().get(), reinterpret_cast<const sockaddr*>(&address), sizeof address));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(1'000));
  EXPECT_LE(descriptors() - before, open.size() + 100);
  open.clear();
  EXPECT_TRUE(link_works());
}

// They are gone when nothing came of them.
TEST_F(P2pHostile, StrangersAtThePortAreShownOut) {
  const sockaddr_in address = loopback(endpoint.addresses[0].port);
  const std::size_t before = descriptors();
  std::vector<transports::Descriptor> open;
  for (int i = 0; i < 50; ++i) {
    open.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(
        ::connect(open.back().get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
        0);
    // Some say nothing, some are no ZeroMQ, some stop in the middle of a greeting.
    if (i % 3 == 1) static_cast<void>(!::write(open.back().get(), "GET / HTTP/1.1\r\n\r\n", 18));
    if (i % 3 == 2)
      static_cast<void>(!::write(open.back().get(), "\xff\0\0\0\0\0\0\0\1\x7f\3", 11));
  }
  EXPECT_TRUE(link_works());
  EXPECT_TRUE(in_time([&] { return descriptors() <= before + open.size() + 10; }, 12'000));
}

// A contact who sends what is no frame as fast as they can.
TEST_F(P2pHostile, AFloodOfJunkKeepsNobodyElseWaiting) {
  std::atomic<bool> stop = false;
  std::thread flood([&] {
    zmq::context_t context;
    zmq::socket_t socket = dialler(context, endpoint);
    socket.set(zmq::sockopt::sndtimeo, 100);
    Bytes many{1};
    for (std::uint32_t i = 1; many.size() < 120'000; ++i) {
      for (int shift = 24; shift >= 0; shift -= 8) {
        many.push_back(static_cast<std::uint8_t>(i >> shift));
      }
      many.insert(many.end(), {0, 1, 9});  // one byte each, and the last one is cut
    }
    many.pop_back();
    while (!stop) static_cast<void>(socket.send(zmq::buffer(many), zmq::send_flags::none));
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  EXPECT_TRUE(link_works());
  stop = true;
  flood.join();
}

// What is sent is taken, refused or said to have failed, also when the worker has ended.
TEST_F(P2pHostile, NothingIsTakenByANetworkThatHasFailed) {
  const std::string taken = p2p::to_text(endpoint.addresses[0]);
  TransportHost second(*wherry_transport_p2p(), pump,
                       {{"listen", taken}, {"allow", "127.0.0.1/32"}});
  ASSERT_EQ(second.create(), WHERRY_TRANSPORT_OK);
  ASSERT_EQ(second.start(), WHERRY_TRANSPORT_OK);
  ASSERT_TRUE(until([&] { return second.state() == WHERRY_TRANSPORT_STATE_FAILED; }));
  ASSERT_EQ(second.add_peer(kPeer, p2p::to_text(endpoint)), WHERRY_TRANSPORT_OK);
  const std::uint64_t id = second.send_one(kPeer, Bytes(50, 2));
  EXPECT_TRUE(id == 0 || in_time([&] { return second.last_sent(id).has_value(); }, 12'000));
  EXPECT_TRUE(second.stop_and_wait(2'000));
}

// Peers who let themselves be dialled and say nothing, as long as they can.
TEST_F(P2pHostile, ThoseWhoAreSilentKeepNobodyElseWaiting) {
  std::vector<transports::Descriptor> silent;
  p2p::Endpoint tar = endpoint;
  tar.addresses.clear();
  for (int i = 0; i < 4; ++i) {
    silent.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(::bind(silent.back().get(), generic, size), 0);
    ASSERT_EQ(::listen(silent.back().get(), 200), 0);
    ASSERT_EQ(::getsockname(silent.back().get(), generic, &size), 0);
    tar.addresses.push_back(endpoint.addresses[0]);
    tar.addresses.back().port = ntohs(address.sin_port);
  }
  std::vector<std::uint64_t> ids;
  for (std::uint8_t i = 0; i < 40; ++i) {
    tar.pass[0] = i;
    ASSERT_EQ(alice.add_peer(10 + i, p2p::to_text(tar)), WHERRY_TRANSPORT_OK);
    ids.push_back(alice.send_one(10 + i, Bytes(50, 2)));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_TRUE(link_works());
  // Also those that were dialled late have failed by then.
  for (const std::uint64_t id : ids) {
    EXPECT_TRUE(until([&] { return alice.last_sent(id).has_value(); }, 3'000));
  }
  // They have failed, and so wait behind whom nobody has tried.
  for (std::uint8_t i = 0; i < 40; ++i) alice.send_one(10 + i, Bytes(50, 2));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const auto began = std::chrono::steady_clock::now();
  EXPECT_TRUE(link_works());
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(3));
}

// Somebody took all descriptors: that is no work to be done again and again.
TEST_F(P2pHostile, NoDescriptorsLeftIsNoWork) {
  const sockaddr_in address = loopback(endpoint.addresses[0].port);
  std::vector<transports::Descriptor> open;
  for (int i = 0; i < 40; ++i) open.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit few = before;
  few.rlim_cur = descriptors() + 10;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  for (const auto& one : open) {
    static_cast<void>(
        ::connect(one.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const std::clock_t began = std::clock();
  std::this_thread::sleep_for(std::chrono::seconds(1));
  const double busy = static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
  open.clear();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_LT(busy, 0.3);
  EXPECT_TRUE(link_works());
}

TEST(P2pHostileText, OtherWaysToNameAnAddressInside) {
  for (const char* text :
       {"[::127.0.0.1]:1", "[::ffff:0:7f00:1]:1", "[64:ff9b::7f00:1]:1", "[64:ff9b:1::a00:1]:1",
        "[2001::1]:1",     "[2001:20::1]:1",      "[2002:7f00:1::1]:1",  "[fec0::1]:1",
        "[100::1]:1",      "[3fff::1]:1",         "[5f00::1]:1",         "[ff0e::1]:1",
        "[::]:1",          "192.0.0.8:1",         "192.88.99.1:1",       "198.18.0.1:1",
        "203.0.113.1:1",   "239.1.1.1:1",         "240.0.0.1:1",         "0.0.0.0:1"}) {
    const auto address = p2p::parse_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_FALSE(p2p::is_public(*address)) << text;
  }
  for (const char* text : {"[::ffff:127.0.0.1]:1", "[::7f00:1]:1", "[::ffff:7f00:1]:1",
                           "[fe80::1%1]:1", "127.1:1", "2130706433:1", "0x7f.0.0.1:1",
                           "0177.0.0.1:1", "8.8.8.8%lo:1", "8.8.8.8:-1", "8.8.8.8:65537"}) {
    EXPECT_FALSE(p2p::parse_address(text)) << text;
  }
}

// Mail, names, the web: whoever serves there has no part in this.
TEST(P2pHostileText, PortsOfTheInternetsServicesAreNotDialled) {
  p2p::NodeSettings settings;
  settings.meeting = p2p::parse_address("1.2.3.4:6000");
  for (const char* text : {"8.8.8.8:22", "8.8.8.8:25", "8.8.8.8:1023", "[2606:4700::1]:443"}) {
    EXPECT_FALSE(settings.may_dial(*p2p::parse_address(text))) << text;
    EXPECT_FALSE(settings.may_meet(p2p::parse_address(text))) << text;
  }
  EXPECT_TRUE(settings.may_dial(*p2p::parse_address("8.8.8.8:1024")));
  EXPECT_TRUE(settings.may_meet(p2p::parse_address("8.8.8.8:1024")));
  settings.allow.push_back(*p2p::parse_range("8.8.8.0/24"));
  EXPECT_TRUE(settings.may_dial(*p2p::parse_address("8.8.8.8:25")));
}

TEST(P2pHostileText, APortIsNamedAndAddressesAreFew) {
  p2p::Endpoint endpoint{{1}, {2}, {*p2p::parse_address("8.8.8.8:0")}};
  EXPECT_FALSE(p2p::parse_endpoint(p2p::to_text(endpoint)));
  endpoint.addresses = {5, *p2p::parse_address("8.8.8.8:1")};
  EXPECT_FALSE(p2p::parse_endpoint(p2p::to_text(endpoint)));
}

// What a contact names is no mail server, and no other service that machines have below 1,024: this
// machine is not to be what knocks there.
TEST(P2pHostileText, PortsOfServicesAreNotDialled) {
  p2p::NodeSettings settings;
  EXPECT_TRUE(settings.may_dial(*p2p::parse_address("8.8.8.8:1024")));
  for (const char* text :
       {"8.8.8.8:1", "8.8.8.8:22", "8.8.8.8:25", "8.8.8.8:1023", "[2620:fe::fe]:443"}) {
    EXPECT_FALSE(settings.may_dial(*p2p::parse_address(text))) << text;
  }
  settings.allow = {*p2p::parse_range("8.8.8.0/24")};
  EXPECT_TRUE(settings.may_dial(*p2p::parse_address("8.8.8.8:443")));
}

// Of several addresses those that may not be dialled are passed over.
TEST_F(P2pHostile, AnAddressOfOnesOwnNetworkIsPassedOver) {
  const transports::Descriptor forbidden(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(0x7f000002);  // 127.0.0.2 is not in `allow`
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(forbidden.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(forbidden.get(), 8), 0);
  ASSERT_EQ(::getsockname(forbidden.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  p2p::Address inside = endpoint.addresses[0];
  inside.ip[15] = 2;
  inside.port = ntohs(address.sin_port);
  endpoint.addresses = {inside, endpoint.addresses[0]};
  ASSERT_EQ(alice.add_peer(kPeer, p2p::to_text(endpoint)), WHERRY_TRANSPORT_OK);
  ASSERT_NE(alice.send_one(kPeer, Bytes(50, 2)), 0u);
  EXPECT_TRUE(until([&] { return bob.received_count() == 1; }));
  pollfd one{forbidden.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&one, 1, 300), 0);
}

}  // namespace
}  // namespace wherry::test
