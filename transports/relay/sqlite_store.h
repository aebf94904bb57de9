// The relay's store in one SQLite file: write-ahead log, synchronous=FULL, so that a commit has
// reached the disk when it returns.
//
// Envelopes are rows with the key (inbox << 32 | number): each inbox lies together and in order,
// reading and deleting are ranges of the key. A unique index of (inbox, hash) finds doubles.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "store.h"

namespace wherry::relay {

struct StoreOptions {
  std::uint32_t page_count_max = 0;  // 0: no bound; else the file's size in pages of 4 KiB
  bool full_sync = true;             // false only to measure what durability costs
};

// Opens or makes the database. Null when it cannot, with one line for the operator in `error`.
[[nodiscard]] std::unique_ptr<Store> open_sqlite_store(const std::filesystem::path& file,
                                                       const StoreOptions& options,
                                                       std::string& error);

}  // namespace wherry::relay
