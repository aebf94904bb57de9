// Calls, waits, and the thread that reads events.
#include "app.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <utility>

#include "transports/centralized/centralized.h"
#include "transports/loopback/loopback.h"
#include "transports/onion/onion.h"
#include "transports/p2p/p2p.h"

namespace wherry::bench {
namespace {

constexpr std::chrono::seconds kPatience{120};
// A busy app acknowledges events in groups; an idle one at once.
constexpr std::size_t kEventsPerAck = 64;
constexpr std::array<std::uint8_t, WHERRY_KEY_SIZE> kKey{1, 2, 3};

void must(std::int32_t status, const wherry_error& error, const char* what) {
  if (status == WHERRY_OK) return;
  std::fprintf(stderr, "%s: %s (%s)\n", what, wherry_status_text(status), error.text);
  std::_Exit(1);
}

wherry_profile_options options_for(wherry_durability durability) {
  static const wherry_transport_plugin* const plugins[] = {
      wherry_transport_centralized(), wherry_transport_p2p(), wherry_transport_onion(),
      wherry_transport_loopback()};
  wherry_profile_options options = WHERRY_PROFILE_OPTIONS_INIT;
  options.plugins = plugins;
  options.plugin_count = std::size(plugins);
  options.durability = durability;
  return options;
}

// Refs and bodies must differ; they need not be secret.
std::mt19937_64& numbers() {
  thread_local std::mt19937_64 engine(std::random_device{}());
  return engine;
}

std::vector<std::uint8_t> random_bytes(std::size_t size) {
  std::vector<std::uint8_t> out(size);
  for (std::size_t at = 0; at < size; at += sizeof(std::uint64_t)) {
    const std::uint64_t number = numbers()();
    std::memcpy(out.data() + at, &number, std::min(sizeof number, size - at));
  }
  return out;
}

}  // namespace

wherry_durability durability_of(const std::string& name) {
  if (name == "full") return WHERRY_DURABILITY_FULL;
  if (name == "normal") return WHERRY_DURABILITY_NORMAL;
  std::fprintf(stderr, "no durability '%s': full or normal\n", name.c_str());
  std::_Exit(2);
}

App App::create(const std::string& folder, wherry_durability durability) {
  wherry_error error = WHERRY_ERROR_INIT;
  wherry_profile profile{};
  const wherry_profile_options options = options_for(durability);
  must(wherry_profile_create(&profile, folder.c_str(), kKey.data(), kKey.size(), WHERRY_KEY_RAW,
                             &options, &error),
       error, "profile_create");
  return App(profile, 0);
}

App App::open(const std::string& folder, wherry_durability durability) {
  wherry_error error = WHERRY_ERROR_INIT;
  wherry_profile profile{};
  const wherry_profile_options options = options_for(durability);
  must(wherry_profile_open(&profile, folder.c_str(), kKey.data(), kKey.size(), WHERRY_KEY_RAW,
                           &options, &error),
       error, "profile_open");
  wherry_page* page = nullptr;
  must(wherry_transport_list(profile, &page, &error), error, "transport_list");
  const wherry_transport_info* info = wherry_page_transport(page, 0);
  const std::uint64_t transport = info != nullptr ? info->transport : 0;
  wherry_page_free(page);
  return App(profile, transport);
}

App::App(wherry_profile profile, std::uint64_t transport)
    : profile_(profile), transport_(transport), listener_([this] { listen(); }) {}

App::~App() {
  wherry_close(profile_);
  listener_.join();
}

// ---- Events -------------------------------------------------------------------------------------

void App::listen() {
  wherry_error error = WHERRY_ERROR_INIT;
  std::uint64_t last_seq = 0;
  std::size_t unacknowledged = 0;
  while (true) {
    wherry_event* event = nullptr;
    const std::int32_t status =
        wherry_next_event(profile_, &event, unacknowledged > 0 ? 0 : -1, &error);
    const Moment now = SteadyClock::now();
    if (status == WHERRY_E_CLOSED || status == WHERRY_E_HANDLE) return;
    if (status != WHERRY_E_TIMEOUT) must(status, error, "next_event");
    if (status == WHERRY_OK) {
      take(event, now);
      if (wherry_event_seq(event) != 0) {
        last_seq = wherry_event_seq(event);
        ++unacknowledged;
      }
      wherry_event_free(event);
    }
    if (unacknowledged >= kEventsPerAck || (status == WHERRY_E_TIMEOUT && unacknowledged > 0)) {
      const std::int32_t acked = wherry_event_ack(profile_, last_seq, &error);
      if (acked == WHERRY_E_CLOSED || acked == WHERRY_E_HANDLE) return;
      must(acked, error, "event_ack");
      unacknowledged = 0;
    }
  }
}

void App::take(const wherry_event* event, Moment now) {
  const auto integer = [event](wherry_field field) { return wherry_event_integer(event, field); };
  const std::lock_guard lock(mutex_);
  switch (wherry_event_kind(event)) {
    case WHERRY_EVENT_MESSAGE:
      ++received_;
      received_at_ = now;
      if (links_ != 0 && integer(WHERRY_FIELD_TRANSPORT) == static_cast<std::int64_t>(links_)) {
        ++received_by_links_;
      }
      break;
    case WHERRY_EVENT_EVIDENCE:
      if (integer(WHERRY_FIELD_EVIDENCE) < WHERRY_EVIDENCE_DELIVERED) return;
      if (integer(WHERRY_FIELD_EVIDENCE) > WHERRY_EVIDENCE_READ) {
        std::fprintf(stderr, "a message ended undelivered\n");
        std::_Exit(1);
      }
      ++delivered_;
      delivered_at_ = now;
      break;
    case WHERRY_EVENT_CONTACT:
      connected_ = connected_ || integer(WHERRY_FIELD_STATE) == WHERRY_CONTACT_STATE_CONNECTED;
      if (integer(WHERRY_FIELD_STATE) == WHERRY_CONTACT_STATE_REQUEST) {
        request_ = static_cast<std::uint64_t>(integer(WHERRY_FIELD_CONTACT));
        request_conversation_ = static_cast<std::uint64_t>(integer(WHERRY_FIELD_CONVERSATION));
      }
      break;
    case WHERRY_EVENT_TRANSPORT: {
      const auto transport = static_cast<std::uint64_t>(integer(WHERRY_FIELD_TRANSPORT));
      if (integer(WHERRY_FIELD_STATE) == WHERRY_TRANSPORT_STATE_ONLINE) {
        online_.insert(transport);
      } else {
        online_.erase(transport);
      }
      break;
    }
    case WHERRY_EVENT_SENDING_ROUTE:
      if (integer(WHERRY_FIELD_STATE) != WHERRY_ROUTE_STATE_SETTLED) return;
      ++sending_settled_;
      sending_settled_at_ = now;
      break;
    default:
      return;
  }
  changed_.notify_all();
}

template <class Predicate>
void App::wait(const char* what, Predicate predicate) {
  std::unique_lock lock(mutex_);
  if (changed_.wait_for(lock, kPatience, predicate)) return;
  std::fprintf(stderr, "no progress: %s; received %zu, delivered %zu\n", what, received_,
               delivered_);
  std::_Exit(1);
}

std::size_t App::received() const {
  const std::lock_guard lock(mutex_);
  return received_;
}

std::size_t App::delivered() const {
  const std::lock_guard lock(mutex_);
  return delivered_;
}

std::size_t App::received_by_links() const {
  const std::lock_guard lock(mutex_);
  return received_by_links_;
}

std::size_t App::sending_settled() const {
  const std::lock_guard lock(mutex_);
  return sending_settled_;
}

Moment App::wait_received(std::size_t count) {
  wait("messages are missing", [&] { return received_ >= count; });
  const std::lock_guard lock(mutex_);
  return received_at_;
}

Moment App::wait_delivered(std::size_t count) {
  wait("deliveries are not confirmed", [&] { return delivered_ >= count; });
  const std::lock_guard lock(mutex_);
  return delivered_at_;
}

Moment App::wait_sending_settled(std::size_t count) {
  wait("the other network is not taken", [&] { return sending_settled_ >= count; });
  const std::lock_guard lock(mutex_);
  return sending_settled_at_;
}

// ---- Network and people -------------------------------------------------------------------------

void App::join(const char* plugin, const std::vector<wherry_option>& settings) {
  wherry_error error = WHERRY_ERROR_INIT;
  must(
      wherry_transport_add(profile_, &transport_, plugin, settings.data(), settings.size(), &error),
      error, "transport_add");
  go_online();
}

void App::join(const std::string& relay) {
  join("centralized", {{"relay", relay.c_str()}});
}

void App::join_links() {
  wherry_error error = WHERRY_ERROR_INIT;
  const wherry_option settings[] = {{"listen", "127.0.0.1:0"}, {"allow", "127.0.0.0/8"}};
  {
    const std::lock_guard lock(mutex_);
    must(wherry_transport_add(profile_, &links_, "p2p", settings, std::size(settings), &error),
         error, "transport_add");
  }
  start(links_);
}

Moment App::set_route(std::uint64_t conversation, const char* route) {
  wherry_error error = WHERRY_ERROR_INIT;
  const Moment begin = SteadyClock::now();
  must(wherry_conversation_set_route(profile_, conversation, route, &error), error, "set_route");
  return begin;
}

void App::wait_online(std::uint64_t transport, bool online) {
  wait(online ? "the network is not reached" : "the transport does not stop",
       [&] { return online_.contains(transport) == online; });
}

void App::start(std::uint64_t transport) {
  wherry_error error = WHERRY_ERROR_INIT;
  must(wherry_transport_start(profile_, transport, &error), error, "transport_start");
  wait_online(transport, true);
}

void App::wait_online() {
  wait_online(transport_, true);
}

void App::go_online() {
  start(transport_);
}

void App::go_offline() {
  wherry_error error = WHERRY_ERROR_INIT;
  must(wherry_transport_stop(profile_, transport_, &error), error, "transport_stop");
  wait_online(transport_, false);
}

std::string App::card() {
  wherry_error error = WHERRY_ERROR_INIT;
  std::array<char, WHERRY_CARD_TEXT_SIZE> text;
  must(wherry_card_make(profile_, text.data(), text.size(), transport_, 0, &error), error,
       "card_make");
  return text.data();
}

std::uint64_t App::add(const std::string& card) {
  wherry_error error = WHERRY_ERROR_INIT;
  std::uint64_t contact = 0;
  std::uint64_t conversation = 0;
  must(wherry_contact_add(profile_, &contact, card.c_str(), "friend", &error), error,
       "contact_add");
  must(wherry_conversation_with(profile_, &conversation, contact, &error), error,
       "conversation_with");
  return conversation;
}

std::uint64_t App::accept() {
  wherry_error error = WHERRY_ERROR_INIT;
  std::uint64_t contact = 0;
  std::uint64_t conversation = 0;
  wait("no request came", [&] { return request_ != 0; });
  {
    const std::lock_guard lock(mutex_);
    contact = std::exchange(request_, 0);
    conversation = request_conversation_;
  }
  must(wherry_contact_accept(profile_, contact, "friend", &error), error, "contact_accept");
  return conversation;
}

void App::wait_connected() {
  wait("there is no session", [&] { return connected_; });
}

// ---- Messages -----------------------------------------------------------------------------------

void App::send(std::uint64_t conversation, std::size_t size) {
  wherry_error error = WHERRY_ERROR_INIT;
  std::uint64_t message = 0;
  const std::vector<std::uint8_t> body = random_bytes(size);
  must(wherry_send(profile_, &message, conversation, nullptr, WHERRY_CONTENT_DATA, body.data(),
                   body.size(), &error),
       error, "send");
}

void App::submit(std::uint64_t conversation, std::size_t count, std::size_t size) {
  wherry_error error = WHERRY_ERROR_INIT;
  for (std::size_t i = 0; i < count; ++i) {
    const std::vector<std::uint8_t> ref = random_bytes(WHERRY_ID_SIZE);
    const std::vector<std::uint8_t> body = random_bytes(size);
    while (true) {
      const std::int32_t status =
          wherry_submit(profile_, conversation, ref.data(), WHERRY_CONTENT_DATA, body.data(),
                        body.size(), &error);
      if (status != WHERRY_E_AGAIN) {
        must(status, error, "submit");
        break;
      }
      sync();
    }
  }
}

void App::sync() {
  wherry_error error = WHERRY_ERROR_INIT;
  must(wherry_sync(profile_, -1, &error), error, "sync");
}

Pair::Pair(const std::string& folder, const std::string& relay, wherry_durability durability)
    : Pair(folder, [&](App& app, const std::string&) { app.join(relay); }, durability) {}

Pair::Pair(const std::string& folder, const Join& join, wherry_durability durability)
    : alice(App::create(folder + "/alice", durability)),
      bob(App::create(folder + "/bob", durability)) {
  join(alice, "alice");
  join(bob, "bob");
  to_bob = alice.add(bob.card());
  alice.send(to_bob);
  to_alice = bob.accept();
  bob.send(to_alice);
  alice.wait_connected();
  bob.wait_connected();
  alice.wait_delivered(1);
  bob.wait_delivered(1);
  alice.wait_received(1);
  bob.wait_received(1);
}

void Pair::go_direct() {
  alice.join_links();
  bob.join_links();
  const std::size_t of_alice = alice.sending_settled();
  const std::size_t of_bob = bob.sending_settled();
  alice.set_route(to_bob, "p2p");
  bob.set_route(to_alice, "p2p");
  alice.wait_sending_settled(of_alice + 1);
  bob.wait_sending_settled(of_bob + 1);
}

}  // namespace wherry::bench
