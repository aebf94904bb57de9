// The table of open profiles: the one thing that the process has once, since handles are its.
#include "capi/handles.h"

#include <unistd.h>

#include <atomic>
#include <unordered_map>

namespace wherry::capi {
namespace {

// In the upper half of every handle: a number that comes from elsewhere is hardly one of ours.
constexpr uint64_t kTag = 0x57485259ull << 32;

struct Table {
  explicit Table(pid_t owner) : process(owner) {}

  const pid_t process;  // whose handles these are
  std::mutex mutex;
  std::unordered_map<uint64_t, std::shared_ptr<engine::Engine>> entries;
};

// Never destroyed: threads may still hold handles while the process exits; and after a fork the
// parent's table is left alone, with a lock that one of its threads may have held.
std::atomic<Table*> table{nullptr};
std::atomic<uint64_t> next_handle{1};

// The table of this process; null: there is none yet, or it is that of the process that forked.
Table* own_table() {
  Table* const the = table.load();
  return the != nullptr && the->process == ::getpid() ? the : nullptr;
}

Table& make_own_table() {
  if (Table* const the = own_table()) return *the;
  Table* before = table.load();
  Table* const fresh = new Table(::getpid());
  if (table.compare_exchange_strong(before, fresh)) return *fresh;
  delete fresh;
  return *table.load();
}

Error unknown() {
  return fail(WHERRY_E_HANDLE, "the profile is not open: it was closed, or never was");
}

Error forked() {
  return fail(WHERRY_E_FORKED, "the process forked: open profiles after the fork");
}

}  // namespace

wherry_profile add_handle(std::shared_ptr<engine::Engine> engine) {
  Table& handles = make_own_table();
  std::lock_guard lock(handles.mutex);
  const uint64_t id = kTag | next_handle++;
  handles.entries.emplace(id, std::move(engine));
  return {id};
}

Result<std::shared_ptr<engine::Engine>> find_handle(wherry_profile profile) {
  Table* const handles = own_table();
  if (handles == nullptr) return table.load() == nullptr ? unknown() : forked();
  std::lock_guard lock(handles->mutex);
  const auto found = handles->entries.find(profile.id);
  if (found == handles->entries.end()) return unknown();
  return found->second;
}

Result<std::shared_ptr<engine::Engine>> remove_handle(wherry_profile profile) {
  Result<std::shared_ptr<engine::Engine>> engine = find_handle(profile);
  if (!engine) return engine;
  Table& handles = *own_table();
  std::lock_guard lock(handles.mutex);
  if (handles.entries.erase(profile.id) == 0) return unknown();
  return engine;
}

}  // namespace wherry::capi
