// What the plug-in calls: each function checks the rules of transport.h, records, and wakes the
// test. The `host` argument is the TransportHost itself.
#include "tests/support/transport_host_calls.h"

#include <cstring>
#include <string_view>

#include "tests/support/transport_host.h"

namespace wherry::test {
namespace {

constexpr std::size_t kStateKeySizeMax = 64;
constexpr std::size_t kStateValueSizeMax = 4096;
constexpr std::size_t kStateKeysMax = 64;

// The newest one is the last.
bool known_reason(std::int32_t reason) {
  return reason >= WHERRY_REASON_NONE && reason <= WHERRY_REASON_NEARBY;
}

// Endpoints go into cards and QR codes: printable ASCII without spaces, of bounded length.
bool sane_endpoint(std::string_view endpoint) {
  if (endpoint.empty() || endpoint.size() > WHERRY_ENDPOINT_SIZE_MAX) return false;
  for (const char character : endpoint) {
    if (character <= ' ' || character > '~') return false;
  }
  return true;
}

// A number, a dot, and three times more: an IPv4 address, as far as a log can have one.
bool names_an_address(std::string_view text) {
  std::size_t numbers = 0;
  bool digit = false;  // the character before was one
  for (const char character : text) {
    const bool is_digit = character >= '0' && character <= '9';
    if (is_digit && !digit) ++numbers;
    if (numbers == 4) return true;
    if (!is_digit && !(character == '.' && digit)) numbers = 0;
    digit = is_digit;
  }
  return false;
}

bool is_end(std::int32_t outcome) {
  return outcome != WHERRY_OUTCOME_HANDED;
}

}  // namespace

void TransportHost::violation(const std::string& text) {
  violations_.push_back(text);
}

// After on_stopped the plug-in may call only from within a plug-in function, and after destroy
// never.
void TransportHost::check_may_call(const char* function) {
  const bool inside = in_plugin_ && plugin_thread_ == std::this_thread::get_id();
  const bool resting = life_ == Life::kStopped || life_ == Life::kNone;
  if (life_ == Life::kDestroyed || (resting && !inside)) {
    violation(std::string(function) + ": called while the instance must be silent");
  }
}

// The functions of the table. Each locks, records, unlocks, and only then wakes the test: a pump's
// predicate takes the lock while the pump is locked.
struct HostCalls {
  template <typename Function>
  static auto record(wherry_transport_host* host, const char* name, Function&& function) {
    auto& self = *reinterpret_cast<TransportHost*>(host);
    struct Wake {
      Pump& pump;
      ~Wake() { pump.notify(); }
    } const wake{self.pump_};
    const std::lock_guard lock(self.mutex_);
    self.check_may_call(name);
    return function(self);
  }

  static void on_state(wherry_transport_host* host, std::int32_t state, std::int32_t percent,
                       std::int32_t reason, const char* phase) {
    record(host, "on_state", [&](TransportHost& self) {
      if (state < WHERRY_TRANSPORT_STATE_OFF || state > WHERRY_TRANSPORT_STATE_FAILED) {
        self.violation("on_state: unknown state");
      }
      if (state == WHERRY_TRANSPORT_STATE_STARTING && (percent < 0 || percent > 100)) {
        self.violation("on_state: percent out of 0..100");
      }
      const bool bad = state >= WHERRY_TRANSPORT_STATE_DEGRADED;
      if (bad && (!known_reason(reason) || reason == WHERRY_REASON_NONE)) {
        self.violation("on_state: DEGRADED or FAILED without a reason");
      }
      self.states_.push_back({state, percent, reason, phase != nullptr ? phase : ""});
    });
  }

