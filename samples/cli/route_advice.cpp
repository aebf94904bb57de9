// See route_advice.h.
#include "route_advice.h"

#include <algorithm>
#include <sstream>

#include "advice.h"
#include "text.h"

namespace cli {

std::vector<std::string> networks_in(const std::string& route) {
  std::vector<std::string> names;
  std::istringstream words(route);
  for (std::string name; std::getline(words, name, ',');) {
    if (name != "auto") names.push_back(name);
  }
  return names;
}

std::vector<std::string> route_advice(const wherry::Profile& profile, const Person& person) {
  const auto page = profile.route(person.conversation);
  const wherry_route_info& info = page[0];
  std::vector<std::string> lines;
  if (info.sending_state != WHERRY_ROUTE_STATE_ELSEWHERE) return lines;
  const std::string number = std::to_string(person.contact);
  const wherry_reveals theirs = profile.conversation_permits(person.conversation)[0].theirs;
  for (const std::string& network : networks_in(info.route)) {
    const std::string name = harmless(network);
    if (is_within(network, theirs)) {
      lines.push_back(person.shown + " is not on " + name +
                      ", as far as they have said: it takes `wherry transports add " + name +
                      "` on their side, and that both of you are online then");
    } else {
      lines.push_back(person.shown + " does not permit what " + name +
                      " may reveal (wherry permits " + number + "): only they can change that");
    }
  }
  lines.push_back("Until then it goes on by " + harmless(info.sending) +
                  ". To leave it to wherry: wherry route " + number + " auto");
  return lines;
}

std::string p2p_alone(const Person& person) {
  return "By p2p alone you lose each other if both of you change your addresses while you are "
         "away.\n"
         "A relay as second keeps a way: wherry route " +
         std::to_string(person.contact) +
         " p2p,centralized\n"
         "Without one, a fresh card is the way back: wherry card, and wherry add CARD on the other "
         "side\n";
}

}  // namespace cli
