// A folder of one use, for sockets: only this user may read it, and the path of a socket in it has
// at most 107 bytes. It goes with its owner; those of processes that were killed go when
// another is made.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "net.h"

namespace wherry::transports {

class RunFolder {
 public:
  // Null: errno says why not. In XDG_RUNTIME_DIR, TMPDIR, or /tmp.
  static std::unique_ptr<RunFolder> make();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;
  ~RunFolder();

  const std::string& path() const { return path_; }

 private:
  RunFolder(std::string path, Descriptor lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  const std::string path_;
  const Descriptor lock_;  // ends with the process
};

}  // namespace wherry::transports