  static void on_inbox(wherry_transport_host* host, std::uint64_t inbox, const char* endpoint,
                       std::int32_t reason) {
    record(host, "on_inbox", [&](TransportHost& self) {
      if (!self.inboxes_.contains(inbox)) self.violation("on_inbox: unknown inbox");
      if (endpoint != nullptr && !sane_endpoint(endpoint)) {
        self.violation("on_inbox: endpoint is not short, printable ASCII");
      }
      if ((endpoint == nullptr) != (reason != WHERRY_REASON_NONE)) {
        self.violation("on_inbox: either an endpoint or a reason");
      }
      self.inbox_reports_.push_back(
          {inbox, endpoint != nullptr ? std::optional<std::string>(endpoint) : std::nullopt,
           reason});
    });
  }

  static void on_peer(wherry_transport_host* host, std::uint64_t peer, std::int32_t state,
                      std::int32_t reason) {
    record(host, "on_peer", [&](TransportHost& self) {
      if (!self.peers_.contains(peer)) self.violation("on_peer: unknown peer");
      if (state < WHERRY_PEER_STATE_UNKNOWN || state > WHERRY_PEER_STATE_RESET) {
        self.violation("on_peer: unknown state");
      }
      if (!known_reason(reason)) self.violation("on_peer: unknown reason");
      self.peer_reports_.push_back({peer, state, reason});
    });
  }

  static void on_writable(wherry_transport_host* host, std::uint64_t peer) {
    record(host, "on_writable", [&](TransportHost& self) {
      if (peer != 0 && !self.peers_.contains(peer)) self.violation("on_writable: unknown peer");
      ++self.writable_count_;
    });
  }

  static std::size_t on_receive(wherry_transport_host* host, std::uint64_t inbox,
                                const wherry_incoming* envelopes, std::size_t count) {
    return record(host, "on_receive", [&](TransportHost& self) -> std::size_t {
      if (count == 0 || envelopes == nullptr) {
        self.violation("on_receive: nothing");
        return 0;
      }
      if (!self.inboxes_.contains(inbox)) {
        self.violation("on_receive: unknown inbox");
        return count;
      }
      self.offered_count_ += count;
      const std::uint32_t size_max = self.plugin_.describe()->envelope_size_max;
      std::size_t taken = 0;
      for (; taken < count && (!self.room_.has_value() || *self.room_ > 0); ++taken) {
        const wherry_incoming& one = envelopes[taken];
        if (one.envelope.size == 0 || one.envelope.size > size_max) {
          self.violation("on_receive: envelope of a size that cannot be");
        }
        if (!self.receipts_.insert(one.receipt).second) {
          self.violation("on_receive: a receipt was used twice since start");
        }
        self.received_.push_back(
            {inbox, one.receipt, Bytes(one.envelope.data, one.envelope.data + one.envelope.size)});
        if (self.room_.has_value()) --*self.room_;
      }
      return taken;
    });
  }

  static void on_sent(wherry_transport_host* host, const wherry_sent* sent, std::size_t count) {
    record(host, "on_sent", [&](TransportHost& self) {
      if (count == 0 || sent == nullptr) self.violation("on_sent: nothing");
      for (std::size_t i = 0; i < count; ++i) self.record_sent(sent[i]);
    });
  }

  static void on_bundle(wherry_transport_host* host, std::uint64_t request, wherry_bytes bundle,
                        std::int32_t reason) {
    record(host, "on_bundle", [&](TransportHost& self) {
      if (!self.requests_.contains(request)) self.violation("on_bundle: unknown request");
      if (self.bundles_.contains(request)) self.violation("on_bundle: answered twice");
      if (!known_reason(reason)) self.violation("on_bundle: unknown reason");
      if (reason != WHERRY_REASON_NONE && bundle.data != nullptr) {
        self.violation("on_bundle: both bytes and a reason");
      }
      BundleReport report{request, std::nullopt, reason};
      if (bundle.data != nullptr) report.bundle = Bytes(bundle.data, bundle.data + bundle.size);
      self.bundles_[request] = report;
    });
  }

  static void on_look_up(wherry_transport_host* host, std::uint64_t request, const char*,
                         std::int32_t) {
    record(host, "on_look_up", [&](TransportHost& self) {
      if (!self.requests_.contains(request)) self.violation("on_look_up: unknown request");
    });
  }

