// What a person can do when nothing goes to somebody: the way on in this program's own commands.
#pragma once

#include <string>
#include <vector>

#include "people.h"

namespace cli {

// Lines of advice, by what stands against the ways to this person. None while one works, or when
// there is nothing to do but wait.
std::vector<std::string> advice(const wherry::Profile& profile, const Person& person);

// Whether links this way are opened from both ends alone: the person is behind a router.
bool needs_both_ends(const wherry_path& path);
// What is said of them then, after their name.
inline constexpr const char* both_ends_text =
    " is behind a router: p2p gets through only while both of you run wherry, as by `wherry "
    "listen`";

// Whether a network of this program shows nothing beyond this set, whatever its settings are.
bool is_within(const std::string& network, const wherry_reveals& permitted);

// Whether a network keeps messages for who is away.
bool keeps_messages(const std::string& network);

// Whether one is set, so that it follows nobody.
bool has_fixed_route(const wherry::Profile& profile, const Person& person);

// The networks that the profile's permits keep offline, and by which there is no way to this person
// that could say so.
std::vector<std::string> kept_offline(const wherry::Profile& profile,
                                      const wherry::Page<wherry_path>& paths);
// What is said of one.
inline constexpr const char* kept_offline_text =
    "the profile does not permit what being online there reveals: see `wherry permits`";

}  // namespace cli
