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
  std::unordered_map<uint64_t, Removed> entries;
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

wherry_profile add_handle(std::unique_ptr<engine::Engine> engine) {
  auto gone = std::make_shared<std::promise<void>>();
  Removed entry;
  entry.gone = gone->get_future().share();
  entry.engine.reset(engine.release(), [gone](engine::Engine* last) {
    delete last;
    gone->set_value();
  });
  Table& handles = make_own_table();
  std::lock_guard lock(handles.mutex);
  const uint64_t id = kTag | next_handle++;
  handles.entries.emplace(id, std::move(entry));
  return {id};
}

Result<std::shared_ptr<engine::Engine>> find_handle(wherry_profile profile) {
  Table* const handles = own_table();
  if (handles == nullptr) return table.load() == nullptr ? unknown() : forked();
  std::lock_guard lock(handles->mutex);
  const auto found = handles->entries.find(profile.id);
  if (found == handles->entries.end()) return unknown();
  return found->second.engine;
}

Result<Removed> remove_handle(wherry_profile profile) {
  if (Result<std::shared_ptr<engine::Engine>> known = find_handle(profile); !known) {
    return known.error();
  }
  Table& handles = *own_table();
  std::lock_guard lock(handles.mutex);
  const auto found = handles.entries.find(profile.id);
  if (found == handles.entries.end()) return unknown();
  Removed removed = std::move(found->second);
  handles.entries.erase(found);
  return removed;
}

}  // namespace wherry::capi
