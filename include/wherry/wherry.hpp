/*
 * wherry/wherry.hpp: Wherry for C++17 and later. Header-only, over wherry.h, which is the manual:
 * what a call means, and which statuses it may give, stands there once.
 *
 * Rules
 *  - Failures throw an Error: a CallerError (a bug of the program), a PeerError (input from another
 *    person), an EnvironmentError (disk, memory, another process) or a NotNow (full; try later).
 *  - Profile, Page and Event own what they hold and free it; they move and do not copy. What they
 *    hand out by reference or view lives as long as they do, and not across a move from them.
 *  - Views given to a call are borrowed until it returns. Enumerations are those of wherry.h, as
 *    int32_t, since a newer library may give a value that this header does not know.
 *  - Any function may be called from any thread; moving, closing and destroying a Profile, and
 *    on_event, must not happen while another thread is in one of its calls.
 */
#ifndef WHERRY_HPP
#define WHERRY_HPP

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "wherry.h"

namespace wherry {

/* ---- Views ---------------------------------------------------------------------------------- */

/* Borrowed bytes: of a vector, an array, a span, a string, or anything with data() and size(). */
class Bytes {
 public:
  Bytes() = default;
  Bytes(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  Bytes(std::string_view text)
      : data_(reinterpret_cast<const std::uint8_t*>(text.data())), size_(text.size()) {}
  Bytes(const std::string& text) : Bytes(std::string_view(text)) {}
  Bytes(const char* text) : Bytes(std::string_view(text)) {}
  template <class Container,
            class = std::enable_if_t<std::is_convertible_v<
                decltype(std::declval<const Container&>().data()), const std::uint8_t*>>>
  Bytes(const Container& container) : data_(container.data()), size_(container.size()) {}

  const std::uint8_t* data() const { return data_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const std::uint8_t* begin() const { return data_; }
  const std::uint8_t* end() const { return data_ + size_; }

  /* The same bytes as text. */
  std::string_view text() const {
    return size_ == 0 ? std::string_view()
                      : std::string_view(reinterpret_cast<const char*>(data_), size_);
  }

 private:
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

/* An identity's public key. */
using Identity = std::array<std::uint8_t, WHERRY_IDENTITY_SIZE>;
/* What a program may choose for a message so that sending it again does not double it. */
using Ref = std::array<std::uint8_t, WHERRY_ID_SIZE>;
/* Settings of a transport: names and values. */
using Settings = std::vector<std::pair<std::string, std::string>>;
/* How long to wait; `forever` and anything negative: without limit. */
using Timeout = std::chrono::milliseconds;
inline constexpr Timeout forever{-1};

/* ---- Errors --------------------------------------------------------------------------------- */

/* What a call did not do, and why. what() is one line that says what to do. */
class Error : public std::runtime_error {
 public:
  Error(std::int32_t status, std::int32_t reason, const std::string& text)
      : std::runtime_error(text), status_(status), reason_(reason) {}

  /* A wherry_status. */
  std::int32_t status() const { return status_; }
  /* A wherry_reason, or WHERRY_REASON_NONE. */
  std::int32_t reason() const { return reason_; }

 private:
  std::int32_t status_;
  std::int32_t reason_;
};

/* Statuses 100 to 199: a bug of the program. */
class CallerError : public Error {
  using Error::Error;
};
/* Statuses 200 to 299: input from another person. */
class PeerError : public Error {
  using Error::Error;
};
/* Statuses 300 to 399: the environment. */
class EnvironmentError : public Error {
  using Error::Error;
};
/* Statuses from 400 on: nothing is wrong, but not now. */
class NotNow : public Error {
  using Error::Error;
};

namespace detail {

[[noreturn]] inline void raise(std::int32_t status, const wherry_error& error) {
  const std::string text = error.text[0] != 0 ? error.text : wherry_status_text(status);
  if (status >= 400) throw NotNow(status, error.reason, text);
  if (status >= 300) throw EnvironmentError(status, error.reason, text);
  if (status >= 200) throw PeerError(status, error.reason, text);
  throw CallerError(status, error.reason, text);
}

/* Calls a function whose last parameter is the error, and throws what it says. */
template <class Function, class... Arguments>
void call(Function function, Arguments... arguments) {
  wherry_error error = WHERRY_ERROR_INIT;
  const std::int32_t status = function(arguments..., &error);
  if (status != WHERRY_OK) raise(status, error);
}

inline std::int32_t milliseconds(Timeout timeout) {
  if (timeout.count() < 0) return -1;
  return timeout.count() > INT32_MAX ? INT32_MAX : static_cast<std::int32_t>(timeout.count());
}

inline const char* c_str(const std::optional<std::string>& text) {
  return text ? text->c_str() : nullptr;
}

/* The function that gives a page's item, by the item's type. */
template <class Item>
struct PageItem;
template <>
struct PageItem<wherry_message> {
  static constexpr auto get = &wherry_page_message;
};
template <>
struct PageItem<wherry_contact> {
  static constexpr auto get = &wherry_page_contact;
};
template <>
struct PageItem<wherry_conversation> {
  static constexpr auto get = &wherry_page_conversation;
};
template <>
struct PageItem<wherry_transport_info> {
  static constexpr auto get = &wherry_page_transport;
};
template <>
struct PageItem<wherry_card_info> {
  static constexpr auto get = &wherry_page_card;
};

template <>
struct PageItem<wherry_permits_info> {
  static constexpr auto get = &wherry_page_permits;
};
template <>
struct PageItem<wherry_path> {
  static constexpr auto get = &wherry_page_path;
};
template <>
struct PageItem<wherry_route_info> {
  static constexpr auto get = &wherry_page_route;
};

struct PageFree {
  void operator()(wherry_page* page) const { wherry_page_free(page); }
};
struct EventFree {
  void operator()(wherry_event* event) const { wherry_event_free(event); }
};

}  // namespace detail

/* ---- Pages ---------------------------------------------------------------------------------- */

/* A page of results; a range of the structs of wherry.h. */
template <class Item>
class Page {
 public:
  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = Item;
    using difference_type = std::ptrdiff_t;
    using pointer = const Item*;
    using reference = const Item&;

    Iterator() = default;
    Iterator(const wherry_page* page, std::size_t index) : page_(page), index_(index) {}
    reference operator*() const { return *detail::PageItem<Item>::get(page_, index_); }
    pointer operator->() const { return detail::PageItem<Item>::get(page_, index_); }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++index_;
      return before;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.index_ == b.index_; }
    friend bool operator!=(const Iterator& a, const Iterator& b) { return a.index_ != b.index_; }

   private:
    const wherry_page* page_ = nullptr;
    std::size_t index_ = 0;
  };

  /* Takes over a page of this kind of item. */
  explicit Page(wherry_page* page) : page_(page) {}

  std::size_t size() const { return wherry_page_count(page_.get()); }
  bool empty() const { return size() == 0; }
  /* The item at an index below size(). */
  const Item& operator[](std::size_t index) const {
    return *detail::PageItem<Item>::get(page_.get(), index);
  }
  Iterator begin() const { return Iterator(page_.get(), 0); }
  Iterator end() const { return Iterator(page_.get(), size()); }

  /* The page as JSON. Throws std::bad_alloc when memory is short. */
  std::string_view json() const {
    const char* text = wherry_page_json(page_.get());
    if (text == nullptr) throw std::bad_alloc();
    return text;
  }

 private:
  std::unique_ptr<wherry_page, detail::PageFree> page_;
};

/* A set of permits that has a name, a wherry_permits. */
inline wherry_reveals permits_preset(std::int32_t preset) {
  wherry_reveals set{};
  detail::call(&wherry_permits_preset, &set, preset);
  return set;
}

/* The content of a message. */
inline Bytes body(const wherry_message& message) {
  return {message.body, message.body_size};
}

/* ---- Events --------------------------------------------------------------------------------- */

/*
 * Something that happened. Each getter gives the field of that name; of a type of event that has
 * not got it, 0 or nothing. wherry_schema.h says which type has which fields.
 */
class Event {
 public:
  /* Takes over an event. */
  explicit Event(wherry_event* event) : event_(event) {}

