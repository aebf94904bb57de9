// Errors into the caller's memory; default texts.
#include "capi/guard.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "capi/schema_texts.h"
#include "plugin/open_struct.h"

namespace wherry::capi {

int32_t report(const Error& error, wherry_error* out) {
  if (out == nullptr) return error.status;
  out->status = error.status;
  out->reason = error.reason;
  size_t length = std::min(error.text.size(), sizeof out->text - 1);
  // Never the first half of a UTF-8 sequence.
  while (length > 0 && length < error.text.size() &&
         (static_cast<uint8_t>(error.text[length]) & 0xc0) == 0x80) {
    --length;
  }
  std::memcpy(out->text, error.text.data(), length);
  out->text[length] = 0;
  return error.status;
}

Status check_error_struct(const wherry_error* error) {
  if (error == nullptr || size_fits(error, kErrorSizeFirst)) return {};
  return fail(WHERRY_E_SIZE, "wherry_error has an unknown size: use WHERRY_ERROR_INIT");
}

}  // namespace wherry::capi

extern "C" {

const char* wherry_version(void) {
  return WHERRY_VERSION_TEXT;
}

const char* wherry_reason_text(int32_t reason) {
  return wherry::capi::reason_text(reason);
}

const char* wherry_status_text(int32_t status) {
  switch (status) {
    case WHERRY_OK:
      return "done";
    case WHERRY_E_ARGUMENT:
      return "an argument is NULL or out of range";
    case WHERRY_E_HANDLE:
      return "the profile is not open";
    case WHERRY_E_SIZE:
      return "a struct has an unknown size: use its _INIT";
    case WHERRY_E_UTF8:
      return "a text is not valid UTF-8";
    case WHERRY_E_FORKED:
      return "the process forked after the profile was opened";
    case WHERRY_E_CLOSED:
      return "the profile was closed";
    case WHERRY_E_NOT_FOUND:
      return "there is nothing with this id or name";
    case WHERRY_E_EXISTS:
      return "it exists already";
    case WHERRY_E_STATE:
      return "the call does not fit the state";
    case WHERRY_E_TOO_LARGE:
      return "it is too large";
    case WHERRY_E_SETTING:
      return "a setting is unknown, missing or malformed";
    case WHERRY_E_REF:
      return "this ref was used for another message";
    case WHERRY_E_PERMITS:
      return "it would reveal more than the profile permits";
    case WHERRY_E_CARD_MALFORMED:
      return "this is not a contact card, or it is cut off or mistyped";
    case WHERRY_E_CARD_FORGED:
      return "the card's signature does not fit";
    case WHERRY_E_CARD_EXPIRED:
      return "the card has expired: ask for a new one";
    case WHERRY_E_CARD_OWN:
      return "the card is this profile's own";
    case WHERRY_E_CARD_VERSION:
      return "the card was made by a newer version";
    case WHERRY_E_DISK:
      return "the disk is full or failed; nothing was changed";
    case WHERRY_E_LOCKED:
      return "the profile is open already";
    case WHERRY_E_KEY:
      return "the passphrase or key is wrong";
    case WHERRY_E_CORRUPT:
      return "the profile's files are damaged";
    case WHERRY_E_NEWER:
      return "the profile was written by a newer version";
    case WHERRY_E_READ_ONLY:
      return "the profile's directory can not be written to";
    case WHERRY_E_NO_PROFILE:
      return "there is no profile at this path";
    case WHERRY_E_MEMORY:
      return "out of memory, threads or descriptors";
    case WHERRY_E_INTERNAL:
      return "a bug of the library: please report it";
    case WHERRY_E_AGAIN:
      return "a queue is full: call again later";
    case WHERRY_E_TIMEOUT:
      return "nothing came within the time";
    default:
      return "unknown status";
  }
}

}  // extern "C"
