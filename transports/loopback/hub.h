// The network of the loopback transport: what a relay would be, as an object in memory.
//
// A hub stores envelopes for inboxes, whether or not somebody reads them, until they are
// acknowledged; and bundles. It knows an inbox by its address and lets send whoever has its token.
//
// Thread safety: every method may be called from any thread. A hub calls Reader::wake with its own
// lock held: a reader must not call the hub while it holds a lock that wake() takes.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "include/wherry/wherry_schema.h"

namespace wherry::loopback {

using Bytes = std::vector<std::uint8_t>;
using Address = std::array<std::uint8_t, 16>;  // names an inbox
using Token = std::array<std::uint8_t, 16>;    // the right to send to it
using Locator = std::array<std::uint8_t, 32>;  // names a bundle
using Owner = std::array<std::uint8_t, 32>;    // the right to replace it
using HubId = std::array<std::uint8_t, 16>;    // another one: another, empty hub

// Who reads an inbox: an instance.
class Reader {
 public:
  Reader() = default;
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  virtual ~Reader() = default;
  // There is something to fetch. Only makes a note: the hub's lock is held.
  virtual void wake() = 0;
};

struct Stored {
  std::uint64_t id = 0;  // unique in the hub
  Bytes envelope;
};

class Hub {
 public:
  // The hub of that name, made when it is first asked for; it lives as long as the process, so that
  // envelopes wait for an inbox although nobody is there.
  static std::shared_ptr<Hub> named(const std::string& name);

  const HubId& id() const { return id_; }

  // Makes the inbox if there is none, and reads it from now on, from the oldest envelope that was
  // not acknowledged. Gives false when there are too many inboxes.
  bool attach(const Address& address, const Token& token, Reader* reader);
  // `reader` reads no inbox any more, and is not woken again once this has returned.
  void detach(Reader* reader);
  // Deletes the inbox and what waits there.
  void close(const Address& address);

  // Gives NONE when it is stored, else why not.
  wherry_reason store(const Address& address, const Token& token, Bytes envelope);
  // At most `count` envelopes that `fetched` has not yet passed over, the oldest first.
  std::vector<Stored> fetch(const Address& address, std::size_t count);
  // The next fetch of this inbox begins with the envelope `id` again.
  void rewind(const Address& address, std::uint64_t id);
  void erase(const Address& address, std::uint64_t id);

  wherry_reason put_bundle(const Locator& locator, const Owner& owner, Bytes bundle,
                           std::chrono::seconds time_to_live);
  std::optional<Bytes> get_bundle(const Locator& locator);

  Hub();

 private:
  struct Inbox {
    Token token{};
    std::deque<Stored> envelopes;  // ids rise
    std::size_t bytes = 0;
    std::uint64_t next_fetch = 0;  // the lowest id that was not fetched
    Reader* reader = nullptr;      // not owned; detach() clears it
  };
  struct Bundle {
    Owner owner{};
    Bytes bytes;
    std::chrono::steady_clock::time_point expires;
  };

  HubId id_{};
  std::mutex mutex_;  // guards everything below
  std::uint64_t next_id_ = 1;
  std::map<Address, Inbox> inboxes_;
  std::map<Locator, Bundle> bundles_;
};

}  // namespace wherry::loopback
