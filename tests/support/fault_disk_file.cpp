// A write is remembered as the whole sectors that it left in the page cache: a system writes those
// to a disk, never parts of them. So a sector that was written twice ends as it was before, between
// or after.
#include "tests/support/fault_disk_file.h"

#include <algorithm>

namespace wherry::test {

Luck::Luck(std::mt19937_64& random)
    : random_(random),
      keep_percent_(static_cast<unsigned>(random() % 5 * 25)),
      tear_percent_(static_cast<unsigned>(random() % 3 * 25)) {}

Luck::Fate Luck::fate() {
  if (random_() % 100 < keep_percent_) return Fate::kKept;
  ++lost_;
  return random_() % 100 < tear_percent_ ? Fate::kTorn : Fate::kLost;
}

void Luck::fill_unwritten(std::span<uint8_t> bytes) {
  const bool garbage = coin();
  for (uint8_t& byte : bytes) byte = garbage ? static_cast<uint8_t>(random_()) : 0;
}

void DiskFile::write(size_t offset, std::span<const uint8_t> bytes) {
  if (bytes.empty()) return;
  const size_t end = offset + bytes.size();
  if (cache_.size() < end) cache_.resize(end);
  std::copy(bytes.begin(), bytes.end(), cache_.begin() + static_cast<ptrdiff_t>(offset));

  const size_t first = offset / kSectorSize * kSectorSize;
  const size_t last = std::min(cache_.size(), (end + kSectorSize - 1) / kSectorSize * kSectorSize);
  changes_.push_back({false, first, images_.size(), last - first});
  images_.insert(images_.end(), cache_.begin() + static_cast<ptrdiff_t>(first),
                 cache_.begin() + static_cast<ptrdiff_t>(last));
}

void DiskFile::truncate(size_t size) {
  cache_.resize(size);
  changes_.push_back({true, size, 0, 0});
}

void DiskFile::apply(const Change& change) {
  if (change.truncates) {
    platter_.resize(change.offset);
    return;
  }
  const size_t end = change.offset + change.size;
  if (platter_.size() < end) platter_.resize(end);
  std::copy_n(images_.begin() + static_cast<ptrdiff_t>(change.image), change.size,
              platter_.begin() + static_cast<ptrdiff_t>(change.offset));
}

void DiskFile::apply_torn(const Change& change, Luck& luck) {
  if (change.truncates) {
    if (luck.coin()) apply(change);
    return;
  }
  for (size_t at = 0; at < change.size; at += kSectorSize) {
    if (!luck.coin()) continue;
    grow_unwritten(change.offset + at, luck);
    const size_t size = std::min(kSectorSize, change.size - at);
    apply({false, change.offset + at, change.image + at, size});
  }
}

void DiskFile::grow_unwritten(size_t size, Luck& luck) {
  const size_t old = platter_.size();
  if (old >= size) return;
  platter_.resize(size);
  luck.fill_unwritten(std::span(platter_).subspan(old));
}

void DiskFile::sync() {
  for (const Change& change : changes_) apply(change);
  // They differ only where an earlier sync failed: lengths are not lost, as contents are.
  platter_.resize(cache_.size());
  forget_changes();
}

void DiskFile::fail_sync(Luck& luck) {
  for (const Change& change : changes_) {
    switch (luck.fate()) {
      case Luck::Fate::kKept:
        if (!change.truncates) grow_unwritten(change.offset, luck);
        apply(change);
        break;
      case Luck::Fate::kTorn:
        apply_torn(change, luck);
        break;
      case Luck::Fate::kLost:
        break;
    }
  }
  if (!changes_.empty() && luck.coin()) grow_unwritten(cache_.size(), luck);
  forget_changes();
}

void DiskFile::crash(Luck& luck) {
  fail_sync(luck);
  cache_ = platter_;
}

void DiskFile::forget_changes() {
  changes_.clear();
  images_.clear();
}

}  // namespace wherry::test
