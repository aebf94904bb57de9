// Deterministic CBOR: what the reader accepts is encoded by the writer to the same bytes, so that
// no value has two encodings; and passing over an item accepts just what reading it does. Texts are
// UTF-8, keys rise, and nesting has its bound.
#include "base/limits.h"
#include "codec/cbor.h"
#include "codec/utf8.h"
#include "fuzz.h"

namespace {

using namespace wherry::codec;

// Reads one item, and writes what was read.
void copy(CborReader& in, CborWriter& out, size_t depth) {
  must(depth <= wherry::limits::kCborDepth);
  switch (in.peek()) {
    case CborType::kUint:
      out.uint(in.uint());
      return;
    case CborType::kNegative:
      out.raw(in.item());  // nothing of ours has one: skipped, never read
      return;
    case CborType::kBytes:
      out.bytes(in.bytes());
      return;
    case CborType::kText: {
      const std::string_view text = in.text();
      must(utf8_valid(text));
      out.text(text);
      return;
    }
    case CborType::kBoolean:
      out.boolean(in.boolean());
      return;
    case CborType::kNull:
      in.null();
      out.null();
      return;
    case CborType::kArray: {
      const size_t items = in.array();
      out.array(items);
      for (size_t i = 0; i < items && !in.failed(); ++i) copy(in, out, depth + 1);
      return;
    }
    case CborType::kMap: {
      // How many pairs it has is known when they were read: they are announced afterwards.
      CborWriter pairs;
      size_t count = 0;
      for (CborMap map = in.map(); map.next(); ++count) {
        pairs.key(map.key());
        copy(in, pairs, depth + 1);
      }
      out.map(count).raw(pairs.view());
      return;
    }
    case CborType::kNone:
      in.fail();
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const wherry::ByteView input(data, size);
  CborReader reading(input);
  CborWriter out;
  copy(reading, out, 0);
  CborReader skipping(input);
  const wherry::ByteView item = skipping.item();
  must(reading.done() == skipping.done() && reading.failed() == skipping.failed());
  if (!reading.done()) return 0;
  must(wherry::equal(out.view(), input) && wherry::equal(item, input));
  return 0;
}
