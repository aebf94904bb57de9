// One connection to a relay: two streams of frames. What the client needs of gRPC, and no more, so
// that the client can be tested without it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "relay.pb.h"
#include "transports/common/relay_address.h"

namespace wherry::transports::centralized {

namespace v1 = wherry::relay::v1;

enum class Lane : std::uint8_t { kSubmit = 0, kReceive = 1 };
inline constexpr std::size_t kLanes = 2;

// What a link tells. `link` is the number that it was made with: news of an old link are ignored.
// Called on threads of the link, never from within its functions.
class LinkListener {
 public:
  virtual ~LinkListener() = default;
  virtual void on_frame(std::uint64_t link, v1::SubmitReply& frame) = 0;
  virtual void on_frame(std::uint64_t link, v1::ReceiveReply& frame) = 0;
  virtual void on_written(std::uint64_t link, Lane lane) = 0;
  // The lane is over; nothing follows on it, and the link uses nothing of itself any more for it.
  // Exactly once for each lane. reason: wherry_reason. detail: gRPC's own words, which may name
  // addresses: for the log at DEBUG alone.
  virtual void on_ended(std::uint64_t link, Lane lane, std::int32_t reason,
                        const std::string& detail) = 0;
};

// Thread-safe. Once it was started, its owner keeps it until both lanes have ended, and destroys it
// on a thread of its own: gRPC ends its threads with its last channel, and one of them would have
// to wait for itself.
class Link {
 public:
  virtual ~Link() = default;
  // Begins both lanes.
  virtual void start() = 0;
  // Asks for the next frame; again only after it came.
  virtual void read(Lane lane) = 0;
  // Writes a frame; again on that lane only after on_written.
  virtual void write(v1::SubmitRequest frame) = 0;
  virtual void write(v1::ReceiveRequest frame) = 0;
  // Ends both lanes now.
  virtual void cancel() = 0;
};

struct LinkTarget {
  std::string address;  // "1.2.3.4:5", "[::1]:5" or "unix:/path": nothing to resolve
  // Of the key that the server must have; none: what carries the connection has made sure of who is
  // there and encrypts, and TLS is not used.
  std::optional<Pin> pin;
};

using LinkFactory = std::function<std::unique_ptr<Link>(
    const LinkTarget& target, std::shared_ptr<LinkListener> listener, std::uint64_t link)>;

// The factory on gRPC.
std::unique_ptr<Link> make_grpc_link(const LinkTarget& target,
                                     const std::shared_ptr<LinkListener>& listener,
                                     std::uint64_t link);

}  // namespace wherry::transports::centralized
