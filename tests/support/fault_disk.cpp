// A FaultDisk is a DiskState and its VFS.
#include "tests/support/fault_disk.h"

#include "tests/support/fault_disk_state.h"
#include "tests/support/fault_disk_vfs.h"

namespace wherry::test {

FaultDisk::FaultDisk(uint64_t seed)
    : state_(std::make_unique<DiskState>(seed)), vfs_(std::make_unique<DiskVfs>(*state_)) {}

FaultDisk::~FaultDisk() = default;

const char* FaultDisk::vfs() const {
  return vfs_->name();
}

void FaultDisk::crash() {
  state_->crash();
}

void FaultDisk::kill() {
  state_->kill();
}

void FaultDisk::stop_after(uint64_t operations) {
  state_->stop_after(operations);
}

bool FaultDisk::stopped() const {
  return state_->stopped();
}

void FaultDisk::set_space(std::optional<uint64_t> bytes) {
  state_->set_space(bytes);
}

void FaultDisk::set_failures(double write, double sync) {
  state_->set_failures(write, sync);
}

void FaultDisk::ignore_syncs(bool ignore) {
  state_->ignore_syncs(ignore);
}

DiskImage FaultDisk::save() const {
  return state_->save();
}

void FaultDisk::restore(const DiskImage& image) {
  state_->restore(image);
}

bool FaultDisk::in_transaction() const {
  return state_->in_transaction();
}

bool FaultDisk::logs_synced() const {
  return state_->logs_synced();
}

uint64_t FaultDisk::operations() const {
  return state_->operations();
}

const DiskCounts& FaultDisk::counts() const {
  return state_->counts();
}

uint64_t FaultDisk::fingerprint() const {
  return state_->fingerprint();
}

}  // namespace wherry::test
