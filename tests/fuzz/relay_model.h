// A relay without threads and sockets: sessions and core over the real store, applied a batch at a
// time; and beside it a model of what relay.proto promises, which every batch is held against.
//
//   - A result comes for each envelope, an answer for each Open, put and get, once.
//   - Only who has the token of an inbox stores there; while its owner reads it, who has it is not
//     told that it is gone.
//   - A reader gets envelopes of its own inboxes alone, with rising numbers, within its window.
//   - What sessions hold for readers is within the budget of all windows, but for an envelope each.
//     Nothing is acknowledged, or given back to the budget, while it is in memory; and once all
//     readers have gone, the whole budget is there again.
//   - What was reported STORED is delivered to the next reader until it is acknowledged, and not
//     after it. What the model can not know for sure (a batch that failed) it does not claim.
//   - A bundle that was reported STORED is what is found, until it expires or its owner replaces
//   it.
#ifndef WHERRY_TESTS_FUZZ_RELAY_MODEL_H
#define WHERRY_TESTS_FUZZ_RELAY_MODEL_H

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/integration/failing_store.h"
#include "transports/relay/sessions.h"

namespace wherry::relay {

class RelayModel final : public InputQueue, public Output {
 public:
  RelayModel(std::uint32_t pages_max, std::size_t windows_bytes_max);

  SessionContext& context() { return context_; }
  Sessions& sessions() { return sessions_; }
  test::FailingStore& store() { return store_; }

  // Works on all that was pushed, as one batch, and judges what came of it.
  void apply();
  // Time passes, and what has expired is swept.
  void pass(std::int64_t seconds);

  // Inboxes that somebody opened.
  std::vector<InboxId> inboxes() const;
  // A reply for this session has an envelope; the last one is out of memory.
  void writing(SessionId session, std::uint32_t slot, std::uint32_t number);
  void written(SessionId session);
  // The session reads this inbox.
  void expect_reader(const InboxId& inbox, SessionId session);
  // All that is owed to what this session reads was delivered to it, and acknowledged.
  void expect_served(SessionId session) const;
  // The session is the only reader: all that is owed is on its way, or its part of the budget is.
  void expect_alone(SessionId session) const;
  // The session has given back all that it was told to drop.
  void expect_nothing_dropped(SessionId session) const;
  std::size_t submitted(SessionId session) const;

  void push(Input input, std::size_t cost) override;
  bool crowded() const override { return false; }
  void results(SessionId session, const std::vector<ResultRun>& runs, std::size_t cost) override;
  void opened(SessionId session, std::uint32_t slot, Outcome outcome, bool created) override;
  void deliver(SessionId session, std::vector<Delivery> deliveries) override;
  void drop(SessionId session, std::uint32_t slot, std::size_t bytes) override;
  void bundle(SessionId session, std::uint64_t request, Outcome outcome, std::string body) override;
  void disk_failed(bool) override {}

 private:
  using Digest = std::int64_t;                        // stands for an envelope's bytes
  using Place = std::pair<SessionId, std::uint32_t>;  // a slot of a session
  // An envelope on its way to a reader. sure: it was stored under this number when it was
  // delivered.
  struct OnTheWay {
    Digest body = 0;
    std::size_t size = 0;
    bool sure = false;
  };
  // An envelope in a session's memory.
  struct InMemory {
    std::size_t cost = 0;
    bool writing = false;  // in the stream's reply
  };
  struct Inbox {
    std::optional<Place> reader;          // while it is known
    std::optional<TokenHash> token;       // likewise; nothing while it is closed
    std::set<TokenHash> tokens;           // that were ever given
    std::map<Digest, std::int64_t> owed;  // since when
    std::set<Digest> settled;             // acknowledged, and not stored since
    std::set<Digest> submitted;           // ever
  };
  struct Slot {
    InboxId inbox{};
    std::uint32_t last_number = 0;
    std::set<Digest> seen;
    std::map<std::uint32_t, OnTheWay> on_the_way;
  };
  struct StoredBundle {
    PublicKey owner{};
    std::int64_t expires_s = 0;
    std::string body;
  };

  static Digest digest(const std::string& body);
  Input note(const Input& input);
  void judge(const Submit& submit);
  void judge(const Open& open);
  void judge(const Close& close);
  void judge(const Ack& ack);
  void judge(const PutBundle& put);
  void judge(const GetBundle& get);
  void judge(const Dropped& dropped);
  void judge(const Hangup& hangup);
  void judge_deliveries();
  void judge_delivery(const Place& place, const Delivery& delivery);
  void judge_windows() const;
  void judge_memory() const;
  Slot* slot_of(const Place& place);  // nullptr: the model knows none
  void forget_reader(Inbox& inbox);

  test::FailingStore store_;
  Limiter limiter_;
  Sessions sessions_;
  const std::size_t windows_bytes_max_;
  Core core_;
  SessionContext context_;
  std::int64_t now_s_ = 1'800'000'000;
  std::vector<Input> queue_;

  // Of the batch that is judged.
  bool failed_ = false;
  std::map<SessionId, std::deque<Outcome>> results_;
  std::map<Place, Outcome> opened_;
  std::vector<std::pair<Place, Delivery>> delivered_;
  std::map<SessionId, std::deque<std::tuple<std::uint64_t, Outcome, std::string>>> bundle_answers_;
  std::map<InboxId, std::set<Digest>> submitted_now_;
  std::map<Locator, std::set<std::string>> put_now_;

  std::map<InboxId, Inbox> inboxes_;
  std::map<Place, Slot> slots_;
  std::map<Place, Slot> doubtful_;  // that may have lost their inbox, in a batch that failed
  std::map<Place, std::map<std::uint32_t, InMemory>> memory_;  // by number
  std::map<SessionId, std::size_t> dropped_;                   // bytes, not yet given back
  std::set<SessionId> ended_;
  std::map<Locator, StoredBundle> bundles_;
  std::map<SessionId, std::size_t> submitted_;
};

}  // namespace wherry::relay

#endif  // WHERRY_TESTS_FUZZ_RELAY_MODEL_H
