// Links over a private Tor network whose people's own tors are in trouble.
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>
#include <iterator>

#include "onion_net.h"
#include "tests/support/small_disk.h"
#include "transports/common/tor/local_socket.h"
#include "transports/common/tor/tor_process.h"

namespace wherry::test {
namespace {

using transports::tor::StartError;
using transports::tor::TorProcess;

// A tor that runs already, and is not of an app alone.
class SharedTor {
 public:
  SharedTor() {
    std::ifstream torrc(six_relays().torrc());
    const std::string lines{std::istreambuf_iterator<char>(torrc), {}};
    StartError error{};
    std::string what;
    tor_ = TorProcess::start({"tor", six_relays().client_folder("shared"), lines}, error, what);
  }
  // It is controlled from now on.
  bool runs() const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kLimit_ms);
    while (tor_ != nullptr && std::chrono::steady_clock::now() < deadline) {
      if (transports::tor::connect_local(control()).valid()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
  }
  std::string control() const { return "unix:" + tor_->control_socket(); }

  // Another controller says something: the answer.
  std::string ask(const std::string& command) const {
    std::ifstream file(tor_->run_folder() + "/cookie", std::ios::binary);
    std::string hex;
    for (const char byte : std::string(std::istreambuf_iterator<char>(file), {})) {
      std::array<char, 3> digits{};
      std::snprintf(digits.data(), digits.size(), "%02x", static_cast<unsigned char>(byte));
      hex += digits.data();
    }
    const transports::Descriptor socket = transports::tor::connect_local(control());
    const std::string said = "AUTHENTICATE " + hex + "\r\n" + command + "\r\nQUIT\r\n";
    if (::send(socket.get(), said.data(), said.size(), MSG_NOSIGNAL) < 0) return "";
    std::string answer;
    std::array<char, 512> block{};
    for (pollfd one{socket.get(), POLLIN, 0}; ::poll(&one, 1, kLimit_ms) == 1;) {
      const ssize_t count = ::recv(socket.get(), block.data(), block.size(), 0);
      if (count <= 0) break;
      answer.append(block.data(), static_cast<std::size_t>(count));
    }
    return answer;
  }

 private:
  std::unique_ptr<TorProcess> tor_;
};

using OnionTor = OnionNet;

// Ann's tor knows introduction points that are Bob's no more.
TEST_F(OnionTor, AStaleDescriptorIsReplaced) {
  begin();
  ASSERT_TRUE(arrives(1, kLimit_ms));
  const std::size_t published = bob->inbox_reports().size();
  ASSERT_EQ(::kill(tor_of(six_relays().client_folder("bob")), SIGKILL), 0);
  ASSERT_TRUE(
      pump.until([&] { return bob->state() == WHERRY_TRANSPORT_STATE_DEGRADED; }, kLimit_ms));
  ASSERT_TRUE(bob->wait_online(kLimit_ms));
  ASSERT_TRUE(pump.until([&] { return bob->inbox_reports().size() > published; }, kLimit_ms));
  EXPECT_TRUE(arrives(2, kLimit_ms));
}

// Links that are there go on, and one that is dialled brings its key along.
TEST_F(OnionTor, AnotherControllerMakesItForgetKeys) {
  const SharedTor shared;
  ASSERT_TRUE(shared.runs());
  begin({}, {{"control", shared.control()}});
  ASSERT_TRUE(arrives(1, kLimit_ms));
  const auto has_key = [&] {
    return shared.ask("ONION_CLIENT_AUTH_VIEW").find("x25519:") != std::string::npos;
  };
  ASSERT_TRUE(has_key());
  shared.ask("SIGNAL NEWNYM");
  ASSERT_FALSE(has_key());
  EXPECT_TRUE(arrives(2, kLimit_ms));
  ASSERT_EQ(ann->remove_peer(kPeer), WHERRY_TRANSPORT_OK);
  ASSERT_EQ(ann->add_peer(kPeer, *bob->endpoint(kInbox)), WHERRY_TRANSPORT_OK);
  EXPECT_TRUE(arrives(3, kLimit_ms));
}

// Tor goes on with what it has in memory, and begins anew with what it had written before.
TEST_F(OnionTor, ADiskThatIsFullOfOthersFilesStopsNoLink) {
  const std::string folder = six_relays().client_folder("small");
  ASSERT_EQ(::mkdir(folder.c_str(), 0700), 0);
  const SmallDisk disk(folder);
  if (!disk.mounted()) GTEST_SKIP() << "NO SMALL DISK TO FILL: " << disk.error();
  begin({}, {{"folder", folder}, {"torrc", six_relays().torrc()}});
  ASSERT_TRUE(arrives(1, kLimit_ms));
  disk.fill();
  EXPECT_TRUE(arrives(2, kLimit_ms));
  ASSERT_EQ(::kill(tor_of(folder), SIGKILL), 0);
  ASSERT_TRUE(
      pump.until([&] { return ann->state() == WHERRY_TRANSPORT_STATE_DEGRADED; }, kLimit_ms));
  ASSERT_TRUE(ann->wait_online(kLimit_ms));
  EXPECT_TRUE(arrives(3, kLimit_ms));
}

}  // namespace
}  // namespace wherry::test