  /* A wherry_event_type. */
  std::int32_t kind() const { return wherry_event_kind(event_.get()); }
  /* Its number in the durable feed; 0: not durable. */
  std::uint64_t seq() const { return wherry_event_seq(event_.get()); }

  std::uint64_t contact() const { return id(WHERRY_FIELD_CONTACT); }
  std::uint64_t conversation() const { return id(WHERRY_FIELD_CONVERSATION); }
  std::uint64_t message() const { return id(WHERRY_FIELD_MESSAGE); }
  std::uint64_t author() const { return id(WHERRY_FIELD_AUTHOR); }
  std::uint64_t transport() const { return id(WHERRY_FIELD_TRANSPORT); }
  /* The message's id on both sides, WHERRY_ID_SIZE bytes. */
  Bytes message_id() const { return bytes(WHERRY_FIELD_MESSAGE_ID); }
  /* A wherry_content. */
  std::int32_t content() const { return number(WHERRY_FIELD_CONTENT); }
  Bytes body() const { return bytes(WHERRY_FIELD_BODY); }
  std::int64_t sent_ms() const { return integer(WHERRY_FIELD_SENT_MS); }
  std::int64_t received_ms() const { return integer(WHERRY_FIELD_RECEIVED_MS); }
  /* A wherry_evidence. */
  std::int32_t evidence() const { return number(WHERRY_FIELD_EVIDENCE); }
  /* A wherry_reason. */
  std::int32_t reason() const { return number(WHERRY_FIELD_REASON); }
  /* A wherry_transport_state or wherry_contact_state, by kind(). */
  std::int32_t state() const { return number(WHERRY_FIELD_STATE); }
  std::int32_t percent() const { return number(WHERRY_FIELD_PERCENT); }
  std::string_view phase() const { return bytes(WHERRY_FIELD_PHASE).text(); }
  /* An identity's public key, WHERRY_IDENTITY_SIZE bytes. */
  Bytes identity() const { return bytes(WHERRY_FIELD_IDENTITY); }
  std::int64_t count() const { return integer(WHERRY_FIELD_COUNT); }

