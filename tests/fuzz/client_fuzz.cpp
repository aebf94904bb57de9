// The centralized transport, driven through transport.h, against a relay that says anything at any
// time. Beyond the rules of transport.h that TransportHost checks:
//
//   - The client keeps the limits of relay.proto: frames, slots, what is unanswered; its proofs fit
//     the stream's challenge; it acknowledges only what came on this link.
//   - Nothing comes from an inbox that the host gave up.
//   - When the link is over, every envelope that was accepted has its report, every request its
//     answer, but for those of removed peers.
#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <set>

#include "fuzz.h"
#include "plan.h"
#include "scripted_link.h"
#include "tests/support/transport_host.h"
#include "transports/centralized/plugin.h"
#include "transports/relay/limits.h"

namespace {

using namespace wherry::transports;
using namespace wherry::transports::centralized;
using wherry::fuzz::OpenDialler;
using wherry::fuzz::Wire;
using wherry::fuzz::Wires;
using wherry::test::Bytes;

constexpr int kActionsMax = 200;
constexpr int64_t kLimit_ms = 30'000;
constexpr uint64_t kIds = 3;  // inboxes and peers have the ids 1..kIds
constexpr const char* kRelay = "wr1:relay.example:443/CQAAAAAAAAAAAAAAAAAAAA";

std::int32_t create(wherry_transport** transport, const wherry_transport_host_api* api,
                    wherry_transport_host* host, const wherry_setting* settings,
                    std::size_t count) {
  return create_client(transport, api, host, settings, count, Wires::make_link, OpenDialler::make);
}

const wherry_transport_plugin& table() {
  static const wherry_transport_plugin made = table_of(create);
  return made;
}

// What the relay learnt of one link, and is held against.
struct Heard {
  std::string challenge = std::string(32, 'c');
  size_t unanswered_bytes = 0;
  std::deque<size_t> sizes;
  std::uint32_t last_slot = 0;
  std::set<std::pair<std::uint32_t, std::uint32_t>> delivered;
  std::uint32_t last_number = 0;
};

class Play {
 public:
  explicit Play(wherry::fuzz::Plan& plan)
      : plan_(plan), host_(table(), pump_, {{"relay", kRelay}}) {
    must(host_.create() == WHERRY_TRANSPORT_OK);
    must(host_.start() == WHERRY_TRANSPORT_OK);
    await_link();
  }

  void act() {
    const uint8_t kind = plan_.u8();
    if (kind < 0x60) {
      host_acts(kind % 12);
    } else {
      relay_acts(kind % 12);
    }
    tidy();
  }

  void finish() {
    end_link(WHERRY_REASON_TRANSPORT_OFFLINE);
    tidy();
    for (const uint64_t id : accepted_) must(removed_.contains(id) || host_.last_sent(id));
    for (const uint64_t id : requests_) must(host_.bundle(id).has_value());
    must(host_.stop_and_wait(kLimit_ms));
    tidy();
    host_.destroy();
    Wires::fresh();
    must(host_.violations().empty());
  }

 private:
  Wire& wire() { return *wire_; }

  // The worker has dialled: both lanes are greeted and read.
  void await_link() {
    ++links_;
    std::unique_lock lock(wires_.mutex);
    must(wires_.changed.wait_for(lock, std::chrono::milliseconds(kLimit_ms),
                                 [this] { return wires_.all.size() == links_; }));
    wire_ = wires_.all.back();
    lock.unlock();
    std::unique_lock inner(wire().mutex);
    must(wire().changed.wait_for(inner, std::chrono::milliseconds(kLimit_ms),
                                 [this] { return wire().reading[0] && wire().reading[1]; }));
    heard_ = {};
  }

  void end_lane(Wire& which, size_t lane, std::int32_t reason) {
    if (std::exchange(which.ended[lane], true)) return;
    which.listener->on_ended(which.number, static_cast<Lane>(lane), reason, "over");
  }
  void end_link(std::int32_t reason) {
    for (size_t lane = 0; lane < kLanes; ++lane) end_lane(wire(), lane, reason);
  }

