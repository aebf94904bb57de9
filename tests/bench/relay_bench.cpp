// How fast the relay is: two instances of the centralized transport against a running relay.
//
//   relay_bench ADDRESS [ENVELOPES] [SIZE] [INBOXES]
//
// ADDRESS is what wherry-relay prints. Start that with --inbox-envelopes 1000000 --rate 10000000.
// Prints lines "name value unit".
#include <cstdio>
#include <cstdlib>

#include "bare.h"
#include "transports/centralized/centralized.h"

int main(int argc, char** argv) {
  using namespace wherry::bench;
  if (argc < 2) {
    std::fprintf(stderr, "usage: relay_bench ADDRESS [ENVELOPES] [SIZE] [INBOXES]\n");
    return 2;
  }
  Load load;
  if (argc > 2) load.envelopes = std::strtoul(argv[2], nullptr, 10);
  if (argc > 3) load.size = std::strtoul(argv[3], nullptr, 10);
  if (argc > 4) load.inboxes = std::strtoul(argv[4], nullptr, 10);
  const std::vector<wherry_setting> settings{{"relay", argv[1]}};
  Bare bob(*wherry_transport_centralized(), settings);
  Bare alice(*wherry_transport_centralized(), settings);
  meet(alice, bob, load);
  measure_throughput(alice, bob, load);
  measure_latency(alice, bob, load);
  return 0;
}
