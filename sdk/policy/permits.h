// What may be revealed (permits). Pure, like reveals.h.
//
//   a path is allowed   when   reveals ⊆ profile ∩ mine ∩ in_my_words(theirs)
#ifndef WHERRY_POLICY_PERMITS_H
#define WHERRY_POLICY_PERMITS_H

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "wherry/wherry_schema.h"

namespace wherry::policy {

// A wherry_permits preset as a set; none: no such preset.
std::optional<wherry_reveals> preset(int32_t which);

// The other person's set in this person's words: "my" is always the one who asks. Their home
// operator is my far one, and my address is their other's. It is its own inverse.
wherry_reveals mirror(const wherry_reveals& set);

// What the other side's set permits on this side: mirrored, and whoever carries this person's
// packets may see where they come from. Those are near this person, and in no set of the other's:
// two who hide where they are both have to reach the entry of Tor.
wherry_reveals in_my_words(const wherry_reveals& theirs);

// Everybody who has a say about a conversation.
struct Permits {
  wherry_reveals profile;
  wherry_reveals mine;    // of the conversation
  wherry_reveals theirs;  // as they announced it: in their words

  wherry_reveals all() const;
};

// As it is sent: facts by observer, all of them. A list that is shorter permits nothing to those
// that it does not name.
std::vector<uint32_t> to_list(const wherry_reveals& set);
wherry_reveals from_list(const std::vector<uint32_t>& list);

// As it is stored: the same as little-endian u32. Refused when it is of another size.
Bytes to_bytes(const wherry_reveals& set);
Result<wherry_reveals> from_bytes(ByteView bytes);

}  // namespace wherry::policy

#endif  // WHERRY_POLICY_PERMITS_H
