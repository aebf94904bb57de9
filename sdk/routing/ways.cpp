// ways = {1: [endpoint, …], 2: generation, ? 3: endpoint, ? 4: closed, ? 5: owed}; endpoint =
// [transport, text].
#include "routing/ways.h"

#include <algorithm>
#include <iterator>

#include "base/limits.h"
#include "codec/cbor.h"

namespace wherry::routing {
namespace {

using codec::CborMap;
using codec::CborReader;
using codec::CborWriter;

bool contains(std::span<const message::Endpoint> list, const message::Endpoint& endpoint) {
  return std::ranges::find(list, endpoint) != list.end();
}

void write(CborWriter& out, const message::Endpoint& endpoint) {
  out.array(2).text(endpoint.transport).text(endpoint.text);
}

message::Endpoint read(CborReader& in) {
  if (in.array(2) != 2) in.fail();
  std::string transport(in.text(limits::kTransportNameMax));
  return {std::move(transport), std::string(in.text(limits::kEndpointTextMax))};
}

}  // namespace

bool Ways::knows(const message::Endpoint& endpoint) const {
  return contains(proven, endpoint);
}

void Ways::renew(const message::Endpoints* before, const message::Endpoints& newest,
                 std::string_view transport, const std::function<bool()>& may_believe) {
  const std::vector<message::Endpoint>& list = newest.list;
  owed = owed || (before != nullptr &&
                  (before->list != list || newest.generation != before->generation + 1));
  const auto needs_no_probe = [&](const message::Endpoint& endpoint) {
    if (knows(endpoint)) return true;
    if (proven.empty()) return endpoint.transport == transport;
    return std::ranges::any_of(proven, [&](const message::Endpoint& known) {
      return known.transport == endpoint.transport && !contains(list, known);
    });
  };
  std::vector<message::Endpoint> next;
  for (const message::Endpoint& endpoint : list) {
    if (!needs_no_probe(endpoint) || contains(next, endpoint)) continue;
    if (knows(endpoint) || may_believe()) next.push_back(endpoint);
  }
  if (next.empty() && proven.empty()) {
    std::ranges::copy_if(list, std::back_inserter(next),
                         [&](const auto&) { return may_believe(); });
  }
  if (in_use && knows(*in_use) && !contains(next, *in_use)) next.push_back(*in_use);
  proven = std::move(next);
  closed = false;
}

void Ways::prove(const message::Endpoint& endpoint) {
  if (!knows(endpoint)) proven.push_back(endpoint);
}

void Ways::use(const message::Endpoint& endpoint) {
  in_use = endpoint;
  closed = false;
  prove(endpoint);
}

bool Ways::settle(const message::Endpoints& newest) {
  if (!owed || !in_use || !contains(newest.list, *in_use)) return false;
  std::erase_if(proven,
                [&](const message::Endpoint& known) { return !contains(newest.list, known); });
  moved_to = newest.generation;
  owed = false;
  return true;
}

Bytes Ways::to_bytes() const {
  CborWriter out;
  out.map(2u + (in_use ? 1u : 0u) + (closed ? 1u : 0u) + (owed ? 1u : 0u))
      .key(1)
      .array(proven.size());
  for (const message::Endpoint& endpoint : proven) write(out, endpoint);
  out.key(2).uint(moved_to);
  if (in_use) {
    out.key(3);
    write(out, *in_use);
  }
  if (closed) out.key(4).boolean(true);
  if (owed) out.key(5).boolean(true);
  return out.take();
}

Result<Ways> Ways::from_bytes(ByteView cbor) {
  CborReader in(cbor);
  Ways ways;
  for (CborMap map = in.map(); map.next();) {
    switch (map.key()) {
      case 1: {
        // Those of a set, and the one in use.
        const size_t count = in.array(limits::kEndpointsMax + 1);
        for (size_t i = 0; i < count && !in.failed(); ++i) ways.proven.push_back(read(in));
        break;
      }
      case 2:
        ways.moved_to = in.uint(INT64_MAX);
        break;
      case 3:
        ways.in_use = read(in);
        break;
      case 4:
        ways.closed = in.boolean();
        break;
      case 5:
        ways.owed = in.boolean();
        break;
      default:
        in.skip();
    }
  }
  if (!in.done()) return refuse(WHERRY_REASON_MALFORMED, "what is kept of the ways to a contact");
  return ways;
}

}  // namespace wherry::routing
