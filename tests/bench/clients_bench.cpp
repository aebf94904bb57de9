// Whole clients through wherry.h, with encrypted profiles on disk, over a relay that runs already.
//
//   clients_bench talk    DIR RELAY full|normal [MESSAGES]
//   clients_bench direct  DIR RELAY full|normal [MESSAGES]
//   clients_bench move    DIR RELAY full|normal
//   clients_bench outbox  DIR RELAY full|normal [MESSAGES]
//   clients_bench prepare DIR RELAY full|normal
//   clients_bench idle    DIR RELAY full|normal [SECONDS]
//
// DIR is an empty folder, but for `idle`, which takes the one that `prepare` left. RELAY is what
// wherry-relay prints. Prints lines "name value unit".
#include <cstdio>
#include <cstdlib>
#include <map>

#include "scenes.h"

void wherry::bench::give_up(const char* what) {
  std::fprintf(stderr, "clients_bench: %s\n", what);
  std::_Exit(1);
}

int main(int argc, char** argv) {
  using namespace wherry::bench;
  static const std::map<std::string, void (*)(const Scene&)> scenes = {
      {"talk", talk},     {"direct", talk_direct},   {"move", move},
      {"outbox", outbox}, {"prepare", prepare_idle}, {"idle", idle}};
  const auto found = scenes.find(argc > 1 ? argv[1] : "");
  if (argc < 5 || found == scenes.end()) {
    std::fprintf(stderr,
                 "usage: clients_bench talk|direct|move|outbox|prepare|idle DIR RELAY full|normal "
                 "[NUMBER]\n");
    return 2;
  }
  Scene scene;
  scene.folder = argv[2];
  scene.relay = argv[3];
  scene.durability = durability_of(argv[4]);
  if (argc > 5) {
    const long number = std::strtol(argv[5], nullptr, 10);
    if (number < 10 || number > 10'000'000) {
      std::fprintf(stderr, "clients_bench: not a number from 10 to 10,000,000: %s\n", argv[5]);
      return 2;
    }
    scene.messages = static_cast<std::size_t>(number);
    scene.idle_s = static_cast<int>(number);
  }
  found->second(scene);
  return 0;
}
