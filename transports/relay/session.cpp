// What both kinds of sessions share: hello, goodbye, the link to the stream.
#include "session.h"

#include <algorithm>
#include <utility>

#include "transports/common/crypto.h"

namespace wherry::relay {

Session::Session(SessionId id, SessionContext& context, std::string address)
    : id_(id),
      context_(context),
      address_(std::move(address)),
      began_(std::chrono::steady_clock::now()) {
  transports::random_bytes(challenge_);
}

void Session::attach(Wire* wire) {
  const std::lock_guard lock(wire_mutex_);
  wire_ = wire;
}

void Session::detach() {
  const std::lock_guard lock(wire_mutex_);
  wire_ = nullptr;
}

void Session::kick() {
  const std::lock_guard lock(wire_mutex_);
  if (wire_ != nullptr) wire_->kick();
}

void Session::say_goodbye(v1::Goodbye::Reason reason) {
  {
    const std::lock_guard lock(mutex_);
    end(reason);
  }
  kick();
}

void Session::stop_reading() {
  const std::lock_guard lock(mutex_);
  reading_stopped_ = true;
}

bool Session::finished() const {
  const std::lock_guard lock(mutex_);
  return goodbye_taken_;
}

bool Session::overdue(std::chrono::steady_clock::time_point now) const {
  const std::lock_guard lock(mutex_);
  return !greeted_ && now - began_ > std::chrono::seconds(kHelloDeadlineS);
}

void Session::end(v1::Goodbye::Reason reason) {
  if (ending_) return;
  ending_ = true;
  goodbye_ = reason;
}

bool Session::has_room() const {
  if (unprocessed_bytes_ == 0) return true;
  return unprocessed_bytes_ < kStreamUnprocessedBytesMax && !context_.queue.crowded();
}

void Session::worked_on(std::size_t cost) {
  unprocessed_bytes_ -= std::min(unprocessed_bytes_, cost);
}

void Session::accept_hello(const v1::Hello& hello) {
  greeted_ = true;
  if (hello.version_min() > hello.version_max()) {
    end(v1::Goodbye::PROTOCOL);
  } else if (hello.version_min() > kProtocolVersion || hello.version_max() < kProtocolVersion) {
    end(v1::Goodbye::VERSION);
  } else {
    welcome_due_ = true;
  }
}

void Session::fill_welcome(v1::Welcome& welcome) {
  welcome.set_version(kProtocolVersion);
  welcome.set_store_id(context_.store_id.data(), context_.store_id.size());
  welcome.set_challenge(challenge_.data(), challenge_.size());
  welcome_due_ = false;
}

// The core answers only what a session asked, so these come to none that did not override them.
void Session::opened(std::uint32_t, Outcome, bool) {}
void Session::deliver(std::vector<Delivery> unwanted) {
  unwanted.clear();
}
void Session::drop(std::uint32_t, std::size_t) {}
void Session::bundle(std::uint64_t, Outcome, std::string unwanted) {
  unwanted.clear();
}

}  // namespace wherry::relay
