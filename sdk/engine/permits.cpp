// Asking the permits of an open profile.
#include "engine/permits.h"

#include <algorithm>

#include "base/mutant.h"
#include "policy/reveals.h"

namespace wherry::engine {
namespace {

wherry_reveals announced_by(const Contact& contact) {
  const std::optional<std::vector<uint32_t>>* list = nullptr;
  if (contact.theirs) {
    list = &contact.theirs->permits;
  } else if (contact.card) {
    list = &contact.card->permits;
  }
  if (mutant(Mutant::kTheirsIgnored)) return policy::everything();
  return list != nullptr && *list ? policy::from_list(**list) : policy::everything();
}

bool same(const wherry_reveals& a, const wherry_reveals& b) {
  return policy::within(a, b) && policy::within(b, a);
}

// Whether the network is what the contact's last word is about: it goes there, or they write there.
bool is_being_left(const Profile& profile, const Contact& contact, const Network& network) {
  const auto& leaving = contact.conversation.leaving;
  if (!leaving || !policy::within(network.listening, leaving->before)) return false;
  const store::InboxRow* inbox =
      profile.inbox_of(store::InboxKind::kContact, contact.row.id, network.id());
  const auto& in_use = contact.ways.in_use;
  return (inbox != nullptr && inbox->told()) ||
         (in_use && in_use->transport == profile.transports.at(network.id()).name);
}

}  // namespace

policy::Permits permits_of(const Profile& profile, const Contact& contact) {
  return {profile.permits, contact.conversation.permits, announced_by(contact)};
}

wherry_reveals own_permits(const Profile& profile, const Contact& contact) {
  return policy::intersect(profile.permits, contact.conversation.permits);
}

std::optional<std::vector<uint32_t>> announced_permits(const Profile& profile,
                                                       const Contact& contact) {
  const wherry_reveals mine = own_permits(profile, contact);
  if (same(mine, policy::everything())) return std::nullopt;
  return policy::to_list(mine);
}

Admission admission_of(const Profile& profile, const Contact& contact,
                       const wherry_reveals& reveals) {
  policy::Permits permits = permits_of(profile, contact);
  if (policy::within(reveals, permits.all())) return Admission::kPermitted;
  if (!contact.conversation.leaving) return Admission::kForbidden;
  permits.profile = permits.mine = contact.conversation.leaving->before;
  return policy::within(reveals, permits.all()) ? Admission::kLastWord : Admission::kForbidden;
}

bool may_listen(const Profile& profile, const Contact& contact, const wherry_reveals& listening) {
  if (mutant(Mutant::kListensUnpermitted)) return true;
  return policy::within(listening, profile.permits) &&
         policy::within(listening, contact.conversation.permits);
}

bool may_be_open(const Profile& profile, const Network& network, const store::InboxRow& inbox) {
  if (inbox.kind == store::InboxKind::kCard) {
    return policy::within(network.listening, profile.permits);
  }
  const auto owner = profile.contacts.find(inbox.owner);
  return owner != profile.contacts.end() &&
         (may_listen(profile, *owner->second, network.listening) ||
          is_being_left(profile, *owner->second, network));
}

bool may_be_online(const Profile& profile, const Network& network) {
  return policy::within(network.listening, profile.permits) ||
         std::ranges::any_of(profile.contacts, [&](const auto& entry) {
           return is_being_left(profile, *entry.second, network);
         });
}

void note_revealed(Turn& turn, Contact& contact, const wherry_reveals& reveals) {
  if (policy::within(reveals, contact.conversation.revealed)) return;
  contact.conversation.revealed = policy::unite(contact.conversation.revealed, reveals);
  turn.changed_conversation(contact);
}

}  // namespace wherry::engine
