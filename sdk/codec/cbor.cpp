// Deterministic CBOR over libcbor's streaming encoder and decoder.
#include "codec/cbor.h"

#include <cbor/encoding.h>
#include <cbor/streaming.h>

#include "codec/utf8.h"

namespace wherry::codec {
namespace {

// The longest initial byte with its argument.
constexpr size_t kHeadMax = 9;

using Encode = size_t (*)(size_t, unsigned char*, size_t);

void append_start(Bytes& out, Encode encode, size_t argument) {
  uint8_t head[kHeadMax];
  const size_t size = encode(argument, head, sizeof head);
  out.insert(out.end(), head, head + size);
}

// The bytes that the shortest form of an argument takes, with the initial byte.
size_t shortest_head(uint64_t argument) {
  if (argument < 24) return 1;
  if (argument <= UINT8_MAX) return 2;
  if (argument <= UINT16_MAX) return 3;
  if (argument <= UINT32_MAX) return 5;
  return 9;
}

// What the decoder's callbacks have seen.
struct Seen {
  CborType type = CborType::kNone;
  uint64_t number = 0;
  const uint8_t* data = nullptr;
};

template <CborType type, typename Number>
void on_number(void* context, Number value) {
  auto* seen = static_cast<Seen*>(context);
  seen->type = type;
  seen->number = value;
}

template <CborType type>
void on_string(void* context, cbor_data data, size_t size) {
  auto* seen = static_cast<Seen*>(context);
  seen->type = type;
  seen->number = size;
  seen->data = data;
}

void on_boolean(void* context, bool value) {
  on_number<CborType::kBoolean, uint64_t>(context, value ? 1 : 0);
}

void on_null(void* context) {
  on_number<CborType::kNull, uint64_t>(context, 0);
}

// What is not permitted leaves the type at kNone.
void refuse_simple(void*) {}
void refuse_tag(void*, uint64_t) {}
void refuse_float(void*, float) {}
void refuse_double(void*, double) {}

constexpr cbor_callbacks kCallbacks = {
    .uint8 = on_number<CborType::kUint, uint8_t>,
    .uint16 = on_number<CborType::kUint, uint16_t>,
    .uint32 = on_number<CborType::kUint, uint32_t>,
    .uint64 = on_number<CborType::kUint, uint64_t>,
    .negint64 = on_number<CborType::kNegative, uint64_t>,
    .negint32 = on_number<CborType::kNegative, uint32_t>,
    .negint16 = on_number<CborType::kNegative, uint16_t>,
    .negint8 = on_number<CborType::kNegative, uint8_t>,
    .byte_string_start = refuse_simple,
    .byte_string = on_string<CborType::kBytes>,
    .string = on_string<CborType::kText>,
    .string_start = refuse_simple,
    .indef_array_start = refuse_simple,
    .array_start = on_number<CborType::kArray, size_t>,
    .indef_map_start = refuse_simple,
    .map_start = on_number<CborType::kMap, size_t>,
    .tag = refuse_tag,
    .float2 = refuse_float,
    .float4 = refuse_float,
    .float8 = refuse_double,
    .undefined = refuse_simple,
    .null = on_null,
    .boolean = on_boolean,
    .indef_break = refuse_simple,
};

CborType type_of(uint8_t initial) {
  static constexpr CborType kByMajor[] = {CborType::kUint, CborType::kNegative, CborType::kBytes,
                                          CborType::kText, CborType::kArray,    CborType::kMap};
  const unsigned major = initial >> 5;
  if (major < std::size(kByMajor)) return kByMajor[major];
  if (initial == 0xf4 || initial == 0xf5) return CborType::kBoolean;
  return initial == 0xf6 ? CborType::kNull : CborType::kNone;
}

}  // namespace

CborWriter& CborWriter::uint(uint64_t value) {
  uint8_t head[kHeadMax];
  const size_t size = cbor_encode_uint(value, head, sizeof head);
  out_.insert(out_.end(), head, head + size);
  return *this;
}

CborWriter& CborWriter::bytes(ByteView value) {
  append_start(out_, cbor_encode_bytestring_start, value.size());
  append(out_, value);
  return *this;
}

CborWriter& CborWriter::text(std::string_view value) {
  append_start(out_, cbor_encode_string_start, value.size());
  append(out_, as_bytes(value));
  return *this;
}

CborWriter& CborWriter::boolean(bool value) {
  uint8_t head[kHeadMax];
  const size_t size = cbor_encode_bool(value, head, sizeof head);
  out_.insert(out_.end(), head, head + size);
  return *this;
}

CborWriter& CborWriter::null() {
  uint8_t head[kHeadMax];
  const size_t size = cbor_encode_null(head, sizeof head);
  out_.insert(out_.end(), head, head + size);
  return *this;
}

CborWriter& CborWriter::array(size_t items) {
  append_start(out_, cbor_encode_array_start, items);
  return *this;
}

CborWriter& CborWriter::map(size_t pairs) {
  append_start(out_, cbor_encode_map_start, pairs);
  return *this;
}

CborWriter& CborWriter::raw(ByteView items) {
  append(out_, items);
  return *this;
}

CborType CborReader::peek() const {
  return failed_ || at_ == input_.size() ? CborType::kNone : type_of(input_[at_]);
}

// Reads the start of an item (and all of it, unless it is an array or map).
bool CborReader::next(Item& item) {
  if (failed_) return false;
  const ByteView rest = input_.subspan(at_);
  Seen seen;
  const cbor_decoder_result result =
      cbor_stream_decode(rest.data(), rest.size(), &kCallbacks, &seen);
  if (result.status != CBOR_DECODER_FINISHED || seen.type == CborType::kNone) {
    failed_ = true;
    return false;
  }
  const bool is_string = seen.type == CborType::kBytes || seen.type == CborType::kText;
  const bool is_simple = seen.type == CborType::kBoolean || seen.type == CborType::kNull;
  const size_t head = result.read - (is_string ? static_cast<size_t>(seen.number) : 0);
  if (head != (is_simple ? 1 : shortest_head(seen.number))) {
    failed_ = true;
    return false;
  }
  item.type = seen.type;
  item.number = seen.number;
  item.data = is_string ? ByteView(seen.data, static_cast<size_t>(seen.number)) : ByteView();
  at_ += result.read;

  if (item.type == CborType::kArray || item.type == CborType::kMap) {
    // Each item takes a byte at least: a count beyond the input is refused before it is believed.
    const uint64_t per_count = item.type == CborType::kMap ? 2 : 1;
    if (item.number > (input_.size() - at_) / per_count || depth_ == left_.size()) {
      failed_ = true;
      return false;
    }
    open_level(item.number * per_count);
  } else {
    close_levels();
  }
  return true;
}

bool CborReader::next(CborType wanted, Item& item) {
  if (peek() != wanted) {
    failed_ = true;
    return false;
  }
  return next(item);
}

void CborReader::open_level(uint64_t items) {
  left_[depth_++] = items;
  if (items == 0) {
    --depth_;
    close_levels();
  }
}

// An item has ended: so have the levels whose last one it was.
void CborReader::close_levels() {
  while (depth_ > 0 && --left_[depth_ - 1] == 0) --depth_;
}

uint64_t CborReader::uint(uint64_t max) {
  Item item;
  if (!next(CborType::kUint, item)) return 0;
  if (item.number > max) {
    failed_ = true;
    return 0;
  }
  return item.number;
}

ByteView CborReader::bytes(size_t size_max) {
  Item item;
  if (!next(CborType::kBytes, item)) return {};
  if (item.data.size() > size_max) {
    failed_ = true;
    return {};
  }
  return item.data;
}

std::string_view CborReader::text(size_t size_max) {
  Item item;
  if (!next(CborType::kText, item)) return {};
  if (item.data.size() > size_max || !utf8_valid(as_text(item.data))) {
    failed_ = true;
    return {};
  }
  return as_text(item.data);
}

bool CborReader::boolean() {
  Item item;
  return next(CborType::kBoolean, item) && item.number == 1;
}

void CborReader::null() {
  Item item;
  next(CborType::kNull, item);
}

size_t CborReader::array(size_t items_max) {
  Item item;
  if (!next(CborType::kArray, item)) return 0;
  if (item.number > items_max) {
    failed_ = true;
    return 0;
  }
  return static_cast<size_t>(item.number);
}

CborMap CborReader::map(size_t pairs_max) {
  Item item;
  if (!next(CborType::kMap, item) || item.number > pairs_max) {
    failed_ = true;
    return {*this, 0};
  }
  return {*this, static_cast<size_t>(item.number)};
}

void CborReader::skip() {
  Item item;
  if (!next(item)) return;
  switch (item.type) {
    case CborType::kText:
      if (!utf8_valid(as_text(item.data))) failed_ = true;
      break;
    case CborType::kArray:
      for (uint64_t i = 0; i < item.number && !failed_; ++i) skip();
      break;
    case CborType::kMap:
      skip_map(item.number);
      break;
    default:
      break;
  }
}

void CborReader::skip_map(uint64_t pairs) {
  for (CborMap map(*this, static_cast<size_t>(pairs)); map.next();) skip();
}

ByteView CborReader::item() {
  const size_t begin = at_;
  skip();
  return failed_ ? ByteView() : input_.subspan(begin, at_ - begin);
}

bool CborMap::next() {
  if (left_ == 0 || reader_->failed()) return false;
  --left_;
  const uint64_t key = reader_->uint();
  if (!first_ && key <= key_) reader_->fail();
  first_ = false;
  key_ = key;
  return !reader_->failed();
}

}  // namespace wherry::codec
