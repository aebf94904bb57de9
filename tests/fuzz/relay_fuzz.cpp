// A relay and several clients: the input is what they do, in any order, and when its disk fails.
// What must hold is in relay_model.h; and on each stream, that replies keep the limits of
// relay.proto, that there is one Welcome and nothing after a Goodbye, and that in the end each
// envelope has its result.
#include <algorithm>
#include <array>
#include <memory>

#include "fuzz.h"
#include "plan.h"
#include "relay_model.h"
#include "transports/common/relay_keys.h"

namespace {

using namespace wherry::relay;
using wherry::fuzz::Plan;
namespace transports = wherry::transports;

constexpr int kActionsMax = 200;
constexpr size_t kEnvelopesMax = 4000;
constexpr size_t kInboxes = 3;
// A budget with room for the window of one reader, but not for those of three; and one that has
// hardly an envelope for each.
constexpr size_t kWindowsBytes = size_t{10} * 1024 * 1024;
constexpr size_t kWindowsBytesSmall = 100'000;

std::string text(std::span<const uint8_t> bytes) {
  return {bytes.begin(), bytes.end()};
}

const transports::InboxKeys& inbox_keys(size_t which) {
  static const std::array<transports::InboxKeys, kInboxes> all = [] {
    const auto make = [](uint8_t seed) {
      const std::array<uint8_t, 32> secret{seed};
      return transports::InboxKeys(std::span<const uint8_t, 32>(secret));
    };
    return std::array<transports::InboxKeys, kInboxes>{make(1), make(2), make(3)};
  }();
  return all[which % kInboxes];
}

// A client's end of one stream.
template <class Kind>
class Stream {
 public:
  Stream(RelayModel& relay, const std::string& address)
      : relay_(relay), session_(relay.sessions().make<Kind>(relay.context(), address)) {}

  void send(const typename Kind::Request& frame) {
    if (session_->ready_to_read()) session_->on_frame(frame);
  }
  void greet(uint32_t min = 1, uint32_t max = 1) {
    typename Kind::Request frame;
    frame.mutable_hello()->set_version_min(min);
    frame.mutable_hello()->set_version_max(max);
    send(frame);
    read();
  }
  // Everything that the relay has to say, or `most` replies of it: the last one is being written
  // then.
  void read(size_t most = SIZE_MAX) {
    typename Kind::Reply reply;
    for (size_t i = 0; i < most; ++i) {
      relay_.written(id());
      if (!session_->take_reply(reply)) break;
      must(!over_ && reply.ByteSizeLong() <= kFrameSizeMax);
      if (reply.has_welcome()) {
        must(std::exchange(welcomed_, true) == false);
        std::copy_n(reply.welcome().challenge().begin(), challenge.size(), challenge.begin());
      }
      over_ = reply.has_goodbye();
      must(welcomed_ || over_);
      count(reply);
    }
    must(session_->finished() == over_);
  }
  void hang_up() { relay_.sessions().remove(session_, relay_); }
  bool over() const { return over_; }
  SessionId id() const { return session_->id(); }

  transports::Challenge challenge{};
  size_t answers = 0;  // results, or envelopes

 private:
  void count(const v1::SubmitReply& reply) {
    for (const auto& result : reply.results()) answers += result.count();
    must(answers <= relay_.submitted(id()));
  }
  void count(const v1::ReceiveReply& reply) {
    for (const auto& delivery : reply.deliveries()) {
      must(delivery.numbers_size() == delivery.envelopes_size() && delivery.numbers_size() > 0);
      for (const uint32_t number : delivery.numbers())
        relay_.writing(id(), delivery.slot(), number);
      answers += static_cast<size_t>(delivery.numbers_size());
    }
  }

  RelayModel& relay_;
  const std::shared_ptr<Kind> session_;
  bool welcomed_ = false;
  bool over_ = false;
};

class Play {
 public:
  Play(Plan& plan, uint32_t pages_max, size_t windows_bytes_max)
      : plan_(plan), relay_(pages_max, windows_bytes_max) {
    for (size_t i = 0; i < kStreams; ++i) {
      renew(submits_[i]);
      renew(receives_[i]);
    }
  }

