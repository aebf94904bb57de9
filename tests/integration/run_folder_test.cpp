// Folders for sockets: what is left of a process that was killed, and what is not touched.
#include "transports/common/run_folder.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>

namespace wherry::transports {
namespace {

namespace fs = std::filesystem;

class RunFolders : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(::mkdtemp(base_.data()), nullptr);
    ::unsetenv("XDG_RUNTIME_DIR");
    ::setenv("TMPDIR", base_.c_str(), 1);
  }
  void TearDown() override {
    ::unsetenv("TMPDIR");
    fs::remove_all(base_);
  }

  // In another process, by what it ends with.
  static int in_another(const std::function<bool()>& does) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(does() ? 0 : 1);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return status;
  }
  // As if it had been made an hour ago.
  static void age(const std::string& folder) {
    const timespec then{::time(nullptr) - 3600, 0};
    const timespec times[2] = {then, then};
    ASSERT_EQ(::utimensat(AT_FDCWD, folder.c_str(), times, 0), 0);
  }
  std::size_t count() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(base_), fs::directory_iterator()));
  }

  std::string base_ = "/tmp/wherry-test-XXXXXX";
};

TEST_F(RunFolders, AreTheOwnersAloneAndGoWithIt) {
  std::string path;
  {
    const auto folder = RunFolder::make();
    ASSERT_TRUE(folder);
    path = folder->path();
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0700U);
    EXPECT_EQ(fs::path(path).parent_path(), base_);
    std::string file = path + "/s";
    ASSERT_GE(::close(::open(file.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(RunFolders, OfTheKilledGoAndOfTheLivingStay) {
  const auto mine = RunFolder::make();
  ASSERT_TRUE(mine);
  const int status = in_another([] {
    const auto folder = RunFolder::make();
    if (folder) ::raise(SIGKILL);
    return false;
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  const std::string others = base_ + "/wherry-run-mine";  // a file, by chance of this name
  ASSERT_GE(::close(::open(others.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
  ASSERT_EQ(count(), 3u);
  for (const auto& entry : fs::directory_iterator(base_)) age(entry.path());
  EXPECT_EQ(in_another([] { return RunFolder::make() != nullptr; }), 0);
  EXPECT_EQ(count(), 2u);
  EXPECT_TRUE(fs::exists(mine->path()));
  EXPECT_TRUE(fs::exists(others));
}

TEST_F(RunFolders, AreElsewhereWhereAPathIsTooLongForASocket) {
  const std::string deep = base_ + "/" + std::string(100, 'a');
  fs::create_directory(deep);
  ::setenv("TMPDIR", deep.c_str(), 1);
  const auto folder = RunFolder::make();
  ASSERT_TRUE(folder);
  EXPECT_EQ(fs::path(folder->path()).parent_path(), "/tmp");
}

}  // namespace
}  // namespace wherry::transports
