// The client's half of SOCKS5, with a proxy that says anything. It succeeds just when the answer is
// a grant by RFC 1928, has then read the answer and nothing beyond it, and has said nothing but a
// greeting and the request for its target. The input is kind of target u8 ‖ what the proxy says.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <vector>

#include "fuzz.h"
#include "transports/common/socks.h"

namespace {

using namespace wherry::transports;

const std::array<Authority, 3> kTargets = {
    {{"1.2.3.4", 65535}, {"2001:db8::7", 1}, {std::string(100, 'a'), 443}}};
constexpr std::array<size_t, 3> kRequestSizes = {10, 22, 107};
constexpr size_t kChoiceSize = 2;

// The size of a grant at the start of what a proxy says after its choice; 0: it is none.
size_t grant_size(const uint8_t* said, size_t size) {
  if (size < 5 || said[0] != 5 || said[1] != 0) return 0;
  const size_t address = said[3] == 1 ? 4 : said[3] == 4 ? 16 : said[3] == 3 ? 1 + said[4] : 0;
  return address != 0 && size >= 4 + address + 2 ? 4 + address + 2 : 0;
}

std::vector<uint8_t> read_to_end(int socket) {
  std::vector<uint8_t> out;
  std::array<uint8_t, 4096> block{};
  for (ssize_t count = 0; (count = read(socket, block.data(), block.size())) > 0;) {
    out.insert(out.end(), block.begin(), block.begin() + count);
  }
  return out;
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > 4096) return 0;
  const size_t target = data[0] % kTargets.size();
  ++data;
  --size;
  std::array<int, 2> ends{};
  must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
  const Descriptor client(ends[0]);
  const Descriptor proxy(ends[1]);
  must(write(proxy.get(), data, size) == static_cast<ssize_t>(size));
  must(shutdown(proxy.get(), SHUT_WR) == 0);

  static const Stopper stopper;
  const Deadline deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  const DialError error = shake_hands_socks5(client.get(), kTargets[target], deadline, stopper);
  must(error != DialError::kTimeout || (size >= 4 && data[kChoiceSize + 1] == 6));

  const bool chosen = size >= kChoiceSize && data[0] == 5 && data[1] == 0;
  const size_t grant = chosen ? grant_size(data + kChoiceSize, size - kChoiceSize) : 0;
  must((error == DialError::kNone) == (grant != 0));
  if (grant != 0) {
    const std::vector<uint8_t> beyond = read_to_end(client.get());
    must(std::equal(beyond.begin(), beyond.end(), data + kChoiceSize + grant, data + size));
  }
  must(shutdown(client.get(), SHUT_WR) == 0);
  const std::vector<uint8_t> said = read_to_end(proxy.get());
  must(said.size() == 3 + (chosen ? kRequestSizes[target] : 0));
  must(said[0] == 5 && said[1] == 1 && said[2] == 0);
  if (chosen) must((said[said.size() - 2] << 8 | said.back()) == kTargets[target].port);
  return 0;
}