  void act() {
    const uint8_t kind = plan_.u8();
    const uint8_t drawn = plan_.u8();
    const size_t who = drawn % kStreams;
    switch (kind % 15) {
      case 0:
        return submits_[who]->greet(1, 1 + plan_.u8() % 2);
      case 1:
        return receives_[who]->greet(plan_.u8() % 3, 1);
      case 2:
        return open(*receives_[who]);
      case 3:
        return submit(*submits_[who]);
      case 4:
        return acknowledge(*receives_[who]);
      case 5:
        return close(*receives_[who]);
      case 6:
        return put(*submits_[who]);
      case 7:
        return get(*submits_[who]);
      case 8:
        return send_raw(*submits_[who]);
      case 9:
        return send_raw(*receives_[who]);
      case 10:
        return relay_.apply();
      case 11:
        return submits_[who]->read();
      case 12:
        return receives_[who]->read(drawn >= 0x80 ? 1 : SIZE_MAX);
      case 13:
        if (plan_.u8() % 2 == 0) return renew(submits_[who]);
        return renew(receives_[who]);
      default:
        return disturb();
    }
  }

  // The disk works again, and everybody reads on: all that is owed comes, to those who read now
  // and to those who come back.
  void settle() {
    relay_.store().fail = relay_.store().fail_at_once = false;
    relay_.pass(2);
    relay_.apply();
    for (auto& stream : receives_) stream->read();
    relay_.apply();  // what they were told to drop is given back
    for (auto& stream : receives_) {
      if (!stream->over()) relay_.expect_nothing_dropped(stream->id());
      while (acknowledge_all(*stream)) {
      }
      if (!stream->over()) relay_.expect_served(stream->id());
    }
    for (size_t i = 0; i < kStreams; ++i) {
      submits_[i]->read();
      receives_[i]->read();
      if (!submits_[i]->over()) must(submits_[i]->answers == relay_.submitted(submits_[i]->id()));
      submits_[i]->hang_up();
      receives_[i]->hang_up();
    }
    relay_.apply();
    for (const InboxId& inbox : relay_.inboxes()) drain(inbox);
  }

 private:
  static constexpr size_t kStreams = 3;
  using Submits = Stream<SubmitSession>;
  using Receives = Stream<ReceiveSession>;

  template <class Kind>
  void renew(std::unique_ptr<Stream<Kind>>& stream) {
    if (stream) stream->hang_up();
    stream = std::make_unique<Stream<Kind>>(relay_, "somewhere");
  }

  void add_open(v1::ReceiveRequest& frame, const Receives& stream, size_t which, uint32_t slot,
                const TokenHash& token, bool good = true) {
    const transports::InboxKeys& keys = inbox_keys(which);
    const transports::Pin pin{static_cast<uint8_t>(good ? 9 : 8)};
    auto* open = frame.add_opens();
    open->set_slot(slot);
    open->set_key(text(keys.key->public_key()));
    open->set_token_hash(text(token));
    open->set_signature(text(keys.key->sign(transports::open_proof(pin, stream.challenge, token))));
  }

  void open(Receives& stream) {
    v1::ReceiveRequest frame;
    const uint8_t how = plan_.u8();
    const uint32_t slot = how >= 0xf0 ? plan_.u8() : ++last_slot_;
    const size_t which = how % kInboxes;
    const auto& token = inbox_keys(which + (how / 4 % 4 == 3 ? 1 : 0)).token_hash;
    add_open(frame, stream, which, slot, token, how / 16 % 4 != 3);
    stream.send(frame);
  }

  void submit(Submits& stream) {
    v1::SubmitRequest frame;
    const uint8_t how = plan_.u8();
    const uint8_t seed = plan_.u8();
    const size_t size = 1 + plan_.u16() % kEnvelopeSizeMax;
    const size_t drawn = 1 + (how >= 0x80 ? plan_.u16() % kFrameEnvelopesMax : 0);
    // Little more than a frame may hold, to be fast.
    const size_t count = std::min(drawn, kFrameEnvelopeBytesMax / size + 1);
    envelopes_ += count;
    if (envelopes_ > kEnvelopesMax) return;
    auto* group = frame.add_groups();
    const size_t which = how % 0x80;
    group->set_inbox(text(inbox_keys(which).id));
    group->set_token(text(inbox_keys(how / 4 % 4 == 3 ? which + 1 : which).token));
    for (size_t i = 0; i < count; ++i) {
      std::string body(size, static_cast<char>(seed));
      body[0] = static_cast<char>(i);
      body[size / 2] = static_cast<char>(i >> 8);
      group->add_envelopes(std::move(body));
    }
    stream.send(frame);
  }

