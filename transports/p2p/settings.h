// Settings of the transport and what they reveal.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "address.h"
#include "include/wherry/transport.h"

namespace wherry::transports::p2p {

struct NodeSettings {
  std::optional<Address> listen;    // none: this person only dials
  std::vector<Address> advertise;   // empty: those of this machine's interfaces
  std::vector<AddressRange> allow;  // that are dialled although they are not of the Internet
  std::optional<Address> proxy;     // SOCKS5, for dialling
  std::optional<Address> meeting;   // the outside, where links are opened from both ends
  bool lan = false;                 // contacts are found on the local networks

  // Whether it is of the Internet, or in `allow`.
  bool is_known(const Address& address) const;
  // Whether an address that a contact gave may be dialled: unless it is in `allow`, not one of a
  // network that this machine is in now, although it may be of the Internet, nor a port below
  // kPortMin.
  bool may_dial(const Address& address) const;
  // Whether this machine opens links together with the other end, and may there.
  bool may_meet(const std::optional<Address>& address) const;
};

// Strict. Out: error, one line that says what to do.
[[nodiscard]] std::optional<NodeSettings> parse_settings(const wherry_setting* settings,
                                                         std::size_t count, std::string& error);

// What listening with these settings reveals.
[[nodiscard]] wherry_reveals reveals_of_listening(const NodeSettings& settings);
// What dialling a contact and sending to them does, beside that.
[[nodiscard]] wherry_reveals reveals_of_dialling(const NodeSettings& settings);
// A superset of both with any settings.
[[nodiscard]] wherry_reveals reveals_at_worst();

}  // namespace wherry::transports::p2p
