// Reading and writing frames.
#include "stream.h"

#include <sys/socket.h>

#include <cerrno>

#include "limits.h"

namespace wherry::transports::onion {
namespace {

constexpr std::size_t kHead = 4;
constexpr std::size_t kBufferMax = kHead + links::kFrameBytesMax + kReadAtOnce;

}  // namespace

std::size_t FrameReader::room() const {
  return bad_ ? 0 : kBufferMax - (buffer_.size() - begin_);
}

void FrameReader::feed(std::span<const std::uint8_t> bytes) {
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
  begin_ = 0;
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

std::optional<std::span<const std::uint8_t>> FrameReader::next() {
  const auto rest = std::span<const std::uint8_t>(buffer_).subspan(begin_);
  if (bad_ || rest.size() < kHead) return std::nullopt;
  std::size_t size = 0;
  for (const std::uint8_t byte : rest.first(kHead)) size = size << 8U | byte;
  bad_ = size == 0 || size > links::kFrameBytesMax;
  if (bad_ || rest.size() - kHead < size) return std::nullopt;
  begin_ += kHead + size;
  return rest.subspan(kHead, size);
}

bool Stream::has_room() const {
  return output_.size() - written_ + kHead + links::kFrameBytesMax <= kOutputMax;
}

void Stream::put(std::span<const std::uint8_t> frame) {
  if (written_ > 0 && written_ == output_.size()) {
    output_.clear();
    written_ = 0;
  }
  for (unsigned shift = 32; shift > 0; shift -= 8) {
    output_.push_back(static_cast<std::uint8_t>(frame.size() >> (shift - 8)));
  }
  output_.insert(output_.end(), frame.begin(), frame.end());
}

bool Stream::write() {
  while (written_ < output_.size()) {
    const ssize_t count =
        ::send(socket_.get(), output_.data() + written_, output_.size() - written_, MSG_NOSIGNAL);
    if (count < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return false;
      output_.erase(output_.begin(), output_.begin() + static_cast<std::ptrdiff_t>(written_));
      written_ = 0;
      return true;
    }
    written_ += static_cast<std::size_t>(count);
  }
  output_.clear();
  written_ = 0;
  return true;
}

bool Stream::read() {
  links::Bytes block(std::min(reader_.room(), kReadAtOnce));
  if (block.empty()) return true;  // frames wait to be taken
  const ssize_t count = ::recv(socket_.get(), block.data(), block.size(), 0);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  if (count == 0) return false;
  reader_.feed(std::span(block).first(static_cast<std::size_t>(count)));
  return true;
}

}  // namespace wherry::transports::onion
