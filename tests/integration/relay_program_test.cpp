// The program wherry-relay: its command line, its end, and data that it cannot use.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>

#include "relay_fixture.h"

namespace wherry::test {
namespace {

constexpr int kLimitMs = 10'000;

class RelayProgram : public ::testing::Test {
 protected:
  std::filesystem::path data() const { return directory_.path() / "relay"; }

  // Expects the program to end by itself with an error that says `words`.
  void expect_refusal(const std::string& words, const std::string& listen = "127.0.0.1:0") {
    RelayProcess relay(data(), listen);
    EXPECT_EQ(relay.address(), "");
    EXPECT_EQ(relay.wait(kLimitMs), 2);
    EXPECT_NE(relay.log().find(words), std::string::npos) << relay.log();
  }

  void run_once() {
    RelayProcess relay(data(), "127.0.0.1:0");
    ASSERT_NE(relay.address(), "");
    relay.signal(SIGTERM);
    ASSERT_EQ(relay.wait(kLimitMs), 0);
  }

  TemporaryDirectory directory_;
};

TEST_F(RelayProgram, PrintsItsAddressAndEndsOnSignals) {
  std::string first;
  for (const int signal : {SIGTERM, SIGINT}) {
    RelayProcess relay(data(), "127.0.0.1:0");
    EXPECT_TRUE(transports::parse_relay_address(relay.address()).has_value()) << relay.address();
    const std::string pin = relay.address().substr(relay.address().rfind('/'));
    if (first.empty()) first = pin;
    EXPECT_EQ(pin, first) << "the key stays with the data";
    relay.signal(signal);
    EXPECT_EQ(relay.wait(kLimitMs), 0);
  }
}

TEST_F(RelayProgram, AdvertisesAnotherAddress) {
  RelayProcess relay(data(), "127.0.0.1:0", {"--advertise", "relay.example:443"});
  EXPECT_EQ(relay.address().rfind("wr1:relay.example:443/", 0), 0U) << relay.address();
}

TEST_F(RelayProgram, KeepsItsKeyToItself) {
  run_once();
  struct stat status{};
  ASSERT_EQ(stat((data() / "relay.key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  ASSERT_EQ(stat(data().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
}

TEST_F(RelayProgram, ASecondOneOnTheSameDataIsRefused) {
  const RelayProcess first(data(), "127.0.0.1:0");
  ASSERT_NE(first.address(), "");
  expect_refusal("another wherry-relay uses");
}

TEST_F(RelayProgram, APortInUseIsRefused) {
  const RelayProcess first(directory_.path() / "other", "127.0.0.1:0");
  expect_refusal("cannot listen at", first.host_and_port());
}

TEST_F(RelayProgram, ADamagedDatabaseIsRefused) {
  run_once();
  std::filesystem::remove(data() / "relay.db-wal");
  std::ofstream(data() / "relay.db") << std::string(8192, 'x');
  expect_refusal("cannot use the database");
}

TEST_F(RelayProgram, ATruncatedDatabaseIsRefused) {
  run_once();
  std::filesystem::resize_file(data() / "relay.db", 8192);
  expect_refusal("cannot use the database");
}

TEST_F(RelayProgram, ANewerDatabaseIsRefused) {
  run_once();
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open((data() / "relay.db").c_str(), &database), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(database, "PRAGMA user_version=99", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(database);
  expect_refusal("newer version");
}

TEST_F(RelayProgram, AKeyThatIsNoneIsRefused) {
  run_once();
  std::ofstream(data() / "relay.key") << "not a key\n";
  expect_refusal("not a private key");
}

TEST_F(RelayProgram, WrongArgumentsAreRefusedWithACodeOfTheirOwn) {
  for (const char* listen : {"", "nowhere", "127.0.0.1:99999"}) {
    RelayProcess relay(data(), listen);
    EXPECT_EQ(relay.wait(kLimitMs), 1) << listen;
    EXPECT_NE(relay.log().find("--listen"), std::string::npos) << relay.log();
  }
}

TEST_F(RelayProgram, AnOnionServiceWithoutATorIsRefused) {
  RelayProcess relay(data(), "", {"--onion", "--tor", "/not/there"});
  EXPECT_EQ(relay.wait(kLimitMs), 2);
  EXPECT_NE(relay.log().find("apt install tor"), std::string::npos) << relay.log();
  RelayProcess elsewhere(data(), "", {"--onion", "--control", "192.0.2.1:9051"});
  EXPECT_EQ(elsewhere.wait(kLimitMs), 1);
  EXPECT_NE(elsewhere.log().find("control"), std::string::npos) << elsewhere.log();
}

// It is started with the machine, and before its network.
TEST_F(RelayProgram, AnOnionServiceWithoutANetworkGoesOn) {
  const std::string key(40, 'A');
  std::ofstream(directory_.path() / "torrc")  // where nobody is
      << "DirAuthority none orport=9 v3ident=" << key << " 127.0.0.1:9 " << key << "\n";
  RelayProcess relay(data(), "127.0.0.1:0",
                     {"--onion", "--torrc", (directory_.path() / "torrc").string()});
  EXPECT_NE(relay.address(), "") << relay.log();
  EXPECT_EQ(relay.wait(1'000), -1) << relay.log();
  relay.signal(SIGTERM);
  EXPECT_EQ(relay.wait(kLimitMs), 0) << relay.log();
}

TEST_F(RelayProgram, OptionsOfATorAreRefusedWithoutIt) {
  for (const std::vector<std::string>& more : {std::vector<std::string>{"--control", "127.0.0.1:9"},
                                               {"--torrc", "/not/there"},
                                               {"--advertise", "short.ONION:443"}}) {
    RelayProcess relay(data(), "127.0.0.1:0", more);
    EXPECT_EQ(relay.wait(kLimitMs), 1) << more[0];
    EXPECT_NE(relay.log().find("--onion"), std::string::npos) << relay.log();
  }
}

TEST_F(RelayProgram, AnOnionKeyThatIsNoneIsRefused) {
  run_once();
  std::ofstream(data() / "onion.key") << "short";
  RelayProcess relay(data(), "127.0.0.1:0", {"--onion"});
  EXPECT_EQ(relay.wait(kLimitMs), 2);
  EXPECT_NE(relay.log().find("32 bytes"), std::string::npos) << relay.log();
}

TEST_F(RelayProgram, ADirectoryThatCannotBeMadeIsRefused) {
  std::ofstream(directory_.path() / "file") << "x";
  RelayProcess relay(directory_.path() / "file" / "below", "127.0.0.1:0");
  EXPECT_EQ(relay.wait(kLimitMs), 2);
  EXPECT_NE(relay.log().find("cannot make"), std::string::npos) << relay.log();
}

}  // namespace
}  // namespace wherry::test
