// Makes a DiskState an SQLite VFS, and stacks the cipher's VFS on it.
#pragma once

#include <memory>
#include <string>

struct sqlite3_vfs;

namespace wherry::test {

class DiskState;

class DiskVfs {
 public:
  explicit DiskVfs(DiskState& state);
  ~DiskVfs();
  DiskVfs(const DiskVfs&) = delete;
  DiskVfs& operator=(const DiskVfs&) = delete;

  const char* name() const { return cipher_name_.c_str(); }

 private:
  std::string plain_name_;
  std::string cipher_name_;
  std::unique_ptr<sqlite3_vfs> vfs_;
};

}  // namespace wherry::test