  /* Any field, by its wherry_field. */
  std::int64_t integer(std::int32_t field) const {
    return wherry_event_integer(event_.get(), field);
  }
  Bytes bytes(std::int32_t field) const {
    std::size_t length = 0;
    const std::uint8_t* data = wherry_event_bytes(event_.get(), &length, field);
    return data == nullptr ? Bytes() : Bytes(data, length);
  }

  /* The event as JSON. Throws std::bad_alloc when memory is short. */
  std::string_view json() const {
    const char* text = wherry_event_json(event_.get());
    if (text == nullptr) throw std::bad_alloc();
    return text;
  }

 private:
  std::uint64_t id(std::int32_t field) const { return static_cast<std::uint64_t>(integer(field)); }
  std::int32_t number(std::int32_t field) const {
    return static_cast<std::int32_t>(integer(field));
  }

  std::unique_ptr<wherry_event, detail::EventFree> event_;
};

/* ---- Profile -------------------------------------------------------------------------------- */

/* A profile's key: borrowed, so keep what it is made of until create or open has returned. */
class Key {
 public:
  static Key passphrase(std::string_view text) { return {Bytes(text), WHERRY_KEY_PASSPHRASE}; }
  /* WHERRY_KEY_SIZE random bytes. */
  static Key raw(Bytes bytes) { return {bytes, WHERRY_KEY_RAW}; }

  Bytes bytes() const { return bytes_; }
  std::int32_t kind() const { return kind_; }

 private:
  Key(Bytes bytes, std::int32_t kind) : bytes_(bytes), kind_(kind) {}

  Bytes bytes_;
  std::int32_t kind_;
};

/* How a profile is opened. */
struct Options {
  /* The transports that the program links. */
  std::vector<const wherry_transport_plugin*> plugins;
  /* A wherry_durability. */
  std::int32_t durability = WHERRY_DURABILITY_FULL;
  /* Lines above this level (0 error, 1 warning, 2 info, 3 debug) are not made. */
  std::int32_t log_level = 2;
  /* Called from any thread, one call at a time; must not throw, block or call Wherry. */
  std::function<void(std::int32_t level, std::string_view text)> log;
};

/* An open profile; closed by close() or the destructor. */
class Profile {
 public:
  using Handler = std::function<void(const Event& event)>;

