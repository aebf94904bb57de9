// A stream through Tor with nothing of ours on it but lengths: what the onion network is measured
// beside. And how long a plain tor takes from cold until others reach a service of its own.
#ifndef WHERRY_TESTS_BENCH_RAW_ONION_H
#define WHERRY_TESTS_BENCH_RAW_ONION_H

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "meters.h"
#include "transports/common/tor/provider.h"

namespace wherry::bench {

// A tor of its own, started as the onion transport starts one. A failure ends the program.
class RawTor final : private transports::tor::Listener {
 public:
  // `torrc`: lines by which it is a client of the network. Waits until it is one.
  RawTor(const std::string& folder, const std::string& torrc);
  RawTor(const RawTor&) = delete;
  ~RawTor();

  // Publishes a service that anybody finds: its address.
  std::string publish();
  // A stream to there, and the next one that comes. They block.
  transports::Descriptor dial(const std::string& address);
  transports::Descriptor accept();

 private:
  void on_status(const transports::tor::Status& status) override;
  void on_published(std::uint64_t service, std::int32_t reason) override;
  void on_stream(std::uint64_t service, transports::Descriptor stream) override;
  void on_dialled(std::uint64_t dial, transports::Descriptor stream, std::int32_t reason) override;
  void on_stopped() override;
  transports::Descriptor take(std::deque<transports::Descriptor>& streams);
  template <class Predicate>
  void wait(const char* what, Predicate predicate);

  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  bool online_ = false;
  bool stopped_ = false;
  std::size_t published_ = 0;
  std::size_t dials_ = 0;
  std::deque<transports::Descriptor> came_;
  std::deque<transports::Descriptor> dialled_;
  std::unique_ptr<transports::tor::Provider> provider_;
};

// One stream between two of them, and both of its ends.
class RawStream {
 public:
  RawStream(RawTor& alice, RawTor& bob);

  // Messages of `size` bytes, each behind its length (u32), from Alice to Bob.
  double rate(std::size_t messages, std::size_t size);
  // One at a time, by turns in both directions, with a rest before each.
  std::vector<double> one_way_ms(std::size_t messages, std::size_t size);

 private:
  transports::Descriptor alice_;
  transports::Descriptor bob_;
};

// From the start of a plain tor, in a folder that is not there yet, until a byte of a service in
// its torrc comes to `other`, which has been up before.
double raw_cold_ms(RawTor& other, const std::string& folder, const std::string& torrc);

}  // namespace wherry::bench

#endif  // WHERRY_TESTS_BENCH_RAW_ONION_H
