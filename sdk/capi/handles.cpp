// The table of open profiles: the one thing that the process has once, since handles are its.
#include "capi/handles.h"

#include <unistd.h>

#include <unordered_map>

namespace wherry::capi {
namespace {

// In the upper half of every handle: a number that comes from elsewhere is hardly one of ours.
constexpr uint64_t kTag = 0x57485259ull << 32;

struct Entry {
  std::shared_ptr<engine::Engine> engine;
  pid_t process;
};

struct Table {
  std::mutex mutex;
  uint64_t next = 1;
  std::unordered_map<uint64_t, Entry> entries;
};

// Never destroyed: threads may still hold handles while the process exits.
Table& table() {
  static Table* const the = new Table;
  return *the;
}

Error unknown() {
  return fail(WHERRY_E_HANDLE, "the profile is not open: it was closed, or never was");
}

}  // namespace

wherry_profile add_handle(std::shared_ptr<engine::Engine> engine) {
  Table& handles = table();
  std::lock_guard lock(handles.mutex);
  const uint64_t id = kTag | handles.next++;
  handles.entries.emplace(id, Entry{std::move(engine), ::getpid()});
  return {id};
}

Result<std::shared_ptr<engine::Engine>> find_handle(wherry_profile profile) {
  Table& handles = table();
  std::lock_guard lock(handles.mutex);
  const auto found = handles.entries.find(profile.id);
  if (found == handles.entries.end()) return unknown();
  if (found->second.process != ::getpid()) {
    return fail(WHERRY_E_FORKED, "the process forked: open profiles after the fork");
  }
  return found->second.engine;
}

Result<std::shared_ptr<engine::Engine>> remove_handle(wherry_profile profile) {
  Result<std::shared_ptr<engine::Engine>> engine = find_handle(profile);
  if (!engine) return engine;
  Table& handles = table();
  std::lock_guard lock(handles.mutex);
  if (handles.entries.erase(profile.id) == 0) return unknown();
  return engine;
}

}  // namespace wherry::capi
