// What people's apps do: they say numbered things, each with a ref, in order, and say again after a
// failure or a crash what they were not told to be durable. Their memory of that outlives crashes.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "tests/support/world.h"

namespace wherry::sim {

class Apps {
 public:
  explicit Apps(test::World& world) : world_(world) {}

  void say(int who, int other, int64_t count);
  // The app of somebody runs again: nothing is under way.
  void opened(int who);
  bool idle() const;
  // Everything that `who` was told to be durable, or may yet be.
  std::vector<std::string> said(int who, int other) const;

 private:
  struct Line {
    std::string text;
    Id128 ref{};
    bool under_way = false;
    bool durable = false;
  };
  struct Talk {
    std::vector<Line> lines;
    size_t durable = 0;  // lines from the beginning that are
  };

  void submit(int who, int other);
  void submit_line(int who, int other, size_t index);

  test::World& world_;
  std::map<std::pair<int, int>, Talk> talks_;
};

}  // namespace wherry::sim
