// A disk that can be full, for tests. Needs root.
#pragma once

#include <sys/mount.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

namespace wherry::test {

// A small file system in memory over a person's folder, which has the same files.
class SmallDisk {
 public:
  explicit SmallDisk(std::filesystem::path folder) : folder_(std::move(folder)) {
    const std::filesystem::path copy = folder_.string() + ".copy";
    std::filesystem::copy(folder_, copy, std::filesystem::copy_options::recursive);
    mounted_ = ::mount("tmpfs", folder_.c_str(), "tmpfs", 0, "size=16m,mode=700") == 0;
    error_ = mounted_ ? 0 : errno;
    if (!mounted_) return;
    for (const auto& entry : std::filesystem::directory_iterator(copy)) {
      std::filesystem::copy(entry.path(), folder_ / entry.path().filename());
    }
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(folder_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  std::string error() const { return std::strerror(error_); }

  void fill() const {
    std::ofstream file(folder_ / "ballast", std::ios::binary);
    const std::string block(4096, 'x');  // as the file system's
    while (file.write(block.data(), 4096).flush()) {
    }
  }
  void free() const { std::filesystem::remove(folder_ / "ballast"); }

 private:
  std::filesystem::path folder_;
  bool mounted_ = false;
  int error_ = 0;
};

}  // namespace wherry::test