  // Looks at what the client did; ends what it cancelled.
  void tidy() {
    std::vector<v1::SubmitRequest> submits;
    std::vector<v1::ReceiveRequest> receives;
    bool cancelled = false;
    {
      const std::lock_guard lock(wire().mutex);
      submits = std::exchange(wire().submits, {});
      receives = std::exchange(wire().receives, {});
      cancelled = wire().cancelled;
    }
    for (const auto& frame : submits) judge(frame);
    for (const auto& frame : receives) judge(frame);
    if (cancelled) end_link(WHERRY_REASON_TRANSPORT_OFFLINE);
    judge_received();
    must(host_.violations().empty());
  }

  void judge(const v1::SubmitRequest& frame) {
    size_t envelopes = 0;
    size_t bytes = 0;
    for (const auto& group : frame.groups()) {
      must(group.inbox().size() == 16 && group.token().size() == 16);
      for (const auto& envelope : group.envelopes()) {
        must(!envelope.empty() && envelope.size() <= wherry::relay::kEnvelopeSizeMax);
        ++envelopes;
        bytes += envelope.size();
        heard_.sizes.push_back(envelope.size());
      }
    }
    must(envelopes <= wherry::relay::kFrameEnvelopesMax);
    must(bytes <= wherry::relay::kFrameEnvelopeBytesMax);
    heard_.unanswered_bytes += bytes;
    must(heard_.sizes.size() <= kUnansweredEnvelopesMax);
    must(heard_.unanswered_bytes <= kUnansweredBytesMax);
    must(frame.puts_size() + frame.gets_size() <= kFrameBundlesMax);
    for (const auto& get : frame.gets()) last_request_ = get.request();
    for (const auto& put : frame.puts()) last_request_ = put.request();
  }

  void judge(const v1::ReceiveRequest& frame) {
    must(frame.opens_size() <= kFrameOpensMax && frame.acks_size() <= kFrameAcksMax);
    Challenge challenge{};
    std::copy_n(heard_.challenge.begin(), challenge.size(), challenge.begin());
    for (const auto& open : frame.opens()) {
      must(open.slot() > heard_.last_slot);
      heard_.last_slot = open.slot();
      PublicKey key{};
      TokenHash token{};
      Signature signature{};
      must(open.key().size() == 32 && open.token_hash().size() == 32);
      must(open.signature().size() == 64);
      std::copy_n(open.key().begin(), 32, key.begin());
      std::copy_n(open.token_hash().begin(), 32, token.begin());
      std::copy_n(open.signature().begin(), 64, signature.begin());
      must(verify(signature, open_proof(Pin{9}, challenge, token), key));
    }
    for (const std::uint32_t slot : frame.closes()) must(slot <= heard_.last_slot);
    for (const auto& ack : frame.acks()) {
      must(ack.first() <= ack.last());
      for (std::uint64_t number = ack.first(); number <= ack.last(); ++number) {
        must(heard_.delivered.erase({ack.slot(), static_cast<std::uint32_t>(number)}) == 1);
      }
    }
  }

  void judge_received() {
    const auto fresh = host_.received_since(seen_);
    seen_ += fresh.size();
    for (const auto& one : fresh) must(open_inboxes_.contains(one.inbox));
    waiting_.insert(waiting_.end(), fresh.begin(), fresh.end());
  }