  /* Makes a new profile in a directory, and opens it. */
  static Profile create(const std::string& path, const Key& key, Options options = {}) {
    return Profile(&wherry_profile_create, path, key, std::move(options));
  }

  /* Opens a profile. */
  static Profile open(const std::string& path, const Key& key, Options options = {}) {
    return Profile(&wherry_profile_open, path, key, std::move(options));
  }

  Profile(Profile&& other) noexcept
      : handle_(std::exchange(other.handle_, wherry_profile{0})), state_(std::move(other.state_)) {}
  Profile& operator=(Profile&& other) noexcept {
    if (this != &other) {
      close();
      handle_ = std::exchange(other.handle_, wherry_profile{0});
      state_ = std::move(other.state_);
    }
    return *this;
  }
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;
  ~Profile() { close(); }

  /* Closes it within 5 seconds; a second call does nothing. Waiting calls throw a CallerError. */
  void close() noexcept {
    if (handle_.id != 0) static_cast<void>(wherry_close(std::exchange(handle_, wherry_profile{0})));
  }

  /* For calls to wherry.h; stays this object's. */
  wherry_profile handle() const { return handle_; }

  Identity identity() const {
    Identity identity{};
    detail::call(&wherry_identity, handle_, identity.data());
    return identity;
  }

  /* Configures a transport by its plug-in's name; its id. */
  std::uint64_t add_transport(const std::string& name, const Settings& settings) {
    std::uint64_t transport = 0;
    const std::vector<wherry_option> items = options_of(settings);
    detail::call(&wherry_transport_add, handle_, &transport, name.c_str(), items.data(),
                 items.size());
    return transport;
  }

  void set_transport(std::uint64_t transport, const Settings& settings) {
    const std::vector<wherry_option> items = options_of(settings);
    detail::call(&wherry_transport_set, handle_, transport, items.data(), items.size());
  }

  void start_transport(std::uint64_t transport) {
    detail::call(&wherry_transport_start, handle_, transport);
  }

  void stop_transport(std::uint64_t transport) {
    detail::call(&wherry_transport_stop, handle_, transport);
  }

  /* What changed around the app: bits WHERRY_CHANGE_*. */
  void update(std::uint32_t changes) { detail::call(&wherry_update, handle_, changes); }

  Page<wherry_transport_info> transports() const {
    return page<wherry_transport_info>(&wherry_transport_list);
  }

  /* What a plug-in is, can do and reveals, and its settings: a JSON object. */
  std::string describe_transport(const std::string& name) const {
    wherry_page* found = nullptr;
    detail::call(&wherry_transport_describe, handle_, &found, name.c_str());
    const std::unique_ptr<wherry_page, detail::PageFree> owner(found);
    const char* text = wherry_page_json(found);
    if (text == nullptr) throw std::bad_alloc();
    return text;
  }

  /* A contact card that leads to this profile by a transport; 0 seconds: 30 days. */
  std::string make_card(std::uint64_t transport, std::chrono::seconds valid = {}) const {
    if (valid.count() < 0 || valid.count() > UINT32_MAX) valid = std::chrono::seconds(UINT32_MAX);
    std::array<char, WHERRY_CARD_TEXT_SIZE> text{};
    detail::call(&wherry_card_make, handle_, text.data(), text.size(), transport,
                 static_cast<std::uint32_t>(valid.count()));
    return text.data();
  }

  /* Adds the person whose card this is; the contact's id. */
  std::uint64_t add_contact(const std::string& card,
                            const std::optional<std::string>& name = std::nullopt) {
    std::uint64_t contact = 0;
    detail::call(&wherry_contact_add, handle_, &contact, card.c_str(), detail::c_str(name));
    return contact;
  }

  void accept_contact(std::uint64_t contact,
                      const std::optional<std::string>& name = std::nullopt) {
    detail::call(&wherry_contact_accept, handle_, contact, detail::c_str(name));
  }

