// payload   = {? 1: [record, …], ? 2: [ack, …], ? 3: endpoints, ? 4: [bundle, F[32]], ? 5: true,
//              ? 6: hash[32], ? 7: probe[16], ? 8: [probe[16], …], ? 9: moved}
// record    = {1: seq, 2: incarnation, 3: id[16], 4: clock, 5: sent ms, 6: content, ? 7: body,
//              ? 8: conversation[16], ? 9: device[16]}
// ack       = [incarnation, next, [from, to, …], ? conversation[16] / null, ? device[16]]
// moved     = [generation, incarnation, last]
// endpoints = {1: generation, 2: [[transport, endpoint], …], ? 3: [facts, …], ? 4: true}
#include "message/payload.h"

#include "base/limits.h"
#include "codec/cbor.h"
#include "codec/utf8.h"

namespace wherry::message {
namespace {

using codec::CborMap;
using codec::CborReader;
using codec::CborType;
using codec::CborWriter;

void write_record(CborWriter& out, const Record& record) {
  const size_t pairs = 6u + (record.content != kVoid ? 1u : 0u) + (record.conversation ? 1u : 0u) +
                       (record.device ? 1u : 0u);
  out.map(pairs);
  out.key(1).uint(record.seq);
  out.key(2).uint(record.incarnation);
  out.key(3).bytes(record.id);
  out.key(4).uint(record.clock);
  out.key(5).uint(static_cast<uint64_t>(record.sent_ms));
  out.key(6).uint(static_cast<uint64_t>(record.content));
  if (record.content != kVoid) out.key(7).bytes(record.body);
  if (record.conversation) out.key(8).bytes(*record.conversation);
  if (record.device) out.key(9).bytes(*record.device);
}

Record read_record(CborReader& in) {
  Record record;
  for (CborMap map = in.map(); map.next();) {
    switch (map.key()) {
      case 1:
        record.seq = in.uint(INT64_MAX);
        break;
      case 2:
        record.incarnation = in.uint();
        break;
      case 3:
        record.id = in.fixed<16>();
        break;
      case 4:
        record.clock = in.uint(INT64_MAX);
        break;
      case 5:
        record.sent_ms = static_cast<int64_t>(in.uint(INT64_MAX));
        break;
      case 6:
        record.content = static_cast<int32_t>(in.uint(INT32_MAX));
        break;
      case 7: {
        const ByteView body = in.bytes(limits::kBodySizeMax);
        record.body.assign(body.begin(), body.end());
        break;
      }
      case 8:
        record.conversation = in.fixed<16>();
        break;
      case 9:
        record.device = in.fixed<16>();
        break;
      default:
        in.skip();
    }
  }
  if (record.seq == 0) in.fail();
  if (record.content == kVoid) record.body.clear();  // a void has none
  return record;
}

void write_ack(CborWriter& out, const Ack& ack) {
  const size_t items = ack.device ? 5 : ack.conversation ? 4 : 3;
  out.array(items).uint(ack.incarnation).uint(ack.next).array(ack.ranges.size() * 2);
  for (const AckRange& range : ack.ranges) out.uint(range.from).uint(range.to);
  if (items >= 4 && ack.conversation) out.bytes(*ack.conversation);
  if (items >= 4 && !ack.conversation) out.null();
  if (ack.device) out.bytes(*ack.device);
}

Ack read_ack(CborReader& in) {
  Ack ack;
  const size_t items = in.array(5);
  if (items < 3) in.fail();
  ack.incarnation = in.uint();
  ack.next = in.uint(INT64_MAX);
  const size_t numbers = in.array(limits::kAckRanges * 2);
  if (ack.next == 0 || numbers % 2 != 0) in.fail();
  uint64_t above = ack.next;  // a range lies above it and does not touch it
  for (size_t i = 0; i + 1 < numbers && !in.failed(); i += 2) {
    const AckRange range{in.uint(INT64_MAX), in.uint(INT64_MAX)};
    if (range.from <= above || range.to < range.from) in.fail();
    above = range.to + 1;
    ack.ranges.push_back(range);
  }
  if (items >= 4) {
    if (in.peek() == CborType::kNull) {
      in.null();
    } else {
      ack.conversation = in.fixed<16>();
    }
  }
  if (items >= 5) ack.device = in.fixed<16>();
  return ack;
}

void write_endpoints(CborWriter& out, const Endpoints& endpoints) {
  out.map(2u + (endpoints.permits ? 1u : 0u) + (endpoints.chosen ? 1u : 0u));
  out.key(1).uint(endpoints.generation);
  out.key(2).array(endpoints.list.size());
  for (const Endpoint& endpoint : endpoints.list) {
    out.array(2).text(endpoint.transport).text(endpoint.text);
  }
  if (endpoints.permits) {
    out.key(3).array(endpoints.permits->size());
    for (uint32_t facts : *endpoints.permits) out.uint(facts);
  }
  if (endpoints.chosen) out.key(4).boolean(true);
}

Endpoints read_endpoints(CborReader& in) {
  Endpoints endpoints;
  for (CborMap map = in.map(); map.next();) {
    switch (map.key()) {
      case 1:
        endpoints.generation = in.uint(INT64_MAX);
        break;
      case 2: {
        const size_t count = in.array(limits::kEndpointsMax);
        for (size_t i = 0; i < count && !in.failed(); ++i) {
          if (in.array(2) != 2) in.fail();
          const std::string_view transport = in.text(limits::kTransportNameMax);
          const std::string_view text = in.text(limits::kEndpointTextMax);
          if (!codec::printable(transport) || !codec::printable(text)) in.fail();
          endpoints.list.push_back({std::string(transport), std::string(text)});
        }
        break;
      }
      case 3: {
        const size_t count = in.array(limits::kPermitsMax);
        endpoints.permits.emplace();
        for (size_t i = 0; i < count && !in.failed(); ++i) {
          endpoints.permits->push_back(static_cast<uint32_t>(in.uint(UINT32_MAX)));
        }
        break;
      }
      case 4:
        endpoints.chosen = in.boolean();
        break;
      default:
        in.skip();
    }
  }
  return endpoints;
}

void write_moved(CborWriter& out, const Moved& moved) {
  out.array(3).uint(moved.generation).uint(moved.incarnation).uint(moved.last);
}

Moved read_moved(CborReader& in) {
  Moved moved;
  if (in.array(3) != 3) in.fail();
  moved.generation = in.uint(INT64_MAX);
  moved.incarnation = in.uint();
  moved.last = in.uint(INT64_MAX);
  return moved;
}

ResetOffer read_reset(CborReader& in) {
  ResetOffer offer;
  if (in.array(2) != 2) in.fail();
  const ByteView bundle = in.bytes(limits::kBundleSize);
  offer.bundle.assign(bundle.begin(), bundle.end());
  offer.fetch = in.fixed<32>();
  return offer;
}

Error malformed(const char* what) {
  return refuse(WHERRY_REASON_MALFORMED, std::string(what) + " does not follow the format");
}

}  // namespace

Bytes encode(const Record& record) {
  CborWriter out(record.body.size() + kRecordOverhead);
  write_record(out, record);
  return out.take();
}

Bytes encode(const Payload& payload) {
  CborWriter out(512);
  out.map((payload.records.empty() ? 0u : 1u) + (payload.acks.empty() ? 0u : 1u) +
          (payload.endpoints ? 1u : 0u) + (payload.reset ? 1u : 0u) + (payload.reseal ? 1u : 0u) +
          (payload.follows ? 1u : 0u) + (payload.probe ? 1u : 0u) +
          (payload.answers.empty() ? 0u : 1u) + (payload.moved ? 1u : 0u));
  if (!payload.records.empty()) {
    out.key(1).array(payload.records.size());
    for (const Record& record : payload.records) write_record(out, record);
  }
  if (!payload.acks.empty()) {
    out.key(2).array(payload.acks.size());
    for (const Ack& ack : payload.acks) write_ack(out, ack);
  }
  if (payload.endpoints) {
    out.key(3);
    write_endpoints(out, *payload.endpoints);
  }
  if (payload.reset) {
    out.key(4).array(2).bytes(payload.reset->bundle).bytes(payload.reset->fetch);
  }
  if (payload.reseal) out.key(5).boolean(true);
  if (payload.follows) out.key(6).bytes(*payload.follows);
  if (payload.probe) out.key(7).bytes(*payload.probe);
  if (!payload.answers.empty()) {
    out.key(8).array(payload.answers.size());
    for (const Id128& answer : payload.answers) out.bytes(answer);
  }
  if (payload.moved) {
    out.key(9);
    write_moved(out, *payload.moved);
  }
  return out.take();
}

Result<Payload> decode_payload(ByteView cbor) {
  CborReader in(cbor);
  Payload payload;
  for (CborMap map = in.map(); map.next();) {
    switch (map.key()) {
      case 1: {
        const size_t count = in.array(limits::kPayloadRecords);
        for (size_t i = 0; i < count && !in.failed(); ++i) {
          payload.records.push_back(read_record(in));
        }
        break;
      }
      case 2: {
        const size_t count = in.array(limits::kPayloadAcks);
        for (size_t i = 0; i < count && !in.failed(); ++i) payload.acks.push_back(read_ack(in));
        break;
      }
      case 3:
        payload.endpoints = read_endpoints(in);
        break;
      case 4:
        payload.reset = read_reset(in);
        break;
      case 5:
        payload.reseal = in.boolean();
        break;
      case 6:
        payload.follows = in.fixed<32>();
        break;
      case 7:
        payload.probe = in.fixed<16>();
        break;
      case 8: {
        const size_t count = in.array(limits::kAnswersMax);
        for (size_t i = 0; i < count && !in.failed(); ++i) {
          payload.answers.push_back(in.fixed<16>());
        }
        break;
      }
      case 9:
        payload.moved = read_moved(in);
        break;
      default:
        in.skip();
    }
  }
  if (!in.done()) return malformed("a payload");
  return payload;
}

Result<Record> decode_record(ByteView cbor) {
  CborReader in(cbor);
  Record record = read_record(in);
  if (!in.done()) return malformed("a record");
  return record;
}

Bytes Moved::to_bytes() const {
  CborWriter out;
  write_moved(out, *this);
  return out.take();
}

Result<Moved> Moved::from_bytes(ByteView cbor) {
  CborReader in(cbor);
  const Moved moved = read_moved(in);
  if (!in.done()) return malformed("a move");
  return moved;
}

Bytes Endpoints::to_bytes() const {
  CborWriter out;
  write_endpoints(out, *this);
  return out.take();
}

Result<Endpoints> Endpoints::from_bytes(ByteView cbor) {
  CborReader in(cbor);
  Endpoints endpoints = read_endpoints(in);
  if (!in.done()) return malformed("a list of endpoints");
  return endpoints;
}

}  // namespace wherry::message
