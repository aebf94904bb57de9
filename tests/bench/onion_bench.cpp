// Whole clients over the onion network, beside what they can not be better than: a stream between
// two tors, the same clients' commits, and a plain tor that is started.
//
//   onion_bench DIR TORRC [MESSAGES]
//
// DIR is an empty folder. TORRC is a file with the lines by which a tor is a client of a private
// Tor network that runs already (tests/integration/tornet). All of it is in this process, so that
// both ends have one clock. Prints lines "name value unit".
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <thread>
#include <vector>

#include "bare.h"
#include "raw_onion.h"
#include "scenes.h"
#include "transports/onion/onion.h"

namespace wherry::bench {
namespace {

// A message with all that is around it: four of these bodies fill an envelope of 4 KiB, one of
// kMessageSize an envelope of 1 KiB.
constexpr std::size_t kOnTheWay = 1024;
constexpr std::size_t kBody = 840;

constexpr std::size_t kTimes = 3;
constexpr std::size_t kColds = 3;
constexpr std::size_t kTurns = 6;     // of the stream, the clients and the disk
constexpr std::size_t kSingles = 50;  // of each in a turn

struct Place {
  std::string folder;
  std::string torrc;
  std::size_t messages = 10'000;

  std::string text() const {
    std::ifstream file(torrc);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string tor_of(const std::string& name) const { return folder + "/tor-" + name; }
};

void join_onion(App& app, const Place& place, const std::string& name) {
  const std::string folder = place.tor_of(name);
  app.join("onion", {{"folder", folder.c_str()}, {"torrc", place.torrc.c_str()}});
}

// ---- Many messages ------------------------------------------------------------------------------

// Until the other app was told of the last one; then until nothing is under way.
Moment talk_until_told(Pair& pair, std::size_t messages) {
  const std::size_t received = pair.bob.received();
  const std::size_t delivered = pair.alice.delivered();
  pair.alice.submit(pair.to_bob, messages, kBody);
  pair.alice.sync();
  const Moment told = pair.bob.wait_received(received + messages);
  pair.alice.wait_delivered(delivered + messages);
  return told;
}

double told_rate(Pair& pair, std::size_t messages) {
  const Moment begin = SteadyClock::now();
  return static_cast<double>(messages) / seconds(begin, talk_until_told(pair, messages));
}

// The commits of clients whose network costs nothing, while the stream carries as many messages and
// nobody waits for anybody: what this machine's processors and disk allow, which are the Tor
// network's as well.
double beside_rate(Pair& pair, RawStream& raw, std::size_t messages) {
  const Moment begin = SteadyClock::now();
  Moment carried;
  std::thread stream([&] {
    raw.rate(messages, kOnTheWay);
    carried = SteadyClock::now();
  });
  const Moment told = talk_until_told(pair, messages);
  stream.join();
  return static_cast<double>(messages) / seconds(begin, std::max(told, carried));
}

// Without a client: each envelope is confirmed, and nothing is written.
class LinkAlone {
 public:
  explicit LinkAlone(const Place& place)
      : bob_(*wherry_transport_onion(), settings(place, place.tor_of("link-bob"))),
        alice_(*wherry_transport_onion(), settings(place, place.tor_of("link-alice"))) {
    load_.inboxes = 1;
    load_.size = kOnTheWay;
    load_.envelopes = place.messages;
    meet(alice_, bob_, load_);
    alice_.connect_ms(1);
  }

  double rate() {
    const Throughput found = throughput_of(alice_, bob_, load_);
    if (found.failed > 0) give_up("envelopes failed");
    return found.delivered;
  }

 private:
  // Valid while both texts are.
  static std::vector<wherry_setting> settings(const Place& place, const std::string& folder) {
    return {{"folder", folder.c_str()}, {"torrc", place.torrc.c_str()}};
  }

