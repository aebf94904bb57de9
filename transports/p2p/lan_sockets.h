// Datagrams to and from the networks that this machine is in: multicast, and broadcast where that
// does not get through. The worker's own: nothing here is thread-safe.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "address.h"
#include "transports/common/net.h"

namespace wherry::transports::p2p {

class LanSockets {
 public:
  // `listen`: one address of this machine, or all; only addresses that could be dialled there are
  // said, and only their groups joined. What this machine has not got (a family, a group) is left
  // out. Interfaces that come later are not seen.
  explicit LanSockets(const Address& listen);

  // This machine has other addresses now.
  bool is_outdated() const;

  // To be polled for input.
  std::vector<int> descriptors() const;

  struct Datagram {
    std::vector<std::uint8_t> bytes;
    Address from;  // of a network that this machine is in
  };
  // What has come to one of the descriptors; none: nothing more now. Empty bytes: not worth a look.
  std::optional<Datagram> receive(int descriptor);

  // Addresses that are said from, each of which needs a datagram of its own.
  const std::vector<LanAddress>& sources() const { return sources_; }
  // By multicast, and with `broadcast`, or where multicast fails, by that. From a port of its own.
  // False: nothing left this machine.
  bool send(const LanAddress& source, std::span<const std::uint8_t> datagram, bool broadcast) const;

 private:
  Address listen_;
  std::vector<LanAddress> sources_;
  std::vector<AddressRange> networks_;
  std::vector<Ip> own6_;
  Descriptor v4_;
  Descriptor v6_;
};

}  // namespace wherry::transports::p2p
