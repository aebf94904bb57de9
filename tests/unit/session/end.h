// One end of a session as an engine would hold it: state, rows and tags, each step committed.
#ifndef WHERRY_TESTS_UNIT_SESSION_END_H
#define WHERRY_TESTS_UNIT_SESSION_END_H

#include <map>
#include <utility>

#include "seeded_random.h"
#include "session/tag_index.h"

namespace wherry::test {

// Rows in memory, by number.
class MemoryKeys : public session::KeyLookup {
 public:
  std::optional<session::KeyRow> find(const session::Tag& tag) override;
  std::optional<uint64_t> first_skipped(uint64_t from) override;
  uint32_t count_skipped(uint64_t below) override;

  void commit(const session::OpenStep& step);
  // Writes every row to bytes and reads it again.
  void reload();
  const std::map<uint64_t, session::KeyRow>& rows() const { return rows_; }

 private:
  std::map<uint64_t, session::KeyRow> rows_;
};

class End {
 public:
  explicit End(session::Ratchet state);

  // Seals a payload, and commits.
  session::SealStep seal(ByteView payload, uint64_t floor, Random& random, size_t size = 0);
  // Opens where the tags say, or by trial, and commits what was opened.
  Result<session::OpenStep> open(ByteView envelope);
  // What a restart does: state, rows and tags through their stored forms.
  void reload();

  const session::Ratchet& state() const { return state_; }
  MemoryKeys& keys() { return keys_; }
  const session::TagIndex& tags() const { return tags_; }
  // Whether the last open() knew the place by the tag.
  bool placed() const { return placed_; }

 private:
  session::Ratchet state_;
  MemoryKeys keys_;
  session::TagIndex tags_;
  bool placed_ = false;
};

// Two ends after an imagined handshake: initiator, responder.
std::pair<End, End> make_ends(Random& random);

}  // namespace wherry::test

#endif  // WHERRY_TESTS_UNIT_SESSION_END_H
