// What the relay does with what clients ask: inboxes, envelopes, readers, bundles. No threads, no
// sockets, no clock: inputs and the time come in, answers go out through Output.
//
// A batch of inputs is one transaction. Deliveries to online readers go out while it runs, before
// the commit; everything else is answered after it, so that STORED means durable. When the commit
// fails, the batch is answered with DISK, nothing of it is stored, and for kDiskPauseS new
// envelopes are refused without touching the disk, while deletions go on and make room. What a
// failed transaction did not find may be there all the same: that is DISK too.
//
// Invariants: an envelope's number is never reused while the process lives, not even after a failed
// commit; so an acknowledgement cannot delete what its reader has not seen. A reader has at most
// its window on the way; the rest waits in the store.
//
// All windows share one budget of memory. A reader may take what leaves as much of it free as the
// reader holds: one alone may use half, and many that are slow have equal shares and leave one for
// who comes next (a dynamic threshold, Choudhury and Hahne 1998). Beyond the budget, a reader that
// holds less than kReaderShareMin may go up to that, so that nobody is starved by others who never
// acknowledge. What was delivered for an inbox that another reader took over counts until its
// session says that it is out of memory.
//
// Used by one thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "limits.h"
#include "store.h"

namespace wherry::relay {

using SessionId = std::uint64_t;

// As in relay.proto.
enum class Outcome : std::uint8_t {
  kLater = 0,
  kStored = 1,
  kFull = 2,
  kQuota = 3,
  kDisk = 4,
  kNotFound = 5,
  kNotAllowed = 6,
  kGone = 7,
};

// Inputs. Signatures, sizes and tokens' lengths are checked before they come here.

struct Submit {
  struct Group {
    InboxId inbox{};
    TokenHash token_hash{};
    std::vector<std::string> envelopes;
    std::vector<std::int64_t> hashes;  // of the envelopes
  };
  SessionId session = 0;
  std::vector<Group> groups;
  std::optional<Outcome> refused;  // decided before: only answered, in its turn
  std::size_t cost = 0;            // bytes that the session's flow control counts
};

struct Open {
  SessionId session = 0;
  std::uint32_t slot = 0;
  InboxId inbox{};
  TokenHash token_hash{};
  bool may_create = true;
  std::size_t cost = 0;
};

struct Close {
  SessionId session = 0;
  std::uint32_t slot = 0;
  std::size_t cost = 0;
};

struct Ack {
  SessionId session = 0;
  std::uint32_t slot = 0;
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  std::size_t cost = 0;
};

struct PutBundle {
  SessionId session = 0;
  std::uint64_t request = 0;
  Locator locator{};
  PublicKey owner_key{};
  std::uint32_t time_to_live_s = 0;
  std::string bundle;
  std::size_t cost = 0;
  bool may_be_new = true;  // else it has to replace one of its owner's
};

struct GetBundle {
  SessionId session = 0;
  std::uint64_t request = 0;
  Locator locator{};
  std::size_t cost = 0;
};

// Of what the session was told to drop, `bytes` are out of its memory.
struct Dropped {
  SessionId session = 0;
  std::size_t bytes = 0;
};

// The session's stream has ended.
struct Hangup {
  SessionId session = 0;
};

using Input = std::variant<Submit, Open, Close, Ack, PutBundle, GetBundle, Dropped, Hangup>;

// The outcome of the next `count` envelopes of a session.
struct ResultRun {
  std::uint32_t count = 0;
  Outcome outcome = Outcome::kLater;
};

struct Delivery {
  std::uint32_t slot = 0;
  std::uint32_t number = 0;
  std::string envelope;
};

// Answers; an unknown session is one that has ended meanwhile, and is ignored.
class Output {
 public:
  virtual ~Output() = default;
  // `cost` is the sum of the inputs' that were worked on since the last time.
  virtual void results(SessionId session, const std::vector<ResultRun>& runs, std::size_t cost) = 0;
  virtual void opened(SessionId session, std::uint32_t slot, Outcome outcome, bool created) = 0;
  virtual void deliver(SessionId session, std::vector<Delivery> deliveries) = 0;
  // The slot is no longer read on this session: what was delivered and is not yet written is not to
  // be. `bytes` are to be given back by Dropped, once no memory holds any of it.
  virtual void drop(SessionId session, std::uint32_t slot, std::size_t bytes) = 0;
  virtual void bundle(SessionId session, std::uint64_t request, Outcome outcome,
                      std::string bundle) = 0;
  // The store failed (true) or works again (false): for the log.
  virtual void disk_failed(bool failed) = 0;
};

class Core {
 public:
  // windows_bytes_max: the budget of all readers' windows.
  Core(Store& store, const Quotas& quotas, std::size_t windows_bytes_max, Output& output);

