// A connection through a SOCKS5 proxy, made on a thread of its own, and offered to libzmq by a unix
// socket. libzmq speaks SOCKS5 as well, but ends the process (4.3.4: an assertion in epoll.cpp)
// when a proxy is not there, refuses, or hangs up.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "address.h"
#include "limits.h"
#include "transports/common/net.h"
#include "transports/common/socks.h"

namespace wherry::transports::p2p {

class Proxied {
 public:
  // Begins at once; throws std::system_error where no thread is left. `wake` is an eventfd that is
  // written to when it is over.
  Proxied(const Address& proxy, const Address& target, Clock::time_point until, int wake);
  Proxied(const Proxied&) = delete;
  Proxied& operator=(const Proxied&) = delete;
  ~Proxied();  // gives up, or closes the connection

  bool is_over() const { return over_; }
  // Once it is over: NONE, or why there is no connection, a wherry_reason.
  std::int32_t reason() const { return reason_; }
  // With a connection: where libzmq connects to, and a second descriptor of it, once.
  std::string place() const { return "ipc://" + tunnel_->path(); }
  Descriptor take_second() { return std::move(second_); }

 private:
  void run(const Authority& proxy, const Authority& target, Clock::time_point until, int wake);

  std::atomic<bool> over_ = false;  // what follows is the thread's until then
  std::int32_t reason_ = 0;
  Descriptor second_;
  std::unique_ptr<Tunnel> tunnel_;
  Stopper stopper_;
  std::thread thread_;
};

}  // namespace wherry::transports::p2p
