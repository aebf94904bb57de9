// Pages of the feed, and the descriptor that tells an event loop.
#include "engine/feed.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "base/limits.h"
#include "base/mutant.h"
#include "store/people.h"

namespace wherry::engine {

Result<std::unique_ptr<Feed>> Feed::make(std::unique_ptr<store::Connection> reader) {
  const int handle = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (handle < 0) return fail(WHERRY_E_MEMORY, "out of descriptors");
  return std::unique_ptr<Feed>(new Feed(std::move(reader), handle));
}

Feed::Feed(std::unique_ptr<store::Connection> reader, int handle)
    : reader_(std::move(reader)), handle_(handle) {}

Feed::~Feed() {
  ::close(handle_);
}

Status Feed::begin(uint64_t next) {
  std::unique_lock lock(mutex_);
  committed_ = std::max(committed_, next - 1);
  if (mutant(Mutant::kCursorMovedEarly)) read_ = committed_;
  // Where a try before this one could not read, next() reads since, or has read.
  Status filled = filling_ || read_ != 0 ? Status() : fill(lock);
  show();
  return filled;
}

int Feed::handle() {
  std::lock_guard lock(mutex_);
  showing_ = true;
  show();
  return handle_;
}

void Feed::committed(uint64_t next, std::vector<Event> news) {
  std::unique_lock lock(mutex_);
  if (next == 0 || next - 1 <= committed_) return;
  const bool all_are_here = !news.empty() && news.front().row.seq == committed_ + 1 &&
                            news.size() == next - 1 - committed_;
  size_t bytes = page_bytes_;
  for (const Event& event : news) bytes += event.size();
  if (all_are_here && read_ == committed_ && !filling_ &&
      page_.size() + news.size() <= limits::kEventsAhead && bytes <= limits::kEventsAheadBytes) {
    std::ranges::move(news, std::back_inserter(page_));
    page_bytes_ = bytes;
    read_ = next - 1;
  }
  committed_ = next - 1;
  show();
  lock.unlock();  // whoever wakes needs it
  changed_.notify_all();
}

void Feed::add(EphemeralEvent event) {
  std::lock_guard lock(mutex_);
  std::erase_if(ephemeral_, [&](const EphemeralEvent& old) {
    return old.type == event.type && old.transport == event.transport;
  });
  if (ephemeral_.size() >= limits::kEphemeralEvents) ephemeral_.pop_front();
  ephemeral_.push_back(std::move(event));
  show();
  changed_.notify_all();
}

Result<Event> Feed::next(int32_t timeout_ms) {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (closed_) return fail(WHERRY_E_CLOSED, "the profile was closed");
    show();
    if (!ephemeral_.empty() || !page_.empty()) break;
    if (filling_) {  // by another caller; there will be something
      changed_.wait(lock, [this] { return closed_ || !filling_; });
      continue;
    }
    if (read_ < committed_) {
      if (Status filled = fill(lock); !filled) return filled.error();
      continue;
    }
    const auto ready = [this] { return closed_ || available(); };
    if (timeout_ms < 0) {
      changed_.wait(lock, ready);
    } else if (!changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), ready)) {
      return fail(WHERRY_E_TIMEOUT, "no event came in time");
    }
  }
  Event event;
  if (!ephemeral_.empty()) {
    event.ephemeral = std::move(ephemeral_.front());
    event.row.type = event.ephemeral.type;
    ephemeral_.pop_front();
  } else {
    event = std::move(page_.front());
    page_.pop_front();
    page_bytes_ -= event.size();
  }
  show();
  return event;
}

uint64_t Feed::committed_seq() const {
  std::lock_guard lock(mutex_);
  return committed_;
}

void Feed::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  show();
  changed_.notify_all();
}

bool Feed::available() const {
  return !ephemeral_.empty() || !page_.empty() || read_ < committed_;
}

// Reads the next page, without the lock: however slow the disk is, no turn waits for a reader.
// Numbers may be missing: an evidence event that a newer one replaced.
Status Feed::fill(std::unique_lock<std::mutex>& lock) {
  filling_ = true;
  // However it ends, also without memory: others wait for it.
  struct Done {
    Feed& feed;
    std::unique_lock<std::mutex>& lock;
    ~Done() {
      if (!lock.owns_lock()) lock.lock();
      feed.filling_ = false;
      feed.changed_.notify_all();
    }
  } const done{*this, lock};
  const uint64_t after = read_;
  const uint64_t committed = committed_;
  lock.unlock();
  std::deque<Event> page;
  store::Snapshot snapshot(*reader_);
  const std::vector<store::EventRow> rows =
      store::events_after(*reader_, after, limits::kEventsRead);
  uint64_t read = rows.size() < limits::kEventsRead ? committed : after;
  for (const store::EventRow& row : rows) {
    page.push_back(event_of(row));
    read = std::max(read, row.seq);
  }
  Status status = snapshot.end();
  lock.lock();
  if (!status) return status;
  page_ = std::move(page);
  page_bytes_ = 0;
  for (const Event& event : page_) page_bytes_ += event.size();
  read_ = read;
  // A commit can be read before its turn has told of it.
  committed_ = std::max(committed_, read);
  return {};
}

Event Feed::event_of(const store::EventRow& row) {
  Event event;
  event.row = row;
  if (row.message != 0) event.message = store::message(*reader_, row.message);
  if (row.type == WHERRY_EVENT_CONTACT) {
    const std::vector<store::ContactRow> contact = store::contacts(*reader_, row.contact - 1, 1);
    if (!contact.empty() && contact.front().id == row.contact) {
      event.identity = contact.front().identity;
    }
  }
  return event;
}

void Feed::show() {
  const bool wanted = closed_ || available();
  if (wanted == shown_ || !showing_) return;
  uint64_t count = 1;
  const ssize_t done =
      wanted ? ::write(handle_, &count, sizeof count) : ::read(handle_, &count, sizeof count);
  if (done == static_cast<ssize_t>(sizeof count)) shown_ = wanted;
}

}  // namespace wherry::engine
