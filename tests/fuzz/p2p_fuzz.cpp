// What a contact, or whoever holds an endpoint of theirs, can send to the peer-to-peer transport:
// endpoints and frames. What is accepted is, to the last byte, what would be written for its value.
#include <algorithm>
#include <string_view>
#include <vector>

#include "fuzz.h"
#include "include/wherry/transport.h"
#include "transports/common/links/frames.h"
#include "transports/p2p/beacon.h"
#include "transports/p2p/endpoint.h"
#include "transports/p2p/limits.h"

using namespace wherry::transports::links;
using namespace wherry::transports::p2p;

namespace {

void check_envelopes(std::span<const uint8_t> frame) {
  const auto envelopes = parse_envelopes(frame);
  if (!envelopes) return;
  Bytes again;
  for (const NumberedEnvelope& one : *envelopes) append(again, one.number, one.bytes);
  must(std::ranges::equal(frame.subspan(1), std::span(again).subspan(1)));
}

void check_numbers(std::span<const uint8_t> frame) {
  const auto ranges = parse_numbers(frame);
  if (!ranges) return;
  must(ranges->size() <= kRangesMax);
  uint32_t last = 0;
  for (const Range& range : *ranges) {
    must(range.first > last && range.last >= range.first);
    last = range.last;
  }
}

// Some bytes are said by a contact, and the rest by whoever changes them.
void check_beacon(std::span<const uint8_t> bytes) {
  const std::vector<Key> passes(1, Key{1});
  Beacon beacon = make_beacon(passes, 1, Ip{}, {1024, false});
  for (std::size_t i = 0; i < std::min(bytes.size(), beacon.size()); ++i) beacon[i] ^= bytes[i];
  Recognizer recognizer;
  recognizer.add(1, passes[0]);
  must(recognizer.read(bytes, Ip{}, 1).empty());
  const auto seen = recognizer.read(beacon, Ip{}, 1);
  must(seen.empty() || (seen.size() == 1 && seen[0].where == Whereabouts{1024, false}));
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto endpoint = parse_endpoint(text)) {
    must(to_text(*endpoint) == text && size <= WHERRY_ENDPOINT_SIZE_MAX);
    must(endpoint->addresses.size() <= kAddressesMax);
  }
  if (const auto address = parse_address(text)) {
    must(to_text(*address) == text);
    if (is_public(*address)) must(!parse_range("10.0.0.0/8")->contains(*address));
  }
  if (const auto range = parse_range(text)) must(range->bits >= 0 && range->bits <= 128);
  const std::span<const uint8_t> frame(data, size);
  check_beacon(frame);
  if (kind_of(frame)) {
    check_envelopes(frame);
    check_numbers(frame);
  }
  return 0;
}