  void host_acts(int kind) {
    const uint64_t id = 1 + plan_.u8() % kIds;
    switch (kind) {
      case 0:
        if (host_.open_inbox(id, Bytes(32, static_cast<uint8_t>(id))) == WHERRY_TRANSPORT_OK) {
          open_inboxes_.insert(id);
        }
        return;
      case 1:
        must((host_.close_inbox(id) == WHERRY_TRANSPORT_OK) == (open_inboxes_.erase(id) == 1));
        return;
      case 2:
        host_.add_peer(id, endpoint(plan_.u8()));
        return;
      case 3:
        if (host_.remove_peer(id) != WHERRY_TRANSPORT_OK) return;
        removed_.insert(peer_sends_[id].begin(), peer_sends_[id].end());
        return;
      case 4:
        return send(id);
      case 5: {
        const size_t count = std::min<size_t>(1 + plan_.u8(), waiting_.size());
        const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
        host_.ack(std::vector<wherry::test::Received>(waiting_.begin(), end));
        waiting_.erase(waiting_.begin(), end);
        return;
      }
      case 6:
        host_.set_room(plan_.u8() % 4);
        return;
      case 7:
        host_.set_room(std::nullopt);
        return host_.resume_receive();
      case 8: {
        const uint64_t request = ++requested_;
        if (host_.get_bundle(request, endpoint(id), Bytes(32, plan_.u8())) == WHERRY_TRANSPORT_OK) {
          requests_.push_back(request);
        }
        return;
      }
      case 9: {
        const uint64_t request = ++requested_;
        const Bytes bundle(plan_.u8(), 'b');
        if (host_.put_bundle(request, Bytes(32, 1), Bytes(32, 2), bundle, plan_.u8()) ==
            WHERRY_TRANSPORT_OK) {
          requests_.push_back(request);
        }
        return;
      }
      default:
        return reconnect(kind == 11);
    }
  }

  // A new link, when the old one is gone or the network changed.
  void reconnect(bool network) {
    const bool down = host_.state() == WHERRY_TRANSPORT_STATE_DEGRADED;
    if (!network && !down) return;
    if (links_ >= 8) return;
    if (network) {
      host_.update(WHERRY_CHANGE_NETWORK);
    } else {
      must(host_.connect_peer(0) == WHERRY_TRANSPORT_OK);
    }
    tidy();
    await_link();
  }

  std::string endpoint(uint64_t which) {
    const std::array<uint8_t, 32> secret{static_cast<uint8_t>(which)};
    const InboxKeys keys{std::span<const uint8_t, 32>(secret)};
    return to_text(RelayEndpoint{*parse_relay_address(kRelay), keys.id, keys.token});
  }

  void send(uint64_t peer) {
    const Bytes envelope(plan_.u16() % (WHERRY_ENVELOPE_SIZE_MAX + 2), 'e');
    std::vector<wherry_outgoing> envelopes(1 + plan_.u8());
    for (auto& one : envelopes) one = {peer, 0, ++last_send_, {envelope.data(), envelope.size()}};
    size_t accepted = 0;
    host_.send(envelopes, &accepted);
    for (size_t i = 0; i < accepted; ++i) {
      accepted_.push_back(envelopes[i].send_id);
      peer_sends_[peer].insert(envelopes[i].send_id);
    }
  }

  void relay_acts(int kind) {
    if (kind == 11 && plan_.u8() % 4 == 0) {
      const size_t lane = plan_.u8() % kLanes;
      return end_lane(wire(), lane, 1 + plan_.u8() % 8);
    }
    if (kind <= 1) return written(static_cast<size_t>(kind));
    v1::SubmitReply submit;
    v1::ReceiveReply receive;
    switch (kind) {
      case 2:
        welcome(*submit.mutable_welcome());
        return say(0, submit);
      case 3:
        welcome(*receive.mutable_welcome());
        return say(1, receive);
      case 4:
      case 5:
        for (int i = 0; i < 1 + kind % 2; ++i) add_result(submit);
        return say(0, submit);
      case 6: {
        auto* bundle = submit.add_bundles();
        bundle->set_request(last_request_ - plan_.u8() % 3u);
        bundle->set_outcome(static_cast<v1::Outcome>(plan_.u8() % 9));
        bundle->set_bundle(std::string(plan_.u16() % 5000, 'b'));
        return say(0, submit);
      }
      case 7:
      case 8: {
        auto* opened = receive.add_opened();
        opened->set_slot(heard_.last_slot - plan_.u8() % 4u);
        opened->set_outcome(static_cast<v1::Outcome>(kind == 7 ? 1 : plan_.u8() % 9));
        return say(1, receive);
      }
      case 9:
        deliver(receive);
        return say(1, receive);
      default:
        return say_raw();
    }
  }

