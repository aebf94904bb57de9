// Frames over a stream: each is its length (u32, big-endian, 1 to links::kFrameBytesMax bytes) and
// its bytes. Memory is bounded in both directions. Nothing here is thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "transports/common/links/frames.h"
#include "transports/common/net.h"

namespace wherry::transports::onion {

// Takes frames out of what comes, a piece at a time.
class FrameReader {
 public:
  // How much may be fed before frames are taken out.
  std::size_t room() const;
  void feed(std::span<const std::uint8_t> bytes);
  // The next whole one, valid until the next call. None: it is not whole yet, or bad().
  std::optional<std::span<const std::uint8_t>> next();
  // Bytes that were fed and are in no frame yet.
  std::size_t unread() const { return buffer_.size() - begin_; }
  // What comes is no frame: nothing that follows is read.
  bool bad() const { return bad_; }

 private:
  links::Bytes buffer_;
  std::size_t begin_ = 0;
  bool bad_ = false;
};

class Stream {
 public:
  // Takes a stream that does not block.
  explicit Stream(Descriptor socket) : socket_(std::move(socket)) {}

  int descriptor() const { return socket_.get(); }
  bool wants_to_write() const { return !output_.empty(); }
  // Whether another frame may be put.
  bool has_room() const;
  void put(std::span<const std::uint8_t> frame);

  // False: it is over.
  [[nodiscard]] bool write();
  // A bounded amount; then next() gives frames.
  [[nodiscard]] bool read();
  std::optional<std::span<const std::uint8_t>> next() { return reader_.next(); }
  std::size_t unread() const { return reader_.unread(); }
  bool bad() const { return reader_.bad(); }

 private:
  Descriptor socket_;
  FrameReader reader_;
  links::Bytes output_;
  std::size_t written_ = 0;  // of it
};

}  // namespace wherry::transports::onion
