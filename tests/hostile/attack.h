// Ann is attacked by Mallory; Bob is her friend. Whatever a test lets Mallory do: at its end Ann
// and Bob still get everything once and in order, Ann keeps no more than her limits allow, and
// comes to rest. Where Mallory is still able to speak, she is still heard.
#pragma once

#include <gtest/gtest.h>

#include "hostile_peer.h"
#include "tests/support/texts.h"

namespace wherry::test {

class Attack : public testing::Test {
 protected:
  Attack();
  void TearDown() override;

  // Mallory becomes a contact by a true handshake: "hello" is what she says, and all is settled.
  void meet();
  // The other way round: Ann adds Mallory's card, and has written "first" to her.
  void add_mallory();
  Status accept();
  // Mallory says something true, which is heard at once.
  void expect_heard(const std::string& text);
  // Bob speaks while an attack goes on, and is heard within the second.
  void expect_bob_is_heard();

  // Ann's contact Mallory; 0: none.
  uint64_t contact() const;
  // Looks at or changes what Ann's engine holds of Mallory.
  void at_ann(const std::function<void(engine::Turn&, engine::Contact&)>& look);
  // Ann writes to Mallory.
  void write(const std::string& text);
  // What Ann's app was told of Mallory.
  Texts from_mallory() const;
  // Texts of their conversation as Ann has it.
  Texts history() const;
  uint64_t unacknowledged() const { return store::outbox_count(world.database(ann), contact()); }
  int32_t waiting() const;
  int security_events(int32_t reason) const {
    return world.count_events(ann, WHERRY_EVENT_SECURITY, reason);
  }
  // The number that a query on Ann's database gives; a string literal.
  uint64_t number(const char* sql) const;
  // Everything that strangers and contacts could make Ann keep, by counts.
  std::vector<uint64_t> kept() const;
  // What Ann's and Bob's transports were given so far.
  uint64_t envelopes() const { return world.envelopes(); }

  World world{1};
  FakeNet* more;  // another network, on which Mallory is not
  int ann = 0;
  int bob = 0;
  HostilePeer mallory;
  // Whether Mallory's newest session is one in which Ann listens.
  bool talks = false;

 private:
  Texts to_ann_{"hello"};
};

}  // namespace wherry::test
