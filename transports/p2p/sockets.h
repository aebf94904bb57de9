// What the sockets of both halves have in common.
#pragma once

#include <chrono>
#include <zmq.hpp>

#include "endpoint.h"

namespace wherry::transports::p2p {

int milliseconds(std::chrono::milliseconds time);
zmq::const_buffer key_buffer(const Key& key);

// Bounds, times, and nothing kept when it closes.
void set_up(zmq::socket_t& socket);

}  // namespace wherry::transports::p2p
