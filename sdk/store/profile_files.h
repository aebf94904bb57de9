// A profile's directory: its lock, its header, its database.
#ifndef WHERRY_STORE_PROFILE_FILES_H
#define WHERRY_STORE_PROFILE_FILES_H

#include <functional>
#include <memory>
#include <string>

#include "base/env.h"
#include "store/database.h"
#include "store/profile_header.h"

namespace wherry::store {

// One open profile directory. Holds the lock as long as it lives. Thread-safe.
class ProfileFiles {
 public:
  // Makes directory (0700), header and an empty, migrated database. What a broken-off creation left
  // behind is replaced: the header is written last.
  // `fill` writes what every profile has into the fresh database.
  static Result<std::unique_ptr<ProfileFiles>> create(
      const std::string& path, const Key& key, bool full_sync, Random& random,
      const std::function<Status(Connection&)>& fill);
  static Result<std::unique_ptr<ProfileFiles>> open(const std::string& path, const Key& key,
                                                    bool full_sync);
  ~ProfileFiles();
  ProfileFiles(const ProfileFiles&) = delete;
  ProfileFiles& operator=(const ProfileFiles&) = delete;

  // A further connection: one for writing, any number for reading.
  Result<std::unique_ptr<Connection>> connect(bool read_only) const;

 private:
  ProfileFiles(std::string path, int lock, bool full_sync)
      : path_(std::move(path)), lock_(lock), full_sync_(full_sync) {}

  std::string path_;
  int lock_;
  bool full_sync_;
  PageKey page_key_;
};

}  // namespace wherry::store

#endif  // WHERRY_STORE_PROFILE_FILES_H