  // Applies and answers one batch.
  void apply(std::vector<Input> batch, std::int64_t now_s);

  // Deletes some of what has expired. Called about once a second; goes round all inboxes.
  void sweep(std::int64_t now_s);

 private:
  struct ReaderInbox {
    InboxId id{};
    std::int64_t row = 0;
    std::uint32_t cursor = 0;  // the last number that was delivered on this stream
    bool behind = false;       // the store may hold more after the cursor
  };
  struct Reader {
    std::unordered_map<std::uint32_t, ReaderInbox> slots;
    std::map<std::uint64_t, std::uint32_t> on_the_way;  // (slot, number) -> size
    std::size_t bytes = 0;                              // of them
    std::size_t dropped = 0;            // of the budget: what the session was told to drop
    bool waits = false;                 // is in waiting_
    std::size_t next_cost = 0;          // of an envelope for which the budget had no room; 0: none
    std::vector<std::uint32_t> behind;  // slots, each at most once
    std::vector<Delivery> out;          // of this batch

    // Of the budget.
    std::size_t held() const { return bytes + on_the_way.size() * kDeliveryCost + dropped; }
  };
  struct Online {
    SessionId session = 0;
    std::uint32_t slot = 0;
  };
  struct CachedInbox {
    InboxRow row;
    bool dirty = false;
  };
  struct Answers {
    std::vector<ResultRun> runs;
    std::size_t cost = 0;
  };
  struct OpenAnswer {
    SessionId session;
    std::uint32_t slot;
    Outcome outcome;
    InboxId inbox;
    TokenHash token_hash;
    bool created;
  };
  // A deletion that was asked for: repeated with the next batch until one is committed.
  struct Deletion {
    InboxId inbox{};
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    bool close = false;
  };
  struct BundleAnswer {
    SessionId session;
    std::uint64_t request;
    Outcome outcome;
    std::string bundle;
  };

  void apply_one(Submit& submit);
  void apply_one(Open& open);
  void apply_one(Close& close);
  void apply_one(Ack& ack);
  void apply_one(PutBundle& put);
  void apply_one(GetBundle& get);
  void apply_one(Dropped& dropped);
  void apply_one(Hangup& hangup);

  Outcome store_envelope(const InboxId& id, CachedInbox& inbox, std::int64_t hash,
                         std::string& envelope);
  void forward(const InboxRow& row, std::uint32_t number, std::string& envelope);
  CachedInbox* find(const InboxId& id);
  void touch(const InboxId& id, CachedInbox& inbox);
  void take_off(const InboxId& id, CachedInbox& inbox, const Removed& removed);
  void remove(const Deletion& deletion);
  void remember(const Deletion& deletion);
  void drop_slot(SessionId session, std::uint32_t slot);
  void mark_behind(Reader& reader, std::uint32_t slot, ReaderInbox& inbox);
  std::size_t room_for(const Reader& reader) const;
  void take(Reader& reader, std::uint32_t slot, std::uint32_t number, std::string envelope);
  bool fill_from(SessionId session, Reader& reader, std::uint32_t slot, std::size_t room);
  void fill_window(SessionId session, Reader& reader);
  void fill_windows();
  void read_again();
  void flush_deliveries();
  void write_inboxes();
  bool finish_batch();
  void recover();
  void answer(bool committed);
  void trim_cache();

  Store& store_;
  const Quotas quotas_;
  const std::size_t windows_bytes_max_;
  Output& output_;
  std::int64_t now_s_ = 0;
  std::int64_t paused_until_s_ = 0;  // the disk failed: no new envelopes until then
  bool disk_failed_ = false;
  bool inserted_ = false;         // this batch has stored an envelope
  std::int64_t sweep_after_ = 0;  // the row where the next sweep goes on

  struct HashInbox {
    std::size_t operator()(const InboxId& id) const;
  };
  std::unordered_map<InboxId, CachedInbox, HashInbox> inboxes_;
  std::vector<InboxId> dirty_;
  std::unordered_map<SessionId, Reader> readers_;
  std::unordered_map<std::int64_t, Online> online_;  // by the inbox's row
  std::unordered_set<SessionId> touched_;            // readers with deliveries or room
  std::size_t windows_bytes_ = 0;                    // the sum of what readers hold
  std::vector<SessionId> waiting_;                   // readers behind for want of budget, in order

  // Of the running batch, answered after its commit.
  std::unordered_map<SessionId, Answers> answers_;
  std::vector<OpenAnswer> opens_;
  std::vector<BundleAnswer> bundles_;
  std::vector<std::pair<SessionId, std::uint32_t>> read_out_;  // slots for which it found no more
  std::vector<Deletion> deletions_;  // of this batch and of those that failed before it
};

}  // namespace wherry::relay
