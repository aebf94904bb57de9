// The listening half: one ROUTER socket for all inboxes. Who may come in is asked of a ZAP handler
// (rfc.zeromq.org/spec/27): a key that an inbox knows, and no other, and what comes then is that
// inbox's. The worker's own: nothing here is thread-safe.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "bucket.h"
#include "callers.h"
#include "endpoint.h"
#include "meeting.h"
#include "transports/common/links/frames.h"

namespace wherry::transports::p2p {

struct Arrival {
  std::uint64_t receipt = 0;
  std::span<const std::uint8_t> envelope;
};

class Door {
 public:
  // Takes what it can of envelopes for an inbox, from the first on: how many.
  using Taker = std::function<std::size_t(std::uint64_t inbox, const std::vector<Arrival>&)>;

  // `secret` is the listener's CURVE key; links that both ends open are opened from
  // `meeting_port`, 0: none are; receipts are counted on from `receipts`.
  Door(zmq::context_t& context, Intake& intake, const Key& secret, std::uint16_t meeting_port,
       std::uint64_t receipts, Taker taker);

  // The port; 0: it can not listen there, for the system's reason.
  std::uint16_t bind(const Address& address, std::string& reason);

  void allow(std::uint64_t inbox, const Key& pass);
  // Also whoever is here by its pass has to go.
  void forbid(std::uint64_t inbox);

  void* zap() { return zap_.handle(); }        // readable: answer_zap()
  void* socket() { return router_.handle(); }  // readable: receive()
  Callers& callers() { return callers_; }
  Meetings& meetings() { return meetings_; }
  // How many were given.
  std::uint64_t receipts() const { return next_receipt_ - 1; }
  void answer_zap(Clock::time_point now);
  // A few frames. False: the taker has no more room; nothing is read before resume().
  bool receive();
  bool resume(Clock::time_point now);

  // An envelope is durable.
  void stored(std::uint64_t receipt);
  // Tells the diallers what was noted by stored().
  void flush();

 private:
  // That a pass is good, for one inbox. What comes says by whose number it was let in: the inbox's
  // id would do for another pass one day.
  struct Admission {
    std::uint64_t number = 0;
    std::uint64_t inbox = 0;
    Bucket handshakes{kHandshakesAtOnce, kHandshakeEvery};
  };
  struct Origin {
    std::string link;  // the ROUTER's name for the dialler's connection
    std::uint32_t number = 0;
  };
  // What was read and not taken yet. It stays where it is: the envelopes point into the body.
  struct Rest {
    std::string link;
    std::uint64_t inbox = 0;
    zmq::message_t body;
    std::vector<links::NumberedEnvelope> envelopes;
    std::size_t taken = 0;  // of them
  };

  bool admit(std::string link, zmq::message_t body, bool whole);
  bool read(Rest& rest);
  bool offer(Rest& rest);
  void tell(const std::string& link, const links::Bytes& frame);

  zmq::socket_t zap_;
  zmq::socket_t router_;
  Meetings meetings_;
  Callers callers_;
  const Taker taker_;
  std::map<Key, Admission> admissions_;  // by the key that diallers show
  std::uint64_t last_admission_ = 0;
  std::map<std::uint64_t, Origin> origins_;  // of what is not durable yet, by receipt
  std::map<std::string, std::vector<std::uint32_t>> durable_;  // to be told, by link
  std::uint64_t next_receipt_;
  std::optional<Rest> rest_;
};

}  // namespace wherry::transports::p2p