  Bare bob_;
  Bare alice_;
  Load load_;
};

void measure_rates(const Place& place, Pair& onion, RawStream& raw) {
  const std::string folder = place.folder + "/hub";
  std::filesystem::create_directory(folder);
  Pair hub(
      folder, [](App& app, const std::string&) { app.join("loopback", {{"hub", "bench"}}); },
      WHERRY_DURABILITY_FULL);
  LinkAlone link(place);
  std::vector<double> raws;
  std::vector<double> links;
  std::vector<double> commits;
  std::vector<double> beside;
  std::vector<double> told;
  for (std::size_t i = 0; i < kTimes; ++i) {
    raws.push_back(raw.rate(place.messages, kOnTheWay));
    links.push_back(link.rate());
    told.push_back(told_rate(onion, place.messages));
    beside.push_back(beside_rate(hub, raw, place.messages));
    commits.push_back(told_rate(hub, place.messages));
  }
  print("raw_rate", spread_of(raws).median, "msgs/s");
  print("commits_rate", spread_of(commits).median, "msgs/s");
  print("commits_beside_raw_rate", spread_of(beside).median, "msgs/s");
  print("link_rate", spread_of(links).median, "msgs/s");
  print("told_rate", spread_of(told).median, "msgs/s");
}

// ---- One message at a time ----------------------------------------------------------------------

void measure_singles(const Place& place, Pair& onion, RawStream& raw) {
  Scene scene;
  scene.folder = place.folder;
  Latency ours;
  std::vector<double> singles;
  for (std::size_t i = 0; i < kTurns; ++i) {
    const std::vector<double> some = raw.one_way_ms(kSingles, kOnTheWay);
    singles.insert(singles.end(), some.begin(), some.end());
    ours.talk(onion, kSingles / 2);
    ours.commit(scene, kSingles);
  }
  print_spread("raw_one_way", singles);
  ours.print("");
}

// ---- From cold ----------------------------------------------------------------------------------

// From the start of Bob's transport, whose tor knows nothing yet, until Alice has said that she has
// a message of his: he has reached her then, and she him. She has been up before.
double cold_ms(const Place& place, Pair& pair) {
  pair.bob.go_offline();
  const std::string folder = place.tor_of("bob");
  while (std::filesystem::exists(folder)) {  // until his tor has ended it may write there
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
    rest();
  }
  const std::size_t delivered = pair.bob.delivered();
  pair.bob.send(pair.to_alice);
  const Moment begin = SteadyClock::now();
  pair.bob.go_online();
  return milliseconds(begin, pair.bob.wait_delivered(delivered + 1));
}

void measure_cold(const Place& place, Pair& pair, RawTor& raw) {
  std::vector<double> plain;
  std::vector<double> ours;
  for (std::size_t i = 0; i < kColds; ++i) {
    plain.push_back(raw_cold_ms(raw, place.tor_of("cold" + std::to_string(i)), place.text()));
    ours.push_back(cold_ms(place, pair));
  }
  print("raw_cold", spread_of(plain).median, "ms");
  print("cold", spread_of(ours).median, "ms");
}

void measure(const Place& place) {
  RawTor alice(place.tor_of("raw-alice"), place.text());
  RawTor bob(place.tor_of("raw-bob"), place.text());
  RawStream raw(alice, bob);
  Pair onion(
      place.folder, [&](App& app, const std::string& name) { join_onion(app, place, name); },
      WHERRY_DURABILITY_FULL);
  measure_rates(place, onion, raw);
  measure_singles(place, onion, raw);
  measure_cold(place, onion, alice);
}

}  // namespace

void give_up(const char* what) {
  std::fprintf(stderr, "onion_bench: %s\n", what);
  std::_Exit(1);
}

}  // namespace wherry::bench

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: onion_bench DIR TORRC [MESSAGES]\n");
    return 2;
  }
  wherry::bench::Place place;
  place.folder = argv[1];
  place.torrc = argv[2];
  if (argc > 3) place.messages = std::strtoul(argv[3], nullptr, 10);
  wherry::bench::measure(place);
  return 0;
}
