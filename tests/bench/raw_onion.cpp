// Tors by the provider, streams by plain calls.
#include "raw_onion.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>
#include <utility>

#include "include/wherry/transport.h"
#include "scenes.h"
#include "transports/common/crypto.h"
#include "transports/common/tor/control.h"
#include "transports/common/tor/local_socket.h"
#include "transports/common/tor/onion_address.h"
#include "transports/common/tor/tor_process.h"
#include "transports/common/tor/tor_provider.h"

namespace wherry::bench {
namespace {

namespace tor = transports::tor;
using transports::Descriptor;

constexpr std::chrono::seconds kPatience{120};
constexpr std::size_t kHead = 4;
constexpr std::size_t kBlock = std::size_t{64} * 1024;

void write_all(int to, const std::uint8_t* data, std::size_t size) {
  while (size > 0) {
    const ssize_t count = ::send(to, data, size, MSG_NOSIGNAL);
    if (count <= 0) give_up("a raw stream broke while it was written to");
    data += count;
    size -= static_cast<std::size_t>(count);
  }
}

// Takes messages apart as they come.
class Reader {
 public:
  explicit Reader(int from) : from_(from) {}

  // Waits for the next message.
  void take() {
    read_until(kHead);
    std::uint32_t size = 0;
    std::memcpy(&size, block_.data() + begin_, kHead);
    read_until(kHead + size);
    begin_ += kHead + size;
  }

 private:
  void read_until(std::size_t size) {
    while (end_ - begin_ < size) {
      if (begin_ > 0) std::memmove(block_.data(), block_.data() + begin_, end_ - begin_);
      end_ -= std::exchange(begin_, 0);
      const ssize_t count = ::recv(from_, block_.data() + end_, block_.size() - end_, 0);
      if (count <= 0) give_up("a raw stream broke while it was read");
      end_ += static_cast<std::size_t>(count);
    }
  }

  const int from_;
  std::vector<std::uint8_t> block_ = std::vector<std::uint8_t>(kBlock);
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

std::vector<std::uint8_t> message_of(std::size_t size) {
  std::vector<std::uint8_t> message(kHead + size, 7);
  const auto length = static_cast<std::uint32_t>(size);
  std::memcpy(message.data(), &length, kHead);
  return message;
}

}  // namespace

// ---- A tor --------------------------------------------------------------------------------------

RawTor::RawTor(const std::string& folder, const std::string& torrc) {
  tor::TorSettings settings;
  settings.own.folder = folder;
  settings.own.more = torrc;
  provider_ = tor::make_tor_provider(std::move(settings), *this);
  provider_->start();
  wait("a raw tor does not come online", [&] { return online_; });
}

RawTor::~RawTor() {
  provider_->stop();
  wait("a raw tor does not stop", [&] { return stopped_; });
}

template <class Predicate>
void RawTor::wait(const char* what, Predicate predicate) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, kPatience, predicate)) give_up(what);
}

std::string RawTor::publish() {
  tor::Service service;
  transports::random_bytes(service.key);
  std::size_t before = 0;
  {
    const std::lock_guard lock(mutex_);
    before = published_;
  }
  const std::string address = tor::address_of(transports::SigningKey(service.key).public_key());
  provider_->publish(before + 1, std::move(service));
  wait("a raw service is not published", [&] { return published_ > before; });
  return address;
}

Descriptor RawTor::dial(const std::string& address) {
  ++dials_;
  provider_->dial(dials_, {address, std::nullopt, std::to_string(dials_)});
  wait("a raw service can not be reached", [&] { return !dialled_.empty(); });
  return take(dialled_);
}

Descriptor RawTor::take(std::deque<Descriptor>& streams) {
  const std::lock_guard lock(mutex_);
  Descriptor stream = std::move(streams.front());
  streams.pop_front();
  if (!stream.valid()) give_up("a raw service can not be reached");
  ::fcntl(stream.get(), F_SETFL, ::fcntl(stream.get(), F_GETFL) & ~O_NONBLOCK);
  return stream;
}

Descriptor RawTor::accept() {
  wait("no raw stream came", [&] { return !came_.empty(); });
  return take(came_);
}

void RawTor::on_status(const tor::Status& status) {
  const std::lock_guard lock(mutex_);
  if (status.state == WHERRY_TRANSPORT_STATE_DEGRADED) give_up(status.phase.c_str());
  online_ = status.state == WHERRY_TRANSPORT_STATE_ONLINE;
  changed_.notify_all();
}

void RawTor::on_published(std::uint64_t, std::int32_t reason) {
  if (reason != WHERRY_REASON_NONE) give_up("a raw service was refused");
  const std::lock_guard lock(mutex_);
  ++published_;
  changed_.notify_all();
}

void RawTor::on_stream(std::uint64_t, Descriptor stream) {
  const std::lock_guard lock(mutex_);
  came_.push_back(std::move(stream));
  changed_.notify_all();
}

void RawTor::on_dialled(std::uint64_t, Descriptor stream, std::int32_t) {
  const std::lock_guard lock(mutex_);
  dialled_.push_back(std::move(stream));
  changed_.notify_all();
}