  static void on_stopped(wherry_transport_host* host) {
    record(host, "on_stopped", [&](TransportHost& self) {
      if (self.life_ != TransportHost::Life::kStopping) {
        self.violation("on_stopped: not after stop, or twice");
      }
      ++self.stopped_count_;
      self.life_ = TransportHost::Life::kStopped;
    });
  }

  static std::int64_t state_get(wherry_transport_host* host, const char* key, std::uint8_t* out,
                                std::size_t capacity) {
    return record(host, "state_get", [&](TransportHost& self) -> std::int64_t {
      const std::lock_guard lock(self.memory_.mutex);
      const auto found = self.memory_.values.find(key);
      if (found == self.memory_.values.end()) return -1;
      const Bytes& value = found->second;
      if (capacity > 0) std::memcpy(out, value.data(), std::min(capacity, value.size()));
      return static_cast<std::int64_t>(value.size());
    });
  }

  static std::int32_t state_set(wherry_transport_host* host, const char* key, wherry_bytes value) {
    return record(host, "state_set", [&](TransportHost& self) -> std::int32_t {
      const std::lock_guard lock(self.memory_.mutex);
      if (std::strlen(key) > kStateKeySizeMax || value.size > kStateValueSizeMax) {
        self.violation("state_set: key or value too long");
        return WHERRY_TRANSPORT_E_ARGUMENT;
      }
      if (value.size == 0) {
        self.memory_.values.erase(key);
        return WHERRY_TRANSPORT_OK;
      }
      self.memory_.values[key] = Bytes(value.data, value.data + value.size);
      if (self.memory_.values.size() > kStateKeysMax) self.violation("state_set: too many keys");
      return WHERRY_TRANSPORT_OK;
    });
  }

  static void log(wherry_transport_host* host, std::int32_t level, const char* text) {
    record(host, "log", [&](TransportHost& self) {
      if (level < WHERRY_LOG_ERROR || level > WHERRY_LOG_DEBUG) {
        self.violation("log: unknown level");
      }
      if (text == nullptr || std::strchr(text, '\n') != nullptr) {
        self.violation("log: not one line");
        return;
      }
      if (level < WHERRY_LOG_DEBUG && names_an_address(text)) {
        self.violation("log: an address above DEBUG: " + std::string(text));
      }
      self.log_lines_.emplace_back(level, text);
    });
  }
};

// One attempt: HANDED may be followed by one end (STORED or a failure), and an end by nothing.
void TransportHost::record_sent(const wherry_sent& sent) {
  if (!send_ids_.contains(sent.send_id)) {
    violation("on_sent: an attempt that was not accepted");
    return;
  }
  if (sent.outcome < WHERRY_OUTCOME_HANDED || sent.outcome > WHERRY_OUTCOME_FAILED_PERMANENT) {
    violation("on_sent: unknown outcome");
  }
  const bool failed = sent.outcome >= WHERRY_OUTCOME_FAILED_RETRY;
  if (!known_reason(sent.reason) || failed != (sent.reason != WHERRY_REASON_NONE)) {
    violation("on_sent: a failure has a reason, and only a failure has");
  }
  std::vector<SentReport>& reports = sent_[sent.send_id];
  if (!reports.empty() && (is_end(reports.back().outcome) || !is_end(sent.outcome))) {
    violation("on_sent: an attempt ended twice");
  }
  reports.push_back({sent.send_id, sent.outcome, sent.reason});
}

const wherry_transport_host_api kHostTable = {
    sizeof(wherry_transport_host_api),
    HostCalls::on_state,
    HostCalls::on_inbox,
    HostCalls::on_peer,
    HostCalls::on_writable,
    HostCalls::on_receive,
    HostCalls::on_sent,
    HostCalls::on_bundle,
    HostCalls::on_look_up,
    HostCalls::on_stopped,
    HostCalls::state_get,
    HostCalls::state_set,
    HostCalls::log,
};

}  // namespace wherry::test
