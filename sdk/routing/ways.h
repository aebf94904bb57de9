// The sender's half of a move (PROTOCOL §7.2), as a value that is kept on disk: which of a
// contact's endpoints are known to be theirs, and which one messages go to. Pure.
//
//   settled ── a set without the endpoint in use comes ──▶ probing ── an answer ──▶ settled, moved
#ifndef WHERRY_ROUTING_WAYS_H
#define WHERRY_ROUTING_WAYS_H

#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "message/payload.h"

namespace wherry::routing {

struct Ways {
  std::vector<message::Endpoint> proven;
  std::optional<message::Endpoint> in_use;
  bool closed = false;  // what is in use was left, for one that hides this device's address
  // The newest set of theirs that they are told to be followed (payload key 9); 0: none.
  uint64_t moved_to = 0;
  bool owed = false;  // that a newer one is: it differs, or others were missed before it

  bool knows(const message::Endpoint& endpoint) const;

  // A newer set came, over `transport`, after another or as the first. An endpoint of it needs no
  // probe if it replaces a proven one of the same network, or if nothing was proven yet and it is
  // of the network over which they were heard: such a one, or else all, since there is nothing else
  // to send to. `may_believe` is asked for each such one that is new.
  void renew(const message::Endpoints* before, const message::Endpoints& newest,
             std::string_view transport, const std::function<bool()>& may_believe);

  // It answered a probe.
  void prove(const message::Endpoint& endpoint);

  // An envelope is to go there.
  void use(const message::Endpoint& endpoint);

  // Whether they are to be told now that their newest set is followed: what is in use is of it, and
  // whatever was before is left for good.
  bool settle(const message::Endpoints& newest);

  Bytes to_bytes() const;
  static Result<Ways> from_bytes(ByteView cbor);

  bool operator==(const Ways&) const = default;
};

}  // namespace wherry::routing

#endif  // WHERRY_ROUTING_WAYS_H
