// Values of rows that a damaged store could give: all but the ratchet's, which ratchet_envelope
// has. What is accepted is what would be stored for its value, and keeps the invariants of its
// type, so that damage is told and not worked with. The input is kind u8 ‖ the value.
#include <algorithm>

#include "base/limits.h"
#include "delivery/quota.h"
#include "delivery/stream.h"
#include "engine/settings.h"
#include "fuzz.h"
#include "identity/bundle.h"
#include "identity/identity.h"

namespace {

using wherry::ByteView;
using wherry::equal;
using namespace wherry::delivery;

void check_stream(ByteView input) {
  if (input.size() < 8) return;
  uint64_t next = 0;
  for (size_t i = 0; i < 8; ++i) next |= uint64_t{input[i]} << 8 * i;
  auto stream = Stream::from_bytes(next, input.subspan(8));
  if (!stream) return;
  must(equal(stream->to_bytes(), input.subspan(8)));
  uint64_t above = stream->next;
  for (const Range& range : stream->beyond) {
    must(range.from > above && range.to >= range.from && range.to <= INT64_MAX);
    above = range.to + 1;
  }
  const Acked acked = acknowledgement(*stream);
  must(acked.ranges.size() <= wherry::limits::kAckRanges);
  for (const uint64_t seq : {stream->next, stream->next + 1, stream->next + 7}) {
    const Arrival arrival = classify(*stream, seq);
    if (arrival != Arrival::kNext && arrival != Arrival::kEarly) continue;
    admit(*stream, seq);
    must(classify(*stream, seq) == Arrival::kDuplicate);
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const ByteView input(data + 1, size - 1);
  switch (data[0] % 6) {
    case 0:
      if (const auto one = wherry::identity::Identity::from_bytes(input)) {
        must(equal(one->to_bytes().view(), input));
      }
      break;
    case 1:
      if (const auto one = wherry::identity::Device::from_bytes(input)) {
        must(equal(one->to_bytes().view(), input));
      }
      break;
    case 2:
      if (const auto one = wherry::identity::Prekey::from_bytes(input)) {
        must(equal(one->to_bytes().view(), input));
      }
      break;
    case 3:
      check_stream(input);
      break;
    case 4:
      if (const auto settings = wherry::engine::settings_from_bytes(input)) {
        must(equal(wherry::engine::settings_to_bytes(*settings), input));
        for (const auto& [name, value] : *settings) {
          must(name.find('\0') == std::string::npos && value.find('\0') == std::string::npos);
        }
      }
      break;
    default:
      ResetBudget budget = ResetBudget::from_bytes(input);
      if (input.size() == 16) must(equal(budget.to_bytes(), input));
      for (int i = 0; i <= wherry::limits::kResetsPerDay; ++i) (void)budget.spend(1);
      must(!budget.spend(1));
  }
  return 0;
}