  void acknowledge(Receives& stream) {
    v1::ReceiveRequest frame;
    auto* ack = frame.add_acks();
    ack->set_slot(last_slot_ - plan_.u8() % 4u);
    ack->set_first(plan_.u8());
    const uint32_t count = plan_.u16();
    ack->set_last(count == 0xffff ? UINT32_MAX : ack->first() + count);
    stream.send(frame);
  }

  // True when more came.
  bool acknowledge_all(Receives& stream) {
    v1::ReceiveRequest frame;
    for (uint32_t slot = 0; slot <= std::max(last_slot_, uint32_t{UINT8_MAX}); ++slot) {
      auto* ack = frame.add_acks();
      ack->set_slot(slot);
      ack->set_last(UINT32_MAX);
    }
    const size_t before = stream.answers;
    stream.send(frame);
    relay_.apply();
    stream.read();
    return stream.answers != before;
  }

  void close(Receives& stream) {
    v1::ReceiveRequest frame;
    frame.add_closes(last_slot_ - plan_.u8() % 4u);
    stream.send(frame);
  }

  void put(Submits& stream) {
    v1::SubmitRequest frame;
    const uint8_t how = plan_.u8();
    const transports::Locator locator{static_cast<uint8_t>(how % 2)};
    const std::array<uint8_t, 32> owner{static_cast<uint8_t>(how / 2 % 2)};
    const auto key = transports::bundle_key(std::span<const uint8_t, 32>(owner), locator);
    const std::string bundle(1 + plan_.u16() % kBundleSizeMax, static_cast<char>(how));
    const uint32_t seconds = 1 + plan_.u8();
    auto* one = frame.add_puts();
    one->set_request(how);
    one->set_locator(text(locator));
    one->set_owner_key(text(key->public_key()));
    one->set_signature(text(key->sign(transports::put_proof(
        transports::Pin{9}, stream.challenge, locator, how >= 0xf0 ? 1 : seconds,
        {reinterpret_cast<const uint8_t*>(bundle.data()), bundle.size()}))));
    one->set_bundle(bundle);
    one->set_time_to_live_s(seconds);
    stream.send(frame);
  }

  void get(Submits& stream) {
    v1::SubmitRequest frame;
    auto* one = frame.add_gets();
    one->set_request(plan_.u8());
    one->set_locator(text(transports::Locator{static_cast<uint8_t>(one->request() % 2)}));
    stream.send(frame);
  }

  template <class Kind>
  void send_raw(Stream<Kind>& stream) {
    typename Kind::Request frame;
    const auto bytes = plan_.bytes(plan_.u8());
    if (frame.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) stream.send(frame);
  }

  void disturb() {
    const uint8_t how = plan_.u8();
    if (how == 0xff) return relay_.sessions().say_goodbye();
    if (how < 0x80) return relay_.pass(how);
    relay_.store().fail = (how & 1) != 0;
    relay_.store().fail_at_once = (how & 2) != 0;
  }

  void drain(const InboxId& inbox) {
    relay_.pass(2);  // a disk that was full a moment ago is tried again
    size_t which = 0;
    while (inbox_keys(which).id != inbox) ++which;
    Receives stream(relay_, "elsewhere");
    stream.greet();
    v1::ReceiveRequest frame;
    add_open(frame, stream, which, 1, inbox_keys(which).token_hash);
    stream.send(frame);
    relay_.apply();
    relay_.expect_alone(stream.id());
    stream.read();
    while (acknowledge_all(stream)) {
    }
    relay_.expect_reader(inbox, stream.id());
    relay_.expect_served(stream.id());
    stream.hang_up();
    relay_.apply();
  }

  Plan& plan_;
  RelayModel relay_;
  std::array<std::unique_ptr<Submits>, kStreams> submits_;
  std::array<std::unique_ptr<Receives>, kStreams> receives_;
  uint32_t last_slot_ = 0;
  size_t envelopes_ = 0;
};

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Plan plan(data, size);
  const uint32_t limits = plan.u8();
  const bool small = limits % 2 != 0;
  Play play(plan, limits < 2 ? 0 : 12 + limits, small ? kWindowsBytesSmall : kWindowsBytes);
  for (int i = 0; i < kActionsMax && !plan.empty(); ++i) play.act();
  play.settle();
  return 0;
}
