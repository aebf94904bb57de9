// All sessions of the relay: finds the one that an answer of the core belongs to, and ends them.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "session.h"

namespace wherry::relay {

class Sessions final : public Output {
 public:
  // on_disk: told when the store fails (true) or works again (false).
  Sessions(Limiter& limiter, std::function<void(bool)> on_disk);

  // Makes a session for a stream of `address`. One that may not be ends with its first reply.
  template <class Kind>
  std::shared_ptr<Kind> make(SessionContext& context, const std::string& address) {
    auto session = std::make_shared<Kind>(next_id_++, context, address);
    add(session, address);
    return session;
  }
  // The stream has ended: also tells the core.
  void remove(const std::shared_ptr<Session>& session, InputQueue& queue);

  void end_overdue(std::chrono::steady_clock::time_point now);
  // New ones end at once, old ones read no more.
  void stop_reading();
  void say_goodbye();

  void results(SessionId session, const std::vector<ResultRun>& runs, std::size_t cost) override;
  void opened(SessionId session, std::uint32_t slot, Outcome outcome, bool created) override;
  void deliver(SessionId session, std::vector<Delivery> deliveries) override;
  void drop(SessionId session, std::uint32_t slot, std::size_t bytes) override;
  void bundle(SessionId session, std::uint64_t request, Outcome outcome,
              std::string bundle) override;
  void disk_failed(bool failed) override;

 private:
  struct Entry {
    std::shared_ptr<Session> session;
    std::string address;
    bool counted = false;
  };

  void add(const std::shared_ptr<Session>& session, const std::string& address);
  std::shared_ptr<Session> find(SessionId id) const;
  std::vector<std::shared_ptr<Session>> all() const;

  Limiter& limiter_;
  const std::function<void(bool)> on_disk_;
  std::atomic<SessionId> next_id_{1};
  mutable std::mutex mutex_;
  std::unordered_map<SessionId, Entry> sessions_;
  bool stopped_ = false;
};

}  // namespace wherry::relay
