// Values of frames as what the relay works with, and back.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "core.h"
#include "relay.pb.h"

namespace wherry::relay {

// `bytes` has this size: checked with the frame.
template <std::size_t Size>
std::array<std::uint8_t, Size> to_array(const std::string& bytes) {
  std::array<std::uint8_t, Size> out{};
  std::memcpy(out.data(), bytes.data(), Size);
  return out;
}

inline std::span<const std::uint8_t> to_span(const std::string& bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

inline v1::Outcome to_wire(Outcome outcome) {
  return static_cast<v1::Outcome>(outcome);
}

}  // namespace wherry::relay
