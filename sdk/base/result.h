// Expected failures as values: a status for the caller, a reason for what the outside did, a line
// of English. Nothing in sdk/ throws.
#ifndef WHERRY_BASE_RESULT_H
#define WHERRY_BASE_RESULT_H

#include <cassert>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "wherry/wherry.h"

namespace wherry {

struct Error {
  int32_t status = WHERRY_E_INTERNAL;   // wherry_status
  int32_t reason = WHERRY_REASON_NONE;  // wherry_reason
  std::string text;                     // one line; says what to do where something can be done
};

inline Error fail(int32_t status, std::string text) {
  return Error{status, WHERRY_REASON_NONE, std::move(text)};
}

// For input from another person or relay: only the reason matters, no caller made a mistake.
inline Error refuse(int32_t reason, std::string text) {
  return Error{WHERRY_E_INTERNAL, reason, std::move(text)};
}

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : held_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return held_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() {
    assert(ok());
    return *std::get_if<0>(&held_);
  }
  const T& value() const {
    assert(ok());
    return *std::get_if<0>(&held_);
  }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T take() { return std::move(value()); }

  const Error& error() const {
    assert(!ok());
    return *std::get_if<1>(&held_);
  }

 private:
  std::variant<T, Error> held_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}
  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const {
    assert(!ok());
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace wherry

#endif  // WHERRY_BASE_RESULT_H
