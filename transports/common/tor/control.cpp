// Commands and their answers.
#include "control.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

namespace wherry::transports::tor {

Control::Control(Descriptor socket, Answer event)
    : socket_(std::move(socket)), event_(std::move(event)) {}

void Control::ask(const std::string& command, Answer answer) {
  output_ += command + "\r\n";
  waiting_.push_back(std::move(answer));
}

bool Control::read() {
  std::array<std::uint8_t, 16 * 1024> block{};
  const ssize_t count = ::recv(socket_.get(), block.data(), block.size(), 0);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  if (count == 0) return false;
  nonsense_ = !reader_.feed(std::span(block).first(static_cast<std::size_t>(count)));
  while (const auto reply = reader_.next()) {
    if (reply->is_event()) {
      event_(*reply);
      continue;
    }
    if (waiting_.empty()) {  // nobody asked
      nonsense_ = true;
      return false;
    }
    const Answer answer = std::move(waiting_.front());
    waiting_.pop_front();
    answer(*reply);
  }
  return !nonsense_;
}

bool Control::write() {
  while (!output_.empty()) {
    const ssize_t count = ::send(socket_.get(), output_.data(), output_.size(), MSG_NOSIGNAL);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    output_.erase(0, static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace wherry::transports::tor
