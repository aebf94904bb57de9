// Addresses by their form alone.
#include "plugin/address.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>
#include <string>

namespace wherry::plugin {
namespace {

constexpr std::string_view kUnixScheme = "unix:";
constexpr size_t kUnixPathMax = sizeof(sockaddr_un::sun_path) - 1;  // and its NUL
constexpr size_t kHostMax = 253;                                    // RFC 1035 §3.1, as text
constexpr size_t kPortDigitsMax = 5;
constexpr int kPortMax = 65535;

bool is_digit(char character) {
  return character >= '0' && character <= '9';
}

bool is_path(std::string_view path) {
  return path.size() >= 2 && path.size() <= kUnixPathMax && path.front() == '/' &&
         std::ranges::none_of(
             path, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

bool is_host(std::string_view host) {
  return !host.empty() && host.size() <= kHostMax && std::ranges::all_of(host, [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '-' || c == '_';
  });
}

bool is_ipv6(std::string_view text) {
  // inet_pton reads to the first NUL only.
  if (text.find('\0') != std::string_view::npos) return false;
  in6_addr ignored{};
  return ::inet_pton(AF_INET6, std::string(text).c_str(), &ignored) == 1;
}

bool is_port(std::string_view port) {
  if (port.empty() || port.size() > kPortDigitsMax || !std::ranges::all_of(port, is_digit) ||
      (port.front() == '0' && port.size() > 1)) {
    return false;
  }
  return std::stoi(std::string(port)) <= kPortMax;
}

}  // namespace

bool is_address(std::string_view text) {
  if (text.starts_with(kUnixScheme) && text.substr(kUnixScheme.size()).starts_with('/')) {
    return is_path(text.substr(kUnixScheme.size()));
  }
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || !is_port(text.substr(colon + 1))) return false;
  const std::string_view host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    return is_ipv6(host.substr(1, host.size() - 2));
  }
  return is_host(host);
}

}  // namespace wherry::plugin
