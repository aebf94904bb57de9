// Two homes behind routers of their own, each in a network namespace that a test makes: neither can
// be dialled from the other. Needs root, `ip` and `nft`.
#pragma once

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "in_namespace.h"
#include "transports/common/net.h"

namespace wherry::test {

// Between the outsides of the routers: frames take their time. On a real way a packet is still
// under way when the other end sends its own; where a router refuses what it does not know, that
// matters.
class Wire {
 public:
  Wire() = default;
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  ~Wire() {
    stop_ = true;
    if (carrier_.joinable()) carrier_.join();
  }
  // Makes the interface `outside` in the namespace that this thread is in. False: it can not.
  bool add_end() {
    transports::Descriptor end(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
    ifreq request{};
    std::strncpy(request.ifr_name, "outside", IFNAMSIZ - 1);
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    if (!end.valid() || ::ioctl(end.get(), TUNSETIFF, &request) != 0) return false;
    ends_.push_back(std::move(end));
    return true;
  }
  void begin() {
    carrier_ = std::thread([this] { carry(); });
  }

 private:
  struct Frame {
    std::chrono::steady_clock::time_point due;
    std::size_t to = 0;
    std::vector<std::uint8_t> bytes;
  };

  void carry() {
    std::deque<Frame> under_way;
    while (!stop_) {
      std::array<pollfd, 2> polls{pollfd{ends_[0].get(), POLLIN, 0},
                                  pollfd{ends_[1].get(), POLLIN, 0}};
      ::poll(polls.data(), polls.size(), 1);
      const auto now = std::chrono::steady_clock::now();
      for (std::size_t from = 0; from < 2; ++from) {
        std::array<std::uint8_t, 2048> frame{};
        ssize_t size = 0;
        while ((size = ::read(ends_[from].get(), frame.data(), frame.size())) > 0) {
          under_way.push_back({now + kOneWay, 1 - from, {frame.begin(), frame.begin() + size}});
        }
      }
      for (; !under_way.empty() && under_way.front().due <= now; under_way.pop_front()) {
        const Frame& one = under_way.front();
        // Lost, if it can not be written.
        static_cast<void>(::write(ends_[one.to].get(), one.bytes.data(), one.bytes.size()) < 0);
      }
    }
  }

  static constexpr std::chrono::milliseconds kOneWay{15};
  std::vector<transports::Descriptor> ends_;
  std::atomic<bool> stop_ = false;
  std::thread carrier_;
};

// home-1 — router-1 — wire — router-2 — home-2. The routers keep port numbers and forward nothing.
class Routers {
 public:
  // How a router meets what nobody inside has asked for.
  enum class Unasked { kRefused, kDropped };

  static constexpr const char* kNeeds =
      "this machine does not let the test make network namespaces with nftables (root, ip, nft)";

  // False: see kNeeds.
  bool make(Unasked unasked) {
    if (!run("ip netns add %1-home && ip netns add %1-router && "
             "ip netns add %2-home && ip netns add %2-router")) {
      return false;
    }
    for (const int side : {1, 2}) {
      const InNamespace there(router(side));
      if (!there.entered() || !wire_.add_end()) return false;
    }
    wire_.begin();
    return make_side(1, unasked) && make_side(2, unasked);
  }
  ~Routers() {
    static_cast<void>(
        run("for n in %1-home %1-router %2-home %2-router; do "
            "ip netns delete $n; done"));
  }

  std::string home(int side) const { return prefix_ + std::to_string(side) + "-home"; }
  // What others see of a home.
  static std::string outside(int side) { return "203.0.113." + std::to_string(side); }
  static constexpr const char* kOutsides = "203.0.113.0/24";

 private:
  bool make_side(int side, Unasked unasked) const {
    const std::string n = std::to_string(side);
    return run("ip link add inside netns %" + n + "-router type veth peer name inside netns %" + n +
               "-home") &&
           run_in(home(side), "ip address add 192.168." + n +
                                  ".2/24 dev inside && ip link set inside up && "
                                  "ip route add default via 192.168." +
                                  n + ".1") &&
           run_in(router(side),
                  "ip address add 192.168." + n +
                      ".1/24 dev inside && ip link set inside up && ip address add 203.0.113." + n +
                      "/24 dev outside && ip link set outside up && "
                      "echo 1 >/proc/sys/net/ipv4/ip_forward") &&
           run_in(router(side), rules(unasked));
  }

  static std::string rules(Unasked unasked) {
    const std::string verdict = unasked == Unasked::kDropped ? "drop" : "accept";
    return "nft 'table ip nat { chain after { type nat hook postrouting priority 100; "
           "oifname outside masquerade; }; }; table ip filter { chain to_it { type filter hook "
           "input priority 0; iifname outside ct state new " +
           verdict +
           "; }; chain through { type filter hook forward priority 0; iifname outside ct state "
           "new drop; }; }'";
  }

  std::string router(int side) const { return prefix_ + std::to_string(side) + "-router"; }

  // Not by `ip netns exec` and `ip -n`: they change how the root is mounted, which fails in a
  // chroot, where it need not be a mount point.
  bool run_in(const std::string& name, const std::string& command) const {
    const InNamespace there(name);
    return there.entered() && run(command);
  }

  // %1 and %2: what the names of the two sides begin with.
  bool run(std::string command) const {
    for (const char side : {'1', '2'}) {
      const std::string mark = std::string("%") + side;
      for (auto at = command.find(mark); at != std::string::npos; at = command.find(mark)) {
        command.replace(at, mark.size(), prefix_ + side);
      }
    }
    return std::system(("{ " + command + "; } >/dev/null 2>&1").c_str()) == 0;
  }

  Wire wire_;
  const std::string prefix_ = "wherry-test-" + std::to_string(::getpid()) + "-";
};

}  // namespace wherry::test