void RawTor::on_stopped() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

// ---- A stream -----------------------------------------------------------------------------------

RawStream::RawStream(RawTor& alice, RawTor& bob)
    : alice_(alice.dial(bob.publish())), bob_(bob.accept()) {}

double RawStream::rate(std::size_t messages, std::size_t size) {
  const Moment begin = SteadyClock::now();
  std::thread writer([&] {
    const std::vector<std::uint8_t> one = message_of(size);
    const std::size_t at_once = std::max<std::size_t>(kBlock / one.size(), 1);
    std::vector<std::uint8_t> block;
    for (std::size_t i = 0; i < at_once; ++i) block.insert(block.end(), one.begin(), one.end());
    for (std::size_t sent = 0; sent < messages; sent += at_once) {
      write_all(alice_.get(), block.data(), one.size() * std::min(at_once, messages - sent));
    }
  });
  Reader reader(bob_.get());
  for (std::size_t i = 0; i < messages; ++i) reader.take();
  const Moment end = SteadyClock::now();
  writer.join();
  return static_cast<double>(messages) / seconds(begin, end);
}

std::vector<double> RawStream::one_way_ms(std::size_t messages, std::size_t size) {
  const std::vector<std::uint8_t> one = message_of(size);
  Reader at_alice(alice_.get());
  Reader at_bob(bob_.get());
  std::vector<double> out;
  for (std::size_t i = 0; i < messages; ++i) {
    const bool there = i % 2 == 0;
    rest();
    const Moment begin = SteadyClock::now();
    write_all(there ? alice_.get() : bob_.get(), one.data(), one.size());
    (there ? at_bob : at_alice).take();
    out.push_back(milliseconds(begin, SteadyClock::now()));
  }
  return out;
}

// ---- From cold ----------------------------------------------------------------------------------

namespace {

constexpr std::chrono::milliseconds kLook{5};

std::string content_of(const std::string& path, std::ios::openmode mode = {}) {
  std::ifstream file(path, mode);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string hex_of(const std::string& bytes) {
  std::string text;
  std::array<char, 3> pair{};
  for (const char byte : bytes) {
    std::snprintf(pair.data(), pair.size(), "%02x", static_cast<unsigned>(byte) & 0xffU);
    text += pair.data();
  }
  return text;
}

// Until a directory has a descriptor of its service. To dial before that would measure how often
// one dials.
void wait_for_upload(const tor::TorProcess& process) {
  Descriptor socket;
  std::string cookie;
  while (cookie.empty() || !socket.valid()) {
    std::this_thread::sleep_for(kLook);
    cookie = content_of(process.run_folder() + "/cookie", std::ios::binary);
    socket = tor::connect_local("unix:" + process.control_socket());
  }
  bool uploaded = false;
  tor::Control control(std::move(socket), [&](const tor::Reply& event) {
    uploaded = uploaded || event.text().starts_with("HS_DESC UPLOADED ");
  });
  const auto answer = [](const tor::Reply& reply) {
    if (!reply.ok()) give_up(reply.text().c_str());
  };
  control.ask("AUTHENTICATE " + hex_of(cookie), answer);
  control.ask("SETEVENTS HS_DESC", answer);
  while (!uploaded) {
    pollfd one{control.descriptor(), POLLIN, 0};
    if (!control.write() || ::poll(&one, 1, 1000) < 0) give_up("a plain tor has ended");
    if (one.revents != 0 && !control.read()) give_up("a plain tor has ended");
  }
}

}  // namespace

double raw_cold_ms(RawTor& other, const std::string& folder, const std::string& torrc) {
  std::string place;
  const Descriptor listener = tor::listen_local("", place);
  if (!listener.valid()) give_up("a plain service has no socket");
  tor::TorOptions options;
  options.folder = folder;
  options.more =
      torrc + "HiddenServiceDir " + folder + "/service\nHiddenServicePort 80 " + place + "\n";
  const Moment begin = SteadyClock::now();
  tor::StartError error{};
  std::string what;
  const auto process = tor::TorProcess::start(options, error, what);
  if (!process) give_up(what.c_str());
  wait_for_upload(*process);
  const std::string name = content_of(folder + "/service/hostname");
  const Descriptor dialled = other.dial(name.substr(0, name.find('.')));
  // Of several tries each may leave a stream there: every one is answered.
  std::vector<Descriptor> taken;
  std::uint8_t byte = 7;
  while (true) {
    std::array<pollfd, 2> either{{{dialled.get(), POLLIN, 0}, {listener.get(), POLLIN, 0}}};
    if (::poll(either.data(), either.size(), -1) < 0) give_up("poll failed");
    if (either[0].revents != 0) break;
    taken.push_back(tor::accept_local(listener.get()));
    static_cast<void>(::send(taken.back().get(), &byte, 1, MSG_NOSIGNAL));
  }
  if (::recv(dialled.get(), &byte, 1, 0) != 1) give_up("a plain service does not answer");
  return milliseconds(begin, SteadyClock::now());
}

}  // namespace wherry::bench
