// The relay's key and certificate, on OpenSSL.
#include "identity.h"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <vector>

#include "transports/common/crypto.h"
#include "transports/common/relay_keys.h"

namespace wherry::relay {
namespace {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;

constexpr long kValidSeconds = 3650L * 86400L;

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string to_pem(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!bio ||
      PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return {};
  }
  return text_of(bio.get());
}

Key from_pem(const std::string& pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return Key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr) : nullptr);
}

std::optional<transports::Pin> pin_of(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  if (size <= 0) return std::nullopt;
  const transports::Pin pin = transports::pin_of({der, static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return pin;
}

// Self-signed, with a name that says nothing.
std::string make_certificate(EVP_PKEY* key) {
  const Certificate certificate(X509_new());
  if (!certificate) return {};
  X509_set_version(certificate.get(), X509_VERSION_3);
  std::int64_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof(serial));
  ASN1_INTEGER_set_int64(X509_get_serialNumber(certificate.get()), serial & INT64_MAX);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -86400);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kValidSeconds);
  X509_NAME* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  X509_set_pubkey(certificate.get(), key);
  if (X509_sign(certificate.get(), key, EVP_sha256()) == 0) return {};
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), certificate.get()) != 1) return {};
  return text_of(bio.get());
}

bool write_all(int file, const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = write(file, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    done += static_cast<std::size_t>(count);
  }
  return fsync(file) == 0;
}

// Written beside and renamed: a crash leaves the whole key or none.
bool save_key(const std::filesystem::path& file, const std::string& text) {
  const std::filesystem::path beside = file.string() + ".new";
  const int descriptor = open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) return false;
  const bool written = write_all(descriptor, text);
  close(descriptor);
  if (!written || rename(beside.c_str(), file.c_str()) != 0) return false;
  const int directory = open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return false;
  const bool synced = fsync(directory) == 0;
  close(directory);
  return synced;
}

// For what can not be done with a key.
auto complaints(const std::filesystem::path& file, std::string& error) {
  return [&](const char* what, const char* why) {
    error = std::string("cannot ") + what + " the key " + file.string() + ": " + why;
    return std::nullopt;
  };
}

std::optional<std::string> read_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream) return std::nullopt;
  return text.str();
}

}  // namespace

std::optional<transports::tor::Seed> load_onion_key(const std::filesystem::path& directory,
                                                    std::string& error) {
  const std::filesystem::path file = directory / "onion.key";
  const auto fail = complaints(file, error);
  transports::tor::Seed seed{};
  if (!std::filesystem::exists(file)) {
    transports::random_bytes(seed);
    if (!save_key(file, {seed.begin(), seed.end()})) return fail("write", std::strerror(errno));
    return seed;
  }
  const auto bytes = read_file(file);
  if (!bytes) return fail("read", std::strerror(errno));
  if (bytes->size() != seed.size()) return fail("use", "it does not have 32 bytes");
  std::copy(bytes->begin(), bytes->end(), seed.begin());
  return seed;
}

std::optional<Identity> load_identity(const std::filesystem::path& directory, std::string& error) {
  const std::filesystem::path file = directory / "relay.key";
  const auto fail = complaints(file, error);
  Key key;
  if (std::filesystem::exists(file)) {
    const auto pem = read_file(file);
    if (!pem) return fail("read", std::strerror(errno));
    key = from_pem(*pem);
    if (!key) return fail("use", "it is not a private key in PEM");
  } else {
    key.reset(EVP_EC_gen("P-256"));
    if (!key) return fail("make", "OpenSSL failed");
    if (!save_key(file, to_pem(key.get()))) return fail("write", std::strerror(errno));
  }
  Identity identity;
  identity.key_pem = to_pem(key.get());
  identity.certificate_pem = make_certificate(key.get());
  const auto pin = pin_of(key.get());
  if (identity.key_pem.empty() || identity.certificate_pem.empty() || !pin) {
    return fail("use", "OpenSSL failed");
  }
  identity.pin = *pin;
  return identity;
}

}  // namespace wherry::relay
