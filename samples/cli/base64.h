// Base64 (RFC 4648 §4, with padding), as bytes travel in JSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

std::string base64_encode(const std::uint8_t* data, std::size_t size);

// Nothing unless the text is the one encoding of some bytes.
std::optional<std::vector<std::uint8_t>> base64_decode(std::string_view text);

}  // namespace cli
