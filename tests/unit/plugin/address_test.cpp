// The form of addresses (transport.h, WHERRY_SETTING_ADDRESS).
#include "plugin/address.h"

#include <gtest/gtest.h>

#include <string>

namespace wherry::plugin {
namespace {

using namespace std::string_literals;

TEST(Address, IsAHostAndAPort) {
  for (const char* text :
       {"localhost:9050", "127.0.0.1:1", "relay.example:65535", "a_b-c.example.:443", "h:0"}) {
    EXPECT_TRUE(is_address(text)) << text;
  }
  for (const std::string& text : {""s,
                                  ":"s,
                                  "host"s,
                                  ":80"s,
                                  "host:"s,
                                  "host: 80"s,
                                  " host:80"s,
                                  "host:80 "s,
                                  "host:+80"s,
                                  "host:-1"s,
                                  "host:65536"s,
                                  "host:99999"s,
                                  "host:000080"s,
                                  "host:080"s,
                                  "host:00"s,
                                  "host:8a"s,
                                  "host:80:"s,
                                  "a:b:80"s,
                                  "::1:80"s,
                                  "h/st:80"s,
                                  "user@host:80"s,
                                  "socks5://host:80"s,
                                  "h\xc3\xb6st:80"s,
                                  "host\0:80"s,
                                  "host:80\0"s,
                                  "host:8\n"s}) {
    EXPECT_FALSE(is_address(text)) << text;
  }
  EXPECT_TRUE(is_address(std::string(253, 'h') + ":1"));
  EXPECT_FALSE(is_address(std::string(254, 'h') + ":1"));
}

TEST(Address, IsAnIpv6AddressInBracketsAndAPort) {
  for (const char* text : {"[::1]:80", "[::]:0", "[2001:db8::7]:65535", "[::ffff:127.0.0.1]:80"}) {
    EXPECT_TRUE(is_address(text)) << text;
  }
  for (const std::string& text :
       {"[]:80"s, "[::1]"s, "[::1]:"s, "[::1]80"s, "[::1:80"s, "::1]:80"s, "[127.0.0.1]:80"s,
        "[host]:80"s, "[1::2::3]:80"s, "[fe80::1%eth0]:80"s, "[::1\0]:80"s, "[[::1]]:80"s}) {
    EXPECT_FALSE(is_address(text)) << text;
  }
}

TEST(Address, IsThePathOfASocket) {
  for (const char* text : {"unix:/a", "unix:/run/tor/socks", "unix:/with space/h\xc3\xb6he:1"}) {
    EXPECT_TRUE(is_address(text)) << text;
  }
  for (const std::string& text : {"unix:"s, "unix:/"s, "unix:relative"s, "unix:./a"s, "Unix:/a"s,
                                  "unix:/a\n"s, "unix:/a\0b"s, "unix:/a\x7f"s, "/run/socket"s}) {
    EXPECT_FALSE(is_address(text)) << text;
  }
  EXPECT_TRUE(is_address("unix:/" + std::string(106, 'p')));
  EXPECT_FALSE(is_address("unix:/" + std::string(107, 'p')));  // with its NUL, no sun_path
}

// A host may be called "unix": only the slash makes it a path.
TEST(Address, TakesAHostNamedUnix) {
  EXPECT_TRUE(is_address("unix:80"));
}

}  // namespace
}  // namespace wherry::plugin
