// Bytes of the handshake.
#include "socks_handshake.h"

#include <arpa/inet.h>

#include <utility>

namespace wherry::transports {
namespace {

constexpr std::uint8_t kVersion = 5;
constexpr std::uint8_t kNoAuthentication = 0;
constexpr std::uint8_t kNameAndPassword = 2;
constexpr std::uint8_t kLoginVersion = 1;
constexpr std::uint8_t kConnect = 1;
constexpr std::uint8_t kIpv4 = 1;
constexpr std::uint8_t kName = 3;
constexpr std::uint8_t kIpv6 = 4;

void put_text(std::vector<std::uint8_t>& out, const std::string& text) {
  out.push_back(static_cast<std::uint8_t>(text.size()));
  out.insert(out.end(), text.begin(), text.end());
}

// A host's type and address (RFC 1928, section 5).
void put_host(std::vector<std::uint8_t>& out, const std::string& host) {
  std::uint8_t address[16];
  if (inet_pton(AF_INET, host.c_str(), address) == 1) {
    out.push_back(kIpv4);
    out.insert(out.end(), address, address + 4);
  } else if (inet_pton(AF_INET6, host.c_str(), address) == 1) {
    out.push_back(kIpv6);
    out.insert(out.end(), address, address + 16);
  } else {
    out.push_back(kName);
    put_text(out, host);
  }
}

}  // namespace

SocksHandshake::SocksHandshake(const Authority& target, std::optional<SocksLogin> login)
    : target_(target),
      login_(std::move(login)),
      output_{kVersion, 1, login_ ? kNameAndPassword : kNoAuthentication} {}

std::vector<std::uint8_t> SocksHandshake::take_output() {
  return std::exchange(output_, {});
}

void SocksHandshake::fail() {
  wants_ = 0;
}

void SocksHandshake::ask() {
  output_ = {kVersion, kConnect, 0};
  put_host(output_, target_.host);
  output_.push_back(static_cast<std::uint8_t>(target_.port >> 8U));
  output_.push_back(static_cast<std::uint8_t>(target_.port & 255U));
  step_ = Step::kReply;
  wants_ = 5;  // up to the first byte of the bound address
}

void SocksHandshake::feed(std::span<const std::uint8_t> bytes) {
  if (wants_ == 0 || bytes.size() != wants_) return fail();
  switch (step_) {
    case Step::kMethod:
      if (bytes[0] != kVersion || bytes[1] != (login_ ? kNameAndPassword : kNoAuthentication)) {
        return fail();
      }
      if (!login_) return ask();
      output_ = {kLoginVersion};
      put_text(output_, login_->name);
      put_text(output_, login_->password);
      step_ = Step::kLogin;
      return;
    case Step::kLogin:
      if (bytes[0] != kLoginVersion || bytes[1] != 0) return fail();
      return ask();
    case Step::kReply:
      if (bytes[0] != kVersion) return fail();
      if (bytes[1] != 0) {
        refusal_ = bytes[1];
        return fail();
      }
      step_ = Step::kRest;
      wants_ = 2;  // the port
      if (bytes[3] == kIpv4) {
        wants_ += 3;
      } else if (bytes[3] == kIpv6) {
        wants_ += 15;
      } else if (bytes[3] == kName) {
        wants_ += bytes[4];
      } else {
        return fail();
      }
      return;
    case Step::kRest:
      succeeded_ = true;
      wants_ = 0;
  }
}

}  // namespace wherry::transports
