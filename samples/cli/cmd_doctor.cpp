// wherry doctor: what works, what does not, and how to mend it.
#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <memory>

#include "advice.h"
#include "commands.h"
#include "feed.h"
#include "people.h"
#include "text.h"

namespace cli {
namespace {

class Findings {
 public:
  void good(const std::string& text) const { std::cout << "ok  " << text << "\n"; }
  void bad(const std::string& text, const std::string& remedy) {
    std::cout << "!!  " << text << "\n";
    if (!remedy.empty()) std::cout << "    " << remedy << "\n";
    all_well_ = false;
  }
  // Neither: what is to be known.
  void note(const std::string& text) const { std::cout << "--  " << text << "\n"; }
  bool all_well() const { return all_well_; }

 private:
  bool all_well_ = true;
};

// Where a tor is used, it has said what is the matter with it; "" where the reason alone tells what
// to do.
std::string remedy_of_tor(std::int32_t reason, const std::string& name, const std::string& set) {
  switch (reason) {
    case WHERRY_REASON_TRANSPORT_OFFLINE:
      return "Look at what tor complains of; its settings (torrc, bridges, folder, control): "
             "wherry "
             "transports describe " +
             name;
    case WHERRY_REASON_REFUSED:
    case WHERRY_REASON_TIMEOUT:
      return "Does that tor run, with this ControlPort? To start one instead: " + set + "control=";
    default:
      return "";
  }
}

std::string remedy_of(std::int32_t reason, const std::string& name, const std::string& phase) {
  const std::string set = "wherry transports set " + name + " ";
  if (!phase.empty()) {
    if (std::string remedy = remedy_of_tor(reason, name, set); !remedy.empty()) return remedy;
  }
  switch (reason) {
    case WHERRY_REASON_TOR_MISSING:
      return "Install tor (Debian: apt install tor), or say where it is: " + set +
             "tor=/path/to/tor";
    case WHERRY_REASON_CLOCK_WRONG:
      return "Set this machine's clock; on most systems: timedatectl set-ntp true";
    case WHERRY_REASON_BRIDGE_NEEDED:
      return "Where Tor is blocked, use a bridge (bridges.torproject.org tells some): " + set +
             "'bridges=obfs4 ...' 'bridge_program=obfs4 exec /usr/bin/obfs4proxy'";
    case WHERRY_REASON_NO_NETWORK:
      return "Connect this machine to a network";
    case WHERRY_REASON_CANNOT_LISTEN:
      return other_port(name);
    case WHERRY_REASON_SETTING:
      return "Look at its settings: wherry transports describe " + name;
    case WHERRY_REASON_PERMITS:
      return remedy_of_permits(name);
    case WHERRY_REASON_NOT_ALLOWED:
      return name == "onion" || name == "centralized"
                 ? "Who may use the control port of that tor is in its group, or gives " +
                       std::string("control_password")
                 : "";
    case WHERRY_REASON_WRONG_KEY:
      return name == "centralized" ? "Compare the setting with the line that your relay prints"
                                   : "";
    case WHERRY_REASON_REFUSED:
    case WHERRY_REASON_UNREACHABLE:
    case WHERRY_REASON_TIMEOUT:
      return name == "centralized" ? "Is the relay running, and can this machine reach it?" : "";
    case WHERRY_REASON_PROXY:
      return "Start the program that listens there (tor: 127.0.0.1:9050, Tor Browser: "
             "127.0.0.1:9150), or name another: " +
             set + "proxy=HOST:PORT";
    case WHERRY_REASON_DISK:
      return "Make room on the disk; a folder of tor's has to belong to this user alone";
    default:
      return "";
  }
}

// The first line that `tor --version` prints; "" if there is none.
std::string tor_version() {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen("tor --version 2>/dev/null", "r"),
                                                   ::pclose);
  std::array<char, 256> line{};
  if (!pipe || std::fgets(line.data(), line.size(), pipe.get()) == nullptr) return "";
  std::string text = line.data();
  while (!text.empty() && (text.back() == '\n' || text.back() == '.')) text.pop_back();
  return text;
}

// A clock from before this program was made is wrong for sure. Whether it is right only a network
// can tell: a transport says CLOCK_WRONG then.
void check_clock(Findings& findings) {
  struct stat program{};
  const std::time_t now = std::time(nullptr);
  if (::stat("/proc/self/exe", &program) == 0 && now < program.st_mtime) {
    findings.bad("this machine's clock is behind the day when this program was installed",
                 remedy_of(WHERRY_REASON_CLOCK_WRONG, "", ""));
    return;
  }
  findings.good("the clock is not behind");
}

void check_transport(Findings& findings, wherry::Profile& profile, std::uint64_t transport) {
  const Feed feed = show_progress(profile, transport);
  for (const wherry_transport_info& info : profile.transports()) {
    if (info.transport != transport) continue;
    const std::string name = harmless(info.name);
    const std::string text = name + " is " +
                             (info.started == 0 ? "stopped"
                                                : state_text(info.state, info.percent, info.reason,
                                                             feed.phase(transport)));
    if (info.started == 0) {
      findings.bad(text, "wherry transports start " + name);
    } else if (info.state == WHERRY_TRANSPORT_STATE_ONLINE) {
      findings.good(text);
    } else {
      findings.bad(text, remedy_of(info.reason, name, feed.phase(transport)));
    }
  }
}

void check_people(const Findings& findings, const wherry::Profile& profile) {
  for (const Person& person : all_people(profile)) {
    for (const wherry_path& path : profile.explain(person.conversation)) {
      const bool known = path.succeeded_ms != 0 || path.reason == WHERRY_REASON_PERMITS ||
                         path.reason == WHERRY_REASON_NO_TRANSPORT ||
                         path.reason == WHERRY_REASON_TRANSPORT_OFF ||
                         path.reason == WHERRY_REASON_ENDPOINT_REFUSED;
      if (!known && needs_both_ends(path)) findings.note(person.shown + both_ends_text);
    }
  }
}

}  // namespace

void doctor(const App& app) {
  Findings findings;
  check_clock(findings);
  const std::string tor = tor_version();
  wherry::Profile profile = open_profile(app);
  findings.good("the profile opens");
  bool onion = false;
  std::vector<std::uint64_t> transports;
  for (const wherry_transport_info& info : profile.transports()) {
    transports.push_back(info.transport);
    onion = onion || std::string_view(info.name) == "onion";
  }
  if (onion && !tor.empty()) findings.good(harmless(tor));
  if (transports.empty()) {
    findings.bad("there is no network", "wherry transports add centralized relay=ENDPOINT");
  }
  for (const std::uint64_t transport : transports) check_transport(findings, profile, transport);
  check_people(findings, profile);
  if (!findings.all_well()) throw Failure(exit_environment, "not all is well: see above");
}

}  // namespace cli
