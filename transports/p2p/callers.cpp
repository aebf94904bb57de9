// Counting callers and turning them away.
#include "callers.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "address.h"
#include "sockets.h"

namespace wherry::transports::p2p {
namespace {

constexpr int kEvents = ZMQ_EVENT_LISTENING | ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_ACCEPT_FAILED |
                        ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED;
constexpr int kBacklog = 128;  // more than libzmq lets wait at a port
constexpr int kFailuresPerTry = 256;

Descriptor any_descriptor() {
  return Descriptor(::eventfd(0, EFD_CLOEXEC));
}

bool is_out_of_descriptors(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

Callers::Callers(zmq::context_t& context, zmq::socket_t& socket, Intake& intake, Meetings& meetings,
                 std::uint16_t meeting_port)
    : socket_(socket),
      intake_(intake),
      meetings_(meetings),
      meeting_port_(meeting_port),
      monitor_(open_monitor(context, socket, kEvents)),
      listener_(any_descriptor()),
      room_(any_descriptor()),
      cutter_(any_descriptor()) {}

// The monitor before its reader: an event that nobody is left to read would halt libzmq.
Callers::~Callers() {
  close_monitor(socket_);
  for (const auto& [number, caller] : callers_) intake_.remove(caller.connection);
}

void Callers::on_monitor(Clock::time_point now) {
  int failures = 0;  // for lack of a descriptor, one after the other
  // Not all that others can make: what is left keeps the monitor readable.
  for (int read = 0; read < kMonitorEventsAtOnce; ++read) {
    const auto event = next_event(monitor_);
    if (!event) break;
    if (event->kind == ZMQ_EVENT_ACCEPTED || event->kind == ZMQ_EVENT_CONNECTED) {
      failures = 0;
      came(event->value, now);
    } else if (event->kind == ZMQ_EVENT_ACCEPT_FAILED) {
      // Most of many are about what is over, and who came meanwhile is behind them.
      if (is_out_of_descriptors(event->value) && failures++ % kFailuresPerTry == 0) make_room();
    } else if (event->kind == ZMQ_EVENT_LISTENING) {
      ::dup3(event->value, listener_.get(), O_CLOEXEC);  // also where no descriptors are left
      const auto local = local_address(listener_.get());
      port_ = local ? local->port : 0;
      ::fcntl(listener_.get(), F_SETFL, O_NONBLOCK);  // libzmq can do with it
    } else {
      went(event->value, now);
    }
  }
  if (!room_.valid()) room_ = any_descriptor();
  if (!cutter_.valid()) cutter_ = any_descriptor();
}

// By the time that an event is read, its descriptor may be closed, and its number something else's.
bool Callers::is_ours(int connection) const {
  const auto local = local_address(connection);
  return local && local->port != 0 && (local->port == port_ || local->port == meeting_port_);
}

std::size_t Callers::silent() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(callers_, [](const auto& one) { return one.second.pass == 0; }));
}

void Callers::came(int connection, Clock::time_point now) {
  // Nobody is let in by the place that was given up to turn others away.
  if (!room_.valid()) room_ = any_descriptor();
  Descriptor second = room_.valid() ? second_descriptor(connection) : Descriptor();
  if (!second.valid()) {  // no descriptors are left
    if (::dup3(connection, cutter_.get(), O_CLOEXEC) >= 0 && is_ours(cutter_.get())) {
      Intake::cut(cutter_.get());
    }
    return;
  }
  if (!is_ours(second.get())) return;
  if (callers_.size() >= kCallersMax || silent() >= kSilentCallersMax) {
    return Intake::cut(second.get());
  }
  Caller& caller = callers_[connection];
  caller.connection = intake_.add(std::move(second));
  caller.order = ++order_;
  caller.until = now + kSilenceLimit;
  const auto local = local_address(caller.connection);
  const auto from = remote_address(caller.connection);
  if (!local || !from || local->port != meeting_port_) return;
  Intake::leave_nothing(caller.connection);
  meetings_.came(connection, *from);
}

void Callers::went(int connection, Clock::time_point now) {
  const auto one = callers_.find(connection);
  if (one == callers_.end()) return;
  meetings_.went(connection, now);
  intake_.remove(one->second.connection);
  callers_.erase(one);
}

void Callers::spoke(int connection, std::uint64_t pass) {
  const auto one = callers_.find(connection);
  if (one == callers_.end()) return;
  intake_.read_one(one->second.connection);
  // Another than before: the number was of a connection that is gone, with a message of it left.
  if (one->second.pass == pass || pass == 0) return;
  one->second.pass = pass;
  Caller* oldest = nullptr;
  std::size_t count = 0;
  for (auto& [number, caller] : callers_) {
    if (caller.pass != pass || caller.cut) continue;
    ++count;
    if (oldest == nullptr || caller.order < oldest->order) oldest = &caller;
  }
  if (count > kCallersPerPass) cut(*oldest);
}

void Callers::cut(std::uint64_t pass) {
  for (auto& [number, caller] : callers_) {
    if (caller.pass == pass) cut(caller);
  }
}

void Callers::cut(Caller& caller) {
  caller.cut = true;
  Intake::cut(caller.connection);
}

std::optional<Clock::time_point> Callers::deadline() const {
  std::optional<Clock::time_point> first;
  for (const auto& [number, caller] : callers_) {
    if (caller.pass == 0 && !caller.cut && (!first || caller.until < *first)) first = caller.until;
  }
  return first;
}

void Callers::on_time(Clock::time_point now) {
  for (auto& [number, caller] : callers_) {
    if (caller.pass == 0 && !caller.cut && caller.until <= now) cut(caller);
  }
}

void Callers::wait_anew(Clock::time_point now) {
  for (auto& [number, caller] : callers_) caller.until = now + kSilenceLimit;
}

// No descriptors are left, and libzmq tries again and again, with all the time of its only I/O
// thread. Whoever waits at the port is taken and sent away with the spare one. Where libzmq is
// quicker, it has a caller with it, whom came() cuts off, and so it has the place for the next.
void Callers::make_room() {
  room_ = Descriptor();
  for (int i = 0; i < kBacklog; ++i) {
    if (!Descriptor(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)).valid()) break;
  }
  room_ = any_descriptor();
}

}  // namespace wherry::transports::p2p
