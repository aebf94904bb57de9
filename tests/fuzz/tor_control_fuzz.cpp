// What a control port says, by anybody who listens there: however it is cut into pieces, the same
// replies come of it, within their bounds, and what is written as an argument is read as it was.
#include <algorithm>
#include <string_view>

#include "fuzz.h"
#include "transports/common/tor/control_reply.h"
#include "transports/common/tor/onion_address.h"

using namespace wherry::transports::tor;

namespace {

struct Read {
  std::vector<Reply> replies;
  bool sound = true;
};

Read read_in_pieces(std::span<const uint8_t> bytes, size_t piece) {
  Read read;
  ReplyReader reader;
  while (!bytes.empty() && read.sound) {
    const auto part = bytes.first(std::min(piece, bytes.size()));
    read.sound = reader.feed(part);
    while (auto reply = reader.next()) read.replies.push_back(std::move(*reply));
    bytes = bytes.subspan(part.size());
  }
  return read;
}

bool same(const Reply& a, const Reply& b) {
  return a.code == b.code &&
         std::ranges::equal(a.lines, b.lines, [](const ReplyLine& one, const ReplyLine& other) {
           return one.text == other.text && one.data == other.data;
         });
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const uint8_t> bytes(data, size);
  const Read whole = read_in_pieces(bytes, size + 1);
  const Read pieces = read_in_pieces(bytes, 1 + size % 7);
  must(whole.sound == pieces.sound);
  must(std::ranges::equal(whole.replies, pieces.replies, same));
  for (const Reply& reply : whole.replies) {
    must(!reply.lines.empty() && reply.lines.size() <= kControlLinesMax);
    must(reply.code >= 100 && reply.code < 700);
    size_t length = 0;
    for (const ReplyLine& line : reply.lines) {
      length += line.text.size() + line.data.size();
      static_cast<void>(parse_words(line.text));
    }
    must(length <= kControlReplyMax);
  }
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto words = parse_words("A=" + quote(text));
  must(words && (*words)["A"] == text);
  if (const auto key = parse_address(text)) must(address_of(*key) == text);
  return 0;
}
