// Saying it (Tor's control-spec; sections are named where it is followed).
#include "session.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "include/wherry/transport.h"
#include "local_socket.h"
#include "onion_address.h"

namespace wherry::transports::tor {
namespace {

constexpr std::size_t kCookieSize = 32;
constexpr std::size_t kNonceSize = 32;
constexpr std::size_t kKeyDigits = 40;           // of a relay's, in hexadecimal
constexpr std::size_t kConnectionsMax = 1024;    // to relays, that are told from each other
constexpr std::size_t kPhaseMax = 200;           // bytes of what tor says
constexpr std::chrono::seconds kAloneLimit{20};  // for a relay to answer, where none did
constexpr int kFailuresMax = 3;  // to connect, before it is said that something is the matter
constexpr const char* kServerKey = "Tor safe cookie authentication server-to-controller hash";
constexpr const char* kControllerKey = "Tor safe cookie authentication controller-to-server hash";
constexpr const char* kEvents = "SETEVENTS STATUS_CLIENT STATUS_GENERAL HS_DESC ORCONN";

std::string hex(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

bool is_hex(char digit) {
  return (digit >= '0' && digit <= '9') || (digit >= 'A' && digit <= 'F');
}

std::vector<std::uint8_t> from_hex(std::string_view text) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t at = 0; at + 2 <= text.size(); at += 2) {
    std::uint8_t byte = 0;
    const char* end = text.data() + at + 2;
    if (std::from_chars(text.data() + at, end, byte, 16).ptr != end) return {};
    bytes.push_back(byte);
  }
  return bytes;
}

// RFC 4648, section 4, as tor reads keys.
std::string base64(std::span<const std::uint8_t> bytes) {
  std::string text = base64url(bytes);
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  text.resize((text.size() + 3) / 4 * 4, '=');
  return text;
}

std::vector<std::uint8_t> read_cookie(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  std::vector<std::uint8_t> cookie(kCookieSize + 1);
  const ssize_t count = file.valid() ? ::read(file.get(), cookie.data(), cookie.size()) : -1;
  cookie.resize(count == static_cast<ssize_t>(kCookieSize) ? kCookieSize : 0);
  return cookie;
}

bool has_word(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (list.substr(0, comma) == word) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace

Session::Session(Descriptor socket, Login login, Calls calls)
    : login_(std::move(login)),
      calls_(std::move(calls)),
      control_(std::move(socket), [this](const Reply& reply) { on_event(reply); }) {
  ask("PROTOCOLINFO 1", [this](const Reply& reply) { on_protocol_info(reply); });
}

bool Session::read() {
  const bool there = control_.read();
  if (!there && control_.heard_nonsense()) {
    fail(WHERRY_REASON_PROTOCOL, "no tor answers at its control port");
  } else if (!there && !answered_) {
    fail(WHERRY_REASON_REFUSED, "nothing answers at tor's control port: is its address right?");
  } else if (!there) {
    fail(WHERRY_REASON_TRANSPORT_OFFLINE, "the connection to tor's control port is over");
  }
  return !failed_;
}

void Session::ask(const std::string& command, Control::Answer answer) {
  control_.ask(command, std::move(answer));
}

void Session::fail(std::int32_t reason, const std::string& what) {
  tell({WHERRY_TRANSPORT_STATE_DEGRADED, 0, reason, what});
  failed_ = true;
}

void Session::tell(Status status) {
  if (failed_ || status == status_) return;  // what is said after a failure makes nothing better
  if (status.phase.size() > kPhaseMax) status.phase.resize(kPhaseMax);
  status_ = std::move(status);
  calls_.on_status(status_);
}

// "AUTH METHODS=COOKIE,SAFECOOKIE COOKIEFILE="..."" (section 3.21).
void Session::on_protocol_info(const Reply& reply) {
  answered_ = true;
  std::string methods;
  std::string cookie;
  for (const ReplyLine& line : reply.lines) {
    const auto words = parse_words(line.text);
    if (!words || words->bare.empty() || words->bare[0] != "AUTH") continue;
    methods = (*words)["METHODS"];
    cookie = (*words)["COOKIEFILE"];
  }
  if (!reply.ok() || methods.empty()) {
    return fail(WHERRY_REASON_PROTOCOL, "no tor answers at its control port");
  }
  if (!login_.password.empty()) return authenticate(quote(login_.password));
  if (has_word(methods, "SAFECOOKIE") && !cookie.empty()) return prove_cookie(cookie);
  // By TCP anybody on this machine may stand there, and would be given the keys of services.
  if (has_word(methods, "NULL") && login_.private_place) return authenticate("");
  if (has_word(methods, "NULL")) {
    return fail(
        WHERRY_REASON_NOT_ALLOWED,
        "this control port asks for nothing, so that nobody knows whose it is: use its unix "
        "socket, or give it a cookie or a control_password");
  }
  fail(WHERRY_REASON_NOT_ALLOWED,
       "this tor asks for a password at its control port: set control_password");
}

// Each shows the other that it knows the cookie (section 3.24).
void Session::prove_cookie(const std::string& path) {
  std::vector<std::uint8_t> cookie = read_cookie(path);
  if (cookie.empty()) {
    return fail(WHERRY_REASON_NOT_ALLOWED,
                path +
                    " can not be read: who may use this tor has to be in its group, or to give "
                    "control_password");
  }
  std::vector<std::uint8_t> nonce(kNonceSize);
  random_bytes(nonce);
  const std::string command = "AUTHCHALLENGE SAFECOOKIE " + hex(nonce);
  ask(command, [this, cookie = std::move(cookie), nonce](const Reply& reply) {
    on_challenge(reply, cookie, nonce);
  });
}

void Session::on_challenge(const Reply& reply, const std::vector<std::uint8_t>& cookie,
                           const std::vector<std::uint8_t>& nonce) {
  const auto words = parse_words(reply.text());
  const auto theirs = words ? from_hex((*words)["SERVERHASH"]) : std::vector<std::uint8_t>();
  const auto server_nonce = words ? from_hex((*words)["SERVERNONCE"]) : theirs;
  std::vector<std::uint8_t> proven = cookie;
  proven.insert(proven.end(), nonce.begin(), nonce.end());
  proven.insert(proven.end(), server_nonce.begin(), server_nonce.end());
  const auto keyed = [&](std::string_view key) {
    return hmac_sha256({reinterpret_cast<const std::uint8_t*>(key.data()), key.size()}, proven);
  };
  const auto expected = keyed(kServerKey);
  if (!reply.ok() || theirs.size() != expected.size() ||
      !equal_in_constant_time(theirs, expected)) {
    return fail(WHERRY_REASON_WRONG_KEY,
                "whoever answers at tor's control port does not know tor's cookie");
  }
  authenticate(hex(keyed(kControllerKey)));
}

void Session::authenticate(const std::string& proof) {
  ask(proof.empty() ? "AUTHENTICATE" : "AUTHENTICATE " + proof, [this](const Reply& reply) {
    if (!reply.ok()) {
      return fail(WHERRY_REASON_NOT_ALLOWED,
                  "tor's control port does not let this program in: " + reply.text());
    }
    on_let_in();
  });
}

void Session::on_let_in() {
  let_in_ = true;
  const auto needed = [this](const char* what) {
    return [this, what](const Reply& reply) {
      if (reply.ok()) return;
      fail(WHERRY_REASON_NOT_ALLOWED, std::string("tor's control port does not allow ") + what);
    };
  };
  if (login_.owned) ask("TAKEOWNERSHIP", needed("TAKEOWNERSHIP"));
  ask(kEvents, needed("SETEVENTS"));
  ask("GETINFO net/listeners/socks", [this](const Reply& reply) {
    // net/listeners/socks="127.0.0.1:9050" "unix:/run/tor/socks"
    const auto words = parse_words(reply.text());
    const std::string first(words ? (*words)["net/listeners/socks"] : "");
    if (!reply.ok() || first.empty()) {
      return fail(WHERRY_REASON_NOT_ALLOWED, "tor has no SocksPort, or does not tell where");
    }
    if (!is_of_this_machine(first)) {
      return fail(WHERRY_REASON_NOT_ALLOWED, "tor's SocksPort is not on this machine");
    }
    calls_.on_socks(first);
  });
  ask("GETINFO status/bootstrap-phase", [this](const Reply& reply) {
    // status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS=...
    const auto words = parse_words(reply.text());
    if (reply.ok() && words) return on_bootstrap(*words);
    fail(WHERRY_REASON_NOT_ALLOWED, "tor's control port does not tell how far it has come");
  });
}

void Session::publish(std::uint64_t service, const Service& what, const std::string& port) {
  const std::string address = address_of(SigningKey(what.key).public_key());
  // Section 3.27: tor takes the expanded key, and takes a seed for one without a word.
  auto key = expanded_key(what.key);
  std::string command = "ADD_ONION ED25519-V3:" + base64(key) + " Flags=DiscardPK" +
                        (what.clients.empty() ? "" : ",V3Auth") +
                        " Port=" + std::to_string(kOnionPort) + "," + port;
  wipe(key);
  for (const PublicKey& client : what.clients) {
    std::string text = base32(client);
    std::ranges::transform(text, text.begin(), [](char character) {
      return character >= 'a' ? static_cast<char>(character - 'a' + 'A') : character;
    });
    command += " ClientAuthV3=" + text;
  }
  services_[address] = {service, 0, false, false};
  ask(command, [this, address](const Reply& reply) {
    const auto one = services_.find(address);
    if (one == services_.end()) return;  // withdrawn since
    const bool ours = reply.ok() && reply.text() == "ServiceID=" + address;
    if (!ours) tell_published(one->second, WHERRY_REASON_REFUSED);
  });
}

void Session::withdraw(std::uint64_t service) {
  std::erase_if(services_, [&](const auto& entry) {
    if (entry.second.service != service) return false;
    ask("DEL_ONION " + entry.first, [](const Reply&) {});
    return true;
  });
}

void Session::authorise(const std::string& address, const Seed& client,
                        std::function<void(std::int32_t)> done) {
  ask("ONION_CLIENT_AUTH_ADD " + address + " x25519:" + base64(client),
      [done = std::move(done)](const Reply& reply) {
        done(reply.ok() ? WHERRY_REASON_NONE : WHERRY_REASON_REFUSED);
      });
}

// Tor answers first and does it then, but before it reads another command.
void Session::forget_failures(std::function<void()> done) {
  if (!login_.owned) return done();  // it is not ours alone
  ask("SIGNAL NEWNYM", [done = std::move(done)](const Reply&) { done(); });
}

void Session::reconnect() {
  if (!login_.owned) return;  // nor are its connections
  // One after the other: tor would open its SOCKS socket anew before it removes the old one, by its
  // path.
  ask("SETCONF DisableNetwork=1",
      [this](const Reply&) { ask("SETCONF DisableNetwork=0", [](const Reply&) {}); });
}

void Session::rest() {
  ask("SETCONF DisableNetwork=1", [](const Reply&) {});
  tell({WHERRY_TRANSPORT_STATE_DEGRADED, 0, WHERRY_REASON_NO_NETWORK,
        "this machine has no way to the Tor network"});
}

void Session::shut_down() {
  ask("SIGNAL SHUTDOWN", [](const Reply&) {});
}

void Session::on_event(const Reply& reply) {
  if (!let_in_) return;
  const auto words = parse_words(reply.text());
  if (!words || words->bare.empty()) return;
  const std::string& kind = words->bare[0];
  if (kind == "STATUS_CLIENT" || kind == "STATUS_GENERAL") return on_bootstrap(*words);
  if (kind == "ORCONN") return on_connection(*words);
  if (kind == "HS_DESC") return on_descriptor(*words);
}

// "... BOOTSTRAP PROGRESS=50 TAG=loading_descriptors SUMMARY="Loading relay descriptors"", with
// WARNING, REASON and RECOMMENDATION where something is the matter; "... CLOCK_SKEW SKEW=-3600"
// (section 4.1.10).
void Session::on_bootstrap(const Words& words) {
  const auto is = [&](std::string_view word) {
    return std::ranges::find(words.bare, word) != words.bare.end();
  };
  if (is("CLOCK_SKEW")) {
    return tell({WHERRY_TRANSPORT_STATE_DEGRADED, 0, WHERRY_REASON_CLOCK_WRONG,
                 "this machine's clock is wrong, by " + std::string(words["SKEW"]) + " s"});
  }
  const std::string_view progress = words["PROGRESS"];
  if (progress.empty()) return;
  int percent = 0;
  std::from_chars(progress.data(), progress.data() + progress.size(), percent);
  bootstrapped_ = percent >= 100;
  const std::string summary(words["SUMMARY"]);
  if (words["RECOMMENDATION"] == "warn") {
    return tell(
        {WHERRY_TRANSPORT_STATE_DEGRADED, 0,
         words["REASON"] == "NOROUTE" ? WHERRY_REASON_NO_NETWORK : WHERRY_REASON_BRIDGE_NEEDED,
         summary + ": " + std::string(words["WARNING"])});
  }
  if (bootstrapped_) return tell({WHERRY_TRANSPORT_STATE_ONLINE, 0, WHERRY_REASON_NONE, ""});
  tell({WHERRY_TRANSPORT_STATE_STARTING, std::clamp(percent, 0, 99), WHERRY_REASON_NONE, summary});
}

// "ORCONN $KEY~name CONNECTED ID=7", "... FAILED REASON=NOROUTE NCIRCS=2 ID=7" (section 4.1.3). The
// bootstrap phase stays at 100 through an outage, so this tells of one.
void Session::on_connection(const Words& words) {
  if (words.bare.size() < 3) return;
  const std::string& what = words.bare[2];
  const std::string id(words["ID"]);
  if (what == "LAUNCHED") {
    if (connected_.empty() && !alone_until_) alone_until_ = Clock::now() + kAloneLimit;
  } else if (what == "CONNECTED") {
    alone_until_.reset();
    if (connected_.size() < kConnectionsMax) connected_.insert(id);
    failures_ = 0;
    if (bootstrapped_) tell({WHERRY_TRANSPORT_STATE_ONLINE, 0, WHERRY_REASON_NONE, ""});
  } else if (what == "CLOSED" || what == "FAILED") {
    connected_.erase(id);
    if (what == "FAILED") ++failures_;
    if (!bootstrapped_ || !connected_.empty()) return;
    if (login_.owned && words["REASON"] == "NOROUTE") find_relay(words.bare[1]);
    if (failures_ < kFailuresMax) return;
    tell({WHERRY_TRANSPORT_STATE_DEGRADED, 0,
          words["REASON"] == "NOROUTE" ? WHERRY_REASON_NO_NETWORK : WHERRY_REASON_UNREACHABLE,
          "no relay of the Tor network can be reached"});
  }
}

// Where packets vanish nothing fails for minutes.
void Session::on_time(Clock::time_point now) {
  if (!alone_until_ || *alone_until_ > now) return;
  alone_until_.reset();
  if (!bootstrapped_ || !connected_.empty()) return;
  tell({WHERRY_TRANSPORT_STATE_DEGRADED, 0, WHERRY_REASON_UNREACHABLE,
        "no relay of the Tor network answers"});
}

// "$KEY~name", of which "GETINFO ns/id/KEY" has a line "r name identity digest date time IP ORPort
// DirPort" (section 3.9; dir-spec, section 3.4.1).
void Session::find_relay(std::string_view target) {
  if (!target.starts_with('$') || target.size() < 1 + kKeyDigits) return;
  const std::string key(target.substr(1, kKeyDigits));
  if (!std::ranges::all_of(key, is_hex)) return;
  ask("GETINFO ns/id/" + key, [this](const Reply& reply) {
    const std::string& data = reply.lines.front().data;
    const auto words = parse_words(data.substr(0, data.find('\n')));
    constexpr std::size_t kAddress = 6;
    if (!reply.ok() || !words || words->bare.size() <= kAddress || words->bare[0] != "r") return;
    if (is_numeric(words->bare[kAddress])) calls_.on_no_route(words->bare[kAddress]);
  });
}

// "HS_DESC UPLOAD ADDRESS UNKNOWN $DIRECTORY ...", then UPLOADED or FAILED (section 4.1.25). A
// service can be found when all that have begun are over: after the first one a client may still
// ask a directory that has nothing.
void Session::on_descriptor(const Words& words) {
  if (words.bare.size() < 3) return;
  const auto one = services_.find(words.bare[2]);
  if (one == services_.end()) return;
  Published& published = one->second;
  const std::string& what = words.bare[1];
  if (what == "UPLOAD") {
    ++published.uploads;
  } else if (published.uploads == 0) {
    return;  // of an earlier publication of the same address
  } else if (what == "UPLOADED" || what == "FAILED") {
    --published.uploads;
    published.somewhere = published.somewhere || what == "UPLOADED";
    if (published.uploads == 0 && published.somewhere) {
      tell_published(published, WHERRY_REASON_NONE);
    }
  }
}

void Session::tell_published(Published& one, std::int32_t reason) {
  if (std::exchange(one.told, true)) return;
  calls_.on_published(one.service, reason);
}

}  // namespace wherry::transports::tor
