// What a contact, or whoever holds an endpoint of theirs, can send to the onion transport:
// endpoints, and frames over a stream in pieces of any size.
#include <algorithm>
#include <string_view>
#include <vector>

#include "fuzz.h"
#include "include/wherry/transport.h"
#include "transports/onion/endpoint.h"
#include "transports/onion/stream.h"

using namespace wherry::transports;

namespace {

struct Read {
  std::vector<links::Bytes> frames;
  bool bad = false;
};

Read read_in_pieces(std::span<const uint8_t> bytes, size_t piece) {
  Read read;
  onion::FrameReader reader;
  while (!bytes.empty() && !reader.bad()) {
    must(reader.room() > 0);
    const auto part = bytes.first(std::min({piece, bytes.size(), reader.room()}));
    reader.feed(part);
    while (const auto frame = reader.next()) {
      must(!frame->empty() && frame->size() <= links::kFrameBytesMax);
      read.frames.emplace_back(frame->begin(), frame->end());
    }
    bytes = bytes.subspan(part.size());
  }
  read.bad = reader.bad();
  return read;
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto endpoint = onion::parse_endpoint(text)) {
    must(onion::to_text(*endpoint) == text && size <= WHERRY_ENDPOINT_SIZE_MAX);
    must(endpoint->client || !endpoint->token);
  }
  const std::span<const uint8_t> bytes(data, size);
  const Read whole = read_in_pieces(bytes, size + 1);
  const Read pieces = read_in_pieces(bytes, 1 + size % 5);
  must(whole.bad == pieces.bad && whole.frames == pieces.frames);
  return 0;
}