  Page<wherry_contact> contacts(std::uint64_t after = 0, std::uint32_t limit = 1000) const {
    return page<wherry_contact>(&wherry_contact_list, after, limit);
  }

  Page<wherry_conversation> conversations(std::uint64_t after = 0,
                                          std::uint32_t limit = 1000) const {
    return page<wherry_conversation>(&wherry_conversation_list, after, limit);
  }

  /* The direct conversation with a contact. */
  std::uint64_t conversation_with(std::uint64_t contact) const {
    std::uint64_t conversation = 0;
    detail::call(&wherry_conversation_with, handle_, &conversation, contact);
    return conversation;
  }

  /* What the profile permits to reveal. */
  wherry_reveals permits() const {
    wherry_reveals set{};
    detail::call(&wherry_profile_permits, handle_, &set);
    return set;
  }

  void set_permits(const wherry_reveals& permits,
                   std::int32_t tightening = WHERRY_TIGHTENING_ANNOUNCE) {
    detail::call(&wherry_profile_set_permits, handle_, &permits, tightening);
  }

  /* A page of one: who permits what in a conversation, and what it has revealed. */
  Page<wherry_permits_info> conversation_permits(std::uint64_t conversation) const {
    return page<wherry_permits_info>(&wherry_conversation_permits, conversation);
  }

  void set_conversation_permits(std::uint64_t conversation, const wherry_reveals& permits,
                                std::int32_t tightening = WHERRY_TIGHTENING_ANNOUNCE) {
    detail::call(&wherry_conversation_set_permits, handle_, conversation, &permits, tightening);
  }

  /* The ways to the other person, each with what stands against it. */
  Page<wherry_path> explain(std::uint64_t conversation) const {
    return page<wherry_path>(&wherry_conversation_explain, conversation);
  }

  /* Names of transports with commas between, best first, or "auto". */
  void set_route(std::uint64_t conversation, const std::string& route) {
    detail::call(&wherry_conversation_set_route, handle_, conversation, route.c_str());
  }

  /* A page of one: by which networks a conversation is sent and received. */
  Page<wherry_route_info> route(std::uint64_t conversation) const {
    return page<wherry_route_info>(&wherry_conversation_route, conversation);
  }

  /* Sends text, or with WHERRY_CONTENT_DATA bytes; durable on return. The message's id. */
  std::uint64_t send(std::uint64_t conversation, Bytes body,
                     std::int32_t content = WHERRY_CONTENT_TEXT,
                     const std::optional<Ref>& ref = std::nullopt) {
    std::uint64_t message = 0;
    detail::call(&wherry_send, handle_, &message, conversation, ref ? ref->data() : nullptr,
                 content, body.data(), body.size());
    return message;
  }

  /* Hands a message over; durable when a later sync() returns. */
  void submit(std::uint64_t conversation, const Ref& ref, Bytes body,
              std::int32_t content = WHERRY_CONTENT_TEXT) {
    detail::call(&wherry_submit, handle_, conversation, ref.data(), content, body.data(),
                 body.size());
  }

  void sync(Timeout timeout = forever) {
    detail::call(&wherry_sync, handle_, detail::milliseconds(timeout));
  }

  /* A page of a conversation's history, the oldest first; from 0: the newest, or oldest, end. */
  Page<wherry_message> history(std::uint64_t conversation, std::uint64_t from = 0,
                               std::int32_t direction = WHERRY_DIRECTION_OLDER,
                               std::uint32_t limit = 100) const {
    return page<wherry_message>(&wherry_history, conversation, from, direction, limit);
  }

  /* A page of one message. */
  Page<wherry_message> message(std::uint64_t message) const {
    return page<wherry_message>(&wherry_message_get, message);
  }

  /* The next event, or nothing when none came within the time. */
  std::optional<Event> next_event(Timeout timeout) {
    wherry_event* event = nullptr;
    wherry_error error = WHERRY_ERROR_INIT;
    const std::int32_t status =
        wherry_next_event(handle_, &event, detail::milliseconds(timeout), &error);
    if (status == WHERRY_E_TIMEOUT) return std::nullopt;
    if (status != WHERRY_OK) detail::raise(status, error);
    return Event(event);
  }

