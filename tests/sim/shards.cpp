// fork, a pipe each, poll.
#include "tests/sim/shards.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <vector>

namespace wherry::sim {
namespace {

// On the pipe, for each piece of work: its number when it begins, then number and result.
struct Head {
  uint64_t index = 0;
  uint64_t size = UINT64_MAX;  // UINT64_MAX: it begins
};

void put(int pipe, const void* data, size_t size) {
  const auto* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = ::write(pipe, at, size);
    if (written <= 0) std::_Exit(1);  // nobody reads any more
    at += written;
    size -= static_cast<size_t>(written);
  }
}

bool get(int pipe, void* data, size_t size) {
  auto* at = static_cast<char*>(data);
  while (size > 0) {
    const ssize_t taken = ::read(pipe, at, size);
    if (taken <= 0) return false;
    at += taken;
    size -= static_cast<size_t>(taken);
  }
  return true;
}

struct Shard {
  pid_t process = -1;
  int pipe = -1;
  size_t next = 0;  // what it begins with, and then every jobs-th
  uint64_t at = UINT64_MAX;
};

Shard start(size_t first, size_t count, size_t stride,
            const std::function<std::string(size_t)>& work) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
  std::fflush(nullptr);
  const pid_t process = ::fork();
  if (process < 0) throw std::runtime_error("no process");
  if (process == 0) {
    ::close(ends[0]);
    for (size_t i = first; i < count; i += stride) {
      const Head begin{i, UINT64_MAX};
      put(ends[1], &begin, sizeof begin);
      const std::string result = work(i);
      const Head end{i, result.size()};
      put(ends[1], &end, sizeof end);
      put(ends[1], result.data(), result.size());
    }
    std::_Exit(0);
  }
  ::close(ends[1]);
  return {process, ends[0], first, UINT64_MAX};
}

}  // namespace

void run_sharded(size_t count, int jobs, const std::function<std::string(size_t)>& work,
                 const std::function<void(size_t, const std::string&)>& done) {
  const auto stride = static_cast<size_t>(jobs);
  std::vector<Shard> shards;
  for (size_t i = 0; i < stride && i < count; ++i) shards.push_back(start(i, count, stride, work));
  while (!shards.empty()) {
    std::vector<pollfd> waits;
    for (const Shard& shard : shards) waits.push_back({shard.pipe, POLLIN, 0});
    if (::poll(waits.data(), waits.size(), -1) < 0) continue;
    for (size_t i = waits.size(); i-- > 0;) {
      if (waits[i].revents == 0) continue;
      Shard& shard = shards[i];
      Head head;
      if (get(shard.pipe, &head, sizeof head)) {
        if (head.size == UINT64_MAX) {
          shard.at = head.index;
          continue;
        }
        std::string result(head.size, '\0');
        if (get(shard.pipe, result.data(), result.size())) {
          shard.at = UINT64_MAX;
          done(head.index, result);
          continue;
        }
      }
      int status = 0;
      ::close(shard.pipe);
      ::waitpid(shard.process, &status, 0);
      const uint64_t at = shard.at;
      shards.erase(shards.begin() + static_cast<std::ptrdiff_t>(i));
      if (at == UINT64_MAX) continue;
      done(at,
           "died: " + std::to_string(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)));
      if (at + stride < count) shards.push_back(start(at + stride, count, stride, work));
    }
  }
}

}  // namespace wherry::sim