  void written(size_t lane) {
    {
      const std::lock_guard lock(wire().mutex);
      if (wire().ended[lane] || !std::exchange(wire().writing[lane], false)) return;
    }
    wire().listener->on_written(wire().number, static_cast<Lane>(lane));
  }

  void welcome(v1::Welcome& welcome) {
    const uint8_t how = plan_.u8();
    welcome.set_version(how == 0xff ? 2 : 1);
    welcome.set_store_id(std::string(how == 0xfe ? 15 : 16, how % 8 == 7 ? 't' : 's'));
    welcome.set_challenge(std::string(how == 0xfd ? 33 : 32, 'c'));
  }

  void add_result(v1::SubmitReply& submit) {
    auto* result = submit.add_results();
    const uint8_t how = plan_.u8();
    result->set_count(how == 0xff ? UINT32_MAX : how % 32);
    result->set_outcome(static_cast<v1::Outcome>(plan_.u8() % 9));
  }

  void deliver(v1::ReceiveReply& receive) {
    auto* delivery = receive.add_deliveries();
    delivery->set_slot(heard_.last_slot - plan_.u8() % 4u);
    const uint32_t count = 1 + plan_.u8();
    const size_t size = plan_.u16() % (WHERRY_ENVELOPE_SIZE_MAX + 2);
    for (uint32_t i = 0; i < count && size * (i + 1) <= 512 * 1024; ++i) {
      delivery->add_numbers(++heard_.last_number);
      delivery->add_envelopes(std::string(size, 'e'));
    }
    if (plan_.u8() >= 0xf0) delivery->add_numbers(heard_.last_number);
  }

  void say_raw() {
    const size_t lane = plan_.u8() % 2;
    const auto bytes = plan_.bytes(plan_.u8());
    v1::SubmitReply submit;
    v1::ReceiveReply receive;
    if (lane == 0 && submit.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
      say(0, submit);
    } else if (lane == 1 && receive.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
      say(1, receive);
    }
  }

  void note(const v1::SubmitReply& frame) {
    for (const auto& result : frame.results()) {
      for (uint32_t i = 0; i < result.count() && !heard_.sizes.empty(); ++i) {
        heard_.unanswered_bytes -= heard_.sizes.front();
        heard_.sizes.pop_front();
      }
    }
  }
  void note(const v1::ReceiveReply& frame) {
    for (const auto& delivery : frame.deliveries()) {
      for (const uint32_t number : delivery.numbers()) {
        heard_.delivered.insert({delivery.slot(), number});
      }
    }
    if (frame.welcome().challenge().size() == 32) heard_.challenge = frame.welcome().challenge();
  }

  template <class Frame>
  void say(size_t lane, Frame& frame) {
    {
      const std::lock_guard lock(wire().mutex);
      if (wire().ended[lane] || !std::exchange(wire().reading[lane], false)) return;
    }
    note(frame);
    wire().listener->on_frame(wire().number, frame);
  }

  wherry::fuzz::Plan& plan_;
  Wires& wires_ = Wires::fresh();
  wherry::test::RealPump pump_;
  wherry::test::TransportHost host_;
  std::shared_ptr<Wire> wire_;
  Heard heard_;
  size_t links_ = 0;
  std::set<uint64_t> open_inboxes_;
  std::vector<wherry::test::Received> waiting_;  // for an acknowledgement
  size_t seen_ = 0;
  uint64_t last_send_ = 0;
  std::vector<uint64_t> accepted_;
  std::map<uint64_t, std::set<uint64_t>> peer_sends_;
  std::set<uint64_t> removed_;
  uint64_t requested_ = 0;
  std::vector<uint64_t> requests_;
  uint64_t last_request_ = 0;
};

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  wherry::fuzz::Plan plan(data, size);
  Play play(plan);
  for (int i = 0; i < kActionsMax && !plan.empty(); ++i) play.act();
  play.finish();
  return 0;
}
