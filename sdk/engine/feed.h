// The events an app pulls: the durable feed, read from the database page by page, and a few that
// are not durable. Thread-safe; memory stays bounded however slow the app is.
#ifndef WHERRY_ENGINE_FEED_H
#define WHERRY_ENGINE_FEED_H

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "store/events.h"
#include "store/messages.h"

namespace wherry::engine {

// An event of seq 0: the latest of a (type, subject) replaces what waits.
struct EphemeralEvent {
  int32_t type = 0;
  uint64_t transport = 0;
  int32_t state = 0;
  int32_t percent = 0;
  int32_t reason = 0;
  std::string phase;
};

// An event with what its fields need.
struct Event {
  store::EventRow row;
  std::optional<store::MessageRow> message;
  std::optional<Bytes32> identity;
  EphemeralEvent ephemeral;  // if row.seq is 0

  size_t size() const { return message ? message->body.size() : 0; }
};

class Feed {
 public:
  // `reader` is a read-only connection of the feed's own.
  static Result<std::unique_ptr<Feed>> make(std::unique_ptr<store::Connection> reader);
  ~Feed();
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  // At opening: as committed(), and looks whether anything below `next` is left to be given at all.
  Status begin(uint64_t next);
  // After a commit: everything below `next` can be read. `news`: events of it, by seq; whoever has
  // been given all before need not read them, if none is missing.
  void committed(uint64_t next, std::vector<Event> news);
  void add(EphemeralEvent event);

  // Time-out in milliseconds of the real clock, negative: none. E_TIMEOUT, E_CLOSED, E_DISK,
  // E_CORRUPT.
  Result<Event> next(int32_t timeout_ms);
  // The highest seq that there is.
  uint64_t committed_seq() const;
  // Readable while next(0) would not fail. Kept up to date from the first call on.
  int handle();

  // Wakes who waits; from now on E_CLOSED.
  void close();

 private:
  Feed(std::unique_ptr<store::Connection> reader, int handle);
  bool available() const;
  Status fill(std::unique_lock<std::mutex>& lock);
  Event event_of(const store::EventRow& row);
  void show();  // sets or clears the handle

  std::unique_ptr<store::Connection> reader_;  // of whoever has set filling_
  const int handle_;
  mutable std::mutex mutex_;
  bool showing_ = false;  // somebody has the handle
  bool shown_ = false;    // it is readable
  std::condition_variable changed_;
  std::deque<EphemeralEvent> ephemeral_;
  std::deque<Event> page_;
  size_t page_bytes_ = 0;   // of bodies in it
  uint64_t committed_ = 0;  // highest seq that can be read
  uint64_t read_ = 0;       // highest seq that was read into page_
  bool filling_ = false;    // a caller reads the next page, without the lock
  bool closed_ = false;
};

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_FEED_H
