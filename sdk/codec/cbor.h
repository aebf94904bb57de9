// Deterministic CBOR (RFC 8949 §4.2) as PROTOCOL §8 restricts it, over libcbor's streaming codec:
// shortest lengths, maps with rising unsigned keys, no floats, tags, simple values or indefinite
// lengths, at most limits::kCborDepth levels, valid UTF-8, nothing after the end.
//
// Writing:  CborWriter out; out.map(2).key(1).uint(7).key(2).bytes(id); use(out.take());
// Reading:  CborReader in(bytes);
//           for (CborMap map = in.map(); map.next();) switch (map.key()) {
//             case 1: seq = in.uint(); break;
//             case 2: id = in.fixed<16>(); break;
//             default: in.skip();
//           }
//           if (!in.done()) return refuse(WHERRY_REASON_MALFORMED, "...");
#ifndef WHERRY_CODEC_CBOR_H
#define WHERRY_CODEC_CBOR_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/limits.h"

namespace wherry::codec {

// Writes items one after the other. The caller announces how many items an array or map has, and
// gives the keys of a map in rising order.
class CborWriter {
 public:
  CborWriter() = default;
  explicit CborWriter(size_t size_expected) { out_.reserve(size_expected); }

  CborWriter& uint(uint64_t value);
  CborWriter& bytes(ByteView value);
  CborWriter& text(std::string_view value);
  CborWriter& boolean(bool value);
  CborWriter& null();
  CborWriter& array(size_t items);
  CborWriter& map(size_t pairs);
  CborWriter& key(uint64_t value) { return uint(value); }
  // Appends items that are deterministic CBOR already.
  CborWriter& raw(ByteView items);

  const Bytes& view() const { return out_; }
  Bytes take() { return std::move(out_); }

 private:
  Bytes out_;
};

enum class CborType : uint8_t {
  kUint,
  kNegative,
  kBytes,
  kText,
  kArray,
  kMap,
  kBoolean,
  kNull,
  kNone
};

class CborMap;

// Reads items one after the other. The first thing that is not as asked makes the reader fail for
// good: every later get returns an empty value, so that only done() need be checked. Views point
// into the input.
class CborReader {
 public:
  explicit CborReader(ByteView input) : input_(input) {}

  // The type of the next item; kNone at the end or after a failure. Consumes nothing.
  CborType peek() const;

  uint64_t uint(uint64_t max = UINT64_MAX);
  ByteView bytes(size_t size_max = SIZE_MAX);
  std::string_view text(size_t size_max = SIZE_MAX);
  bool boolean();
  void null();
  // How many items follow; at most `items_max`.
  size_t array(size_t items_max = SIZE_MAX);
  CborMap map(size_t pairs_max = SIZE_MAX);
  // A byte string of exactly N bytes.
  template <size_t N>
  std::array<uint8_t, N> fixed() {
    ByteView got = bytes(N);
    if (got.size() != N) {
      fail();
      return {};
    }
    return to_array<N>(got);
  }
  // Passes over one item of any permitted type, and checks it.
  void skip();
  // Passes over one item as skip() does, and returns its encoding.
  ByteView item();

  void fail() { failed_ = true; }
  bool failed() const { return failed_; }
  // True when nothing failed, every announced item was read, and the input is used up.
  bool done() const { return !failed_ && depth_ == 0 && at_ == input_.size(); }

 private:
  friend class CborMap;
  struct Item {
    CborType type = CborType::kNone;
    uint64_t number = 0;  // value, length, or count
    ByteView data;
  };

  bool next(CborType wanted, Item& item);
  bool next(Item& item);
  void open_level(uint64_t items);
  void close_levels();
  void skip_map(uint64_t pairs);

  ByteView input_;
  size_t at_ = 0;
  size_t depth_ = 0;
  std::array<uint64_t, limits::kCborDepth> left_{};  // items not yet read, by level
  bool failed_ = false;
};

// The pairs of one map, in order: next() reads a key, the caller reads (or skips) its value.
class CborMap {
 public:
  bool next();
  uint64_t key() const { return key_; }

 private:
  friend class CborReader;
  CborMap(CborReader& reader, size_t pairs) : reader_(&reader), left_(pairs) {}

  CborReader* reader_;
  size_t left_;
  uint64_t key_ = 0;
  bool first_ = true;
};

}  // namespace wherry::codec

#endif  // WHERRY_CODEC_CBOR_H
