// What the sockets of both halves have in common.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <zmq.hpp>

#include "endpoint.h"
#include "transports/common/net.h"

namespace wherry::transports::p2p {

int milliseconds(std::chrono::milliseconds time);
zmq::const_buffer key_buffer(const Key& key);

// Bounds, times, and nothing kept when it closes.
void set_up(zmq::socket_t& socket);

// A reader of what becomes of the socket's connections: ZMQ_EVENT_* in `kinds`, from now on. It
// takes any number of them, since libzmq's only I/O thread would wait for room.
[[nodiscard]] zmq::socket_t open_monitor(zmq::context_t& context, zmq::socket_t& socket, int kinds);
// Before its reader closes: libzmq would wait for that one too.
void close_monitor(zmq::socket_t& socket);

struct MonitorEvent {
  int kind = 0;  // ZMQ_EVENT_*
  int value = 0;
};
[[nodiscard]] std::optional<MonitorEvent> next_event(zmq::socket_t& monitor);

// A descriptor of our own for what this one of libzmq's names now, if it does.
[[nodiscard]] Descriptor second_descriptor(int theirs);
// Of a TCP socket.
[[nodiscard]] std::optional<Address> local_address(int descriptor);
[[nodiscard]] std::optional<Address> remote_address(int descriptor);

}  // namespace wherry::transports::p2p
