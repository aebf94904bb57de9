// Letting in and taking.
#include "door.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <zmq_addon.hpp>

#include "include/wherry/transport.h"
#include "limits.h"
#include "sockets.h"

namespace wherry::transports::p2p {

using links::FrameKind;

namespace {

constexpr const char* kZapDomain = "wherry";
constexpr int kFramesAtOnce = 8;

std::span<const std::uint8_t> bytes_of(const zmq::message_t& message) {
  return {static_cast<const std::uint8_t*>(message.data()), message.size()};
}

// The admission by which the ZAP handler let this message's sender in; 0: none.
std::uint64_t admission_of(const zmq::message_t& message) {
  const char* name = ::zmq_msg_gets(message.handle(), "User-Id");
  std::uint64_t number = 0;
  if (name != nullptr) std::from_chars(name, name + std::strlen(name), number);
  return number;
}

}  // namespace

Door::Door(zmq::context_t& context, Intake& intake, const Key& secret, std::uint16_t meeting_port,
           std::uint64_t receipts, Taker taker)
    : zap_(context, zmq::socket_type::rep),
      router_(context, zmq::socket_type::router),
      meetings_(router_),
      callers_(context, router_, intake, meetings_, meeting_port),
      taker_(std::move(taker)),
      next_receipt_(receipts + 1) {
  zap_.set(zmq::sockopt::linger, 0);
  zap_.bind("inproc://zeromq.zap.01");
  set_up(router_);
  router_.set(zmq::sockopt::router_mandatory, true);
  router_.set(zmq::sockopt::rcvhwm, kFramesQueued);
  router_.set(zmq::sockopt::sndhwm, kFramesQueued * 4);
  router_.set(zmq::sockopt::reconnect_ivl, milliseconds(kMeetingAgain));
  router_.set(zmq::sockopt::curve_server, true);
  router_.set(zmq::sockopt::curve_secretkey, key_buffer(secret));
  router_.set(zmq::sockopt::zap_domain, kZapDomain);
}

std::uint16_t Door::bind(const Address& address, std::string& reason) {
  try {
    router_.bind("tcp://" + to_text(address));
  } catch (const zmq::error_t& error) {
    reason = error.what();
    return 0;
  }
  const std::string bound = router_.get(zmq::sockopt::last_endpoint);
  std::uint16_t port = 0;
  const char* digits = bound.c_str() + bound.rfind(':') + 1;
  std::from_chars(digits, bound.c_str() + bound.size(), port);
  return port;
}

void Door::allow(std::uint64_t inbox, const Key& pass) {
  const Key key = public_key(pass);
  const auto known = admissions_.find(key);
  if (known != admissions_.end() && known->second.inbox == inbox) return;
  forbid(inbox);
  admissions_.insert_or_assign(key, Admission{++last_admission_, inbox});
}

void Door::forbid(std::uint64_t inbox) {
  std::erase_if(admissions_, [&](const auto& one) {
    if (one.second.inbox != inbox) return false;
    callers_.cut(one.second.number);
    return true;
  });
}

void Door::answer_zap(Clock::time_point now) {
  std::vector<zmq::message_t> request;
  if (!zmq::recv_multipart(zap_, std::back_inserter(request), zmq::recv_flags::dontwait)) return;
  // Version, request id, domain, address, identity, mechanism, key.
  Key key{};
  const bool sound = request.size() == 7 && request[0].to_string_view() == "1.0" &&
                     request[5].to_string_view() == "CURVE" && request[6].size() == key.size();
  auto admission = admissions_.end();
  if (sound) {
    std::memcpy(key.data(), request[6].data(), key.size());
    admission = admissions_.find(key);
  }
  // Whoever has one pass takes few of the places where all have to begin.
  const bool known = admission != admissions_.end() &&
                     (!callers_.is_crowded() || admission->second.handshakes.take(now));
  const std::string name = known ? std::to_string(admission->second.number) : "";
  const auto text = [](std::string_view words) { return zmq::message_t(words); };
  std::vector<zmq::message_t> reply;
  reply.push_back(text("1.0"));
  reply.push_back(request.size() > 1 ? std::move(request[1]) : text(""));
  reply.push_back(text(known ? "200" : "400"));
  reply.push_back(text(known ? "OK" : "unknown key, or too often"));
  reply.push_back(text(name));
  reply.push_back(text(""));
  zmq::send_multipart(zap_, reply);
}

bool Door::receive() {
  for (int i = 0; i < kFramesAtOnce && !rest_; ++i) {
    zmq::message_t link;
    zmq::message_t body;
    if (!router_.recv(link, zmq::recv_flags::dontwait)) return true;
    if (!link.more()) continue;
    if (!router_.recv(body, zmq::recv_flags::dontwait)) return true;
    bool whole = true;
    while (body.more()) {  // a frame is one part
      whole = false;
      if (!router_.recv(body, zmq::recv_flags::dontwait)) return true;
    }
    if (!admit(link.to_string(), std::move(body), whole)) {
      tell(link.to_string(), {static_cast<std::uint8_t>(FrameKind::kRefused)});
    }
  }
  return !rest_;
}

// False: it is not let in, or no frame.
bool Door::admit(std::string link, zmq::message_t body, bool whole) {
  const std::uint64_t number = admission_of(body);
  const auto admission = std::ranges::find_if(
      admissions_, [&](const auto& one) { return one.second.number == number; });
  const bool known = admission != admissions_.end();
  callers_.spoke(::zmq_msg_get(body.handle(), ZMQ_SRCFD), known ? number : 0);
  if (!known || !whole) return false;
  if (links::kind_of(bytes_of(body)) == FrameKind::kHello) return body.size() == 1;
  rest_.emplace(Rest{std::move(link), admission->second.inbox, std::move(body), {}, 0});
  const bool sound = read(*rest_);
  if (!sound || offer(*rest_)) rest_.reset();
  return sound;
}

// False: it is no frame of envelopes.
bool Door::read(Rest& rest) {
  const std::span<const std::uint8_t> frame = bytes_of(rest.body);
  if (links::kind_of(frame) != FrameKind::kEnvelopes) return false;
  auto envelopes = links::parse_envelopes(frame);
  if (!envelopes) return false;
  rest.envelopes = std::move(*envelopes);
  return true;
}

bool Door::resume(Clock::time_point now) {
  if (!rest_ || !offer(*rest_)) return !rest_;
  rest_.reset();
  callers_.wait_anew(now);
  return true;
}

// True: all of it was taken.
bool Door::offer(Rest& rest) {
  std::vector<Arrival> arrivals;
  for (std::size_t i = rest.taken; i < rest.envelopes.size(); ++i) {
    arrivals.push_back({next_receipt_ + arrivals.size(), rest.envelopes[i].bytes});
    // Before the offer: it may be durable before the taker has returned.
    origins_[arrivals.back().receipt] = {rest.link, rest.envelopes[i].number};
  }
  const std::size_t taken = taker_(rest.inbox, arrivals);
  for (std::size_t i = taken; i < arrivals.size(); ++i) origins_.erase(arrivals[i].receipt);
  next_receipt_ += taken;
  std::vector<std::uint32_t> numbers;
  for (std::size_t i = 0; i < taken; ++i) {
    numbers.push_back(rest.envelopes[rest.taken + i].number);
  }
  while (!numbers.empty()) tell(rest.link, links::pack_numbers(FrameKind::kTaken, numbers));
  rest.taken += taken;
  return rest.taken == rest.envelopes.size();
}

void Door::stored(std::uint64_t receipt) {
  const auto origin = origins_.find(receipt);
  if (origin == origins_.end()) return;
  durable_[origin->second.link].push_back(origin->second.number);
  origins_.erase(origin);
}

void Door::flush() {
  for (auto& [link, numbers] : durable_) {
    while (!numbers.empty()) tell(link, links::pack_numbers(FrameKind::kStored, numbers));
  }
  durable_.clear();
}

// Whoever is gone, or does not read, is not told: they will send it again.
void Door::tell(const std::string& link, const links::Bytes& frame) {
  try {
    static_cast<void>(
        router_.send(zmq::buffer(link), zmq::send_flags::sndmore | zmq::send_flags::dontwait) &&
        router_.send(zmq::buffer(frame), zmq::send_flags::dontwait));
  } catch (const zmq::error_t& error) {
    if (error.num() != EHOSTUNREACH) throw;
    std::erase_if(origins_, [&](const auto& one) { return one.second.link == link; });
  }
}

}  // namespace wherry::transports::p2p
