// What the worker has from when it goes online until it ends: its sockets, and what it knows of
// them. After a change of networks it begins another.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "door.h"
#include "intake.h"
#include "lan.h"
#include "link.h"
#include "node.h"

namespace wherry::transports::p2p {

struct Node::Life {
  Life(int wake_event, std::uint64_t receipts_given) : wake(wake_event), receipts(receipts_given) {}

  // Links that are being dialled now, without those that wait for a moment.
  std::size_t dialling() const {
    return static_cast<std::size_t>(std::ranges::count_if(links, [](const auto& one) {
      return one.second.state() == Link::State::kDialling && one.second.is_open();
    }));
  }

  zmq::context_t context{1, kSocketsMax};
  Intake intake;
  std::optional<Door> door;
  std::optional<Lan> lan;
  std::map<std::uint64_t, Link> links;
  std::deque<Outgoing> sends;                      // taken from the host, and not by a link yet
  std::deque<std::uint64_t> to_dial;               // peers; some may be gone by the time
  std::deque<std::uint64_t> to_dial_again;         // likewise, those that failed last time
  std::map<std::uint64_t, std::string> announced;  // endpoints, by inbox
  std::vector<Address> advertised;
  Key key{};  // of the listener, secret
  std::uint16_t port = 0;
  bool busy = false;  // the host has no room: nothing is read until resume_receive
  std::map<std::uint64_t, Link::State> told;  // of peers
  std::uint64_t met_last = 0;                 // the peer with whom the last meeting was begun
  const int wake;
  const std::uint64_t receipts;  // given before: what is said of those is nobody's now
};

}  // namespace wherry::transports::p2p
