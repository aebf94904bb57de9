// Runs a fuzz target over the files of a folder, and, but with REPLAY_WHOLE_INPUTS_ONLY, over
// damaged copies of each: every cut, and every byte changed. An empty or missing folder is a
// failure.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "fuzz.h"

namespace {

void run(const std::vector<uint8_t>& input) {
  // A copy of just this size, so that a sanitizer sees any read beyond it.
  const std::vector<uint8_t> exact(input.begin(), input.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

}  // namespace

int main(int count, char** arguments) {
  [[maybe_unused]] constexpr size_t kSteps = 300;
  size_t files = 0;
  if (count != 2 || !std::filesystem::is_directory(arguments[1])) {
    std::fprintf(stderr, "usage: %s FOLDER\n", arguments[0]);
    return 2;
  }
  run({});
  for (const auto& entry : std::filesystem::directory_iterator(arguments[1])) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::vector<uint8_t> whole{std::istreambuf_iterator<char>(file), {}};
    run(whole);
    ++files;
#ifndef REPLAY_WHOLE_INPUTS_ONLY
    const size_t stride = whole.size() / kSteps + 1;
    for (size_t i = 0; i < whole.size(); i += stride) {
      run({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(i)});
      std::vector<uint8_t> altered = whole;
      altered[i] ^= static_cast<uint8_t>(1u << i % 8);
      run(altered);
    }
#endif
  }
  std::printf("%zu files\n", files);
  return files > 0 ? 0 : 1;
}