  /* Says that the program has dealt with all durable events up to this one. */
  void ack(std::uint64_t seq) { detail::call(&wherry_event_ack, handle_, seq); }

  /* A descriptor for poll and the like, readable while next_event would not wait. */
  std::int32_t wait_handle() const {
    std::int32_t handle = -1;
    detail::call(&wherry_wait_handle, handle_, &handle);
    return handle;
  }

  /* What dispatch() calls for each event; replaces the one before. */
  void on_event(Handler handler) { state_->handler = std::move(handler); }

  /*
   * Waits for an event, then hands all that are there to the handler, in the caller's thread, and
   * acknowledges those for which it returned. Gives their number, 0 when none came within the time.
   * What the handler throws passes through; that event comes again when the profile is next opened.
   * Only one thread at a time may dispatch.
   */
  std::size_t dispatch(Timeout timeout) {
    std::size_t count = 0;
    AckAtEnd acknowledge(*this);
    while (count < dispatch_count_max) {
      const std::optional<Event> event = next_event(count == 0 ? timeout : Timeout(0));
      if (!event) break;
      if (state_->handler) state_->handler(*event);
      if (event->seq() != 0) state_->dealt_with = event->seq();
      ++count;
    }
    return count;
  }

 private:
  /* So that a steady stream of events does not keep dispatch() from returning. */
  static constexpr std::size_t dispatch_count_max = 256;

  /* What must keep its place when the Profile moves. */
  struct State {
    Options options;
    Handler handler;
    std::uint64_t dealt_with = 0;
    std::uint64_t acknowledged = 0;
  };

  /* Acknowledges on every way out of dispatch(); a full queue leaves it to the next one. */
  class AckAtEnd {
   public:
    explicit AckAtEnd(Profile& profile) : profile_(profile) {}
    AckAtEnd(const AckAtEnd&) = delete;
    AckAtEnd& operator=(const AckAtEnd&) = delete;
    ~AckAtEnd() {
      State& state = *profile_.state_;
      if (state.dealt_with == state.acknowledged) return;
      if (wherry_event_ack(profile_.handle_, state.dealt_with, nullptr) == WHERRY_OK) {
        state.acknowledged = state.dealt_with;
      }
    }

   private:
    Profile& profile_;
  };

  using Opener = decltype(&wherry_profile_open);

  Profile(Opener opener, const std::string& path, const Key& key, Options options)
      : state_(std::make_unique<State>()) {
    state_->options = std::move(options);
    wherry_profile_options plain = WHERRY_PROFILE_OPTIONS_INIT;
    plain.plugins = state_->options.plugins.data();
    plain.plugin_count = state_->options.plugins.size();
    plain.durability = state_->options.durability;
    plain.log_level = state_->options.log_level;
    if (state_->options.log) {
      plain.log = [](void* context, std::int32_t level, const char* text) {
        static_cast<State*>(context)->options.log(level, text);
      };
      plain.log_context = state_.get();
    }
    detail::call(opener, &handle_, path.c_str(), key.bytes().data(), key.bytes().size(), key.kind(),
                 &plain);
  }

  static std::vector<wherry_option> options_of(const Settings& settings) {
    std::vector<wherry_option> items;
    for (const auto& [name, value] : settings) items.push_back({name.c_str(), value.c_str()});
    return items;
  }

  template <class Item, class Function, class... Arguments>
  Page<Item> page(Function function, Arguments... arguments) const {
    wherry_page* found = nullptr;
    detail::call(function, handle_, &found, arguments...);
    return Page<Item>(found);
  }

  wherry_profile handle_{0};
  std::unique_ptr<State> state_;
};

/* ---- Without a profile ---------------------------------------------------------------------- */

/* What a contact card says: a page of one. */
inline Page<wherry_card_info> parse_card(const std::string& text) {
  wherry_page* found = nullptr;
  detail::call(&wherry_card_parse, &found, text.c_str());
  return Page<wherry_card_info>(found);
}

}  // namespace wherry

#endif /* WHERRY_HPP */
