// What others wrote, as a terminal shows it: valid UTF-8 without control characters, at most three
// times as long, and unchanged when it is shown again. And base64: one text for each byte string.
#include "codec/utf8.h"
#include "fuzz.h"
#include "samples/cli/base64.h"
#include "samples/cli/text.h"

namespace {

bool has_controls(std::string_view text, bool line_breaks) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    if ((byte < 0x20 && !(line_breaks && byte == '\n')) || byte == 0x7F) return true;
    // U+0080 to U+009F, which some terminals obey.
    if (byte == 0xC2 && i + 1 < text.size() && static_cast<uint8_t>(text[i + 1]) < 0xA0)
      return true;
  }
  return false;
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const bool line_breaks : {false, true}) {
    const std::string shown = cli::harmless(text, line_breaks);
    must(wherry::codec::utf8_valid(shown) && shown.size() <= 3 * size);
    must(!has_controls(shown, line_breaks));
    must(cli::harmless(shown, line_breaks) == shown);
  }
  if (const auto bytes = cli::base64_decode(text)) {
    must(cli::base64_encode(bytes->data(), bytes->size()) == text);
  }
  must(cli::base64_decode(cli::base64_encode(data, size)) ==
       std::vector<uint8_t>(data, data + size));
  return 0;
}
