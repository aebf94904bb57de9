// Work that is done by several processes: a failure of one, a crash included, ends no other.
#pragma once

#include <functional>
#include <string>

namespace wherry::sim {

// Calls `work` for 0 to count - 1, each in one of `jobs` processes, and `done` in this process with
// what it returned, as results come. A process that dies gives "died: …" for what it was at, and
// another goes on in its place.
void run_sharded(size_t count, int jobs, const std::function<std::string(size_t)>& work,
                 const std::function<void(size_t, const std::string&)>& done);

}  // namespace wherry::sim
