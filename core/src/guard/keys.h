// Keys: which API key a request carries, known by a keyed hash, never by its value (R30).
//
//   KeyHasher hasher(secret);
//   std::string id = hasher.id(credential_of(headers), host);  // "k3f9a1c2b4d5e6f70-a1b2": hash, then the secret's fingerprint
//
// Thread-safety: KeyHasher is immutable after construction.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "farthing/guard.h"

namespace farthing::guard {

/// Where a request's credential was found, and what of it stays the same while the token rotates.
struct Credential {
  enum class Kind : std::uint8_t {
    none,
    key,       // an API key: known by its text
    jwt,       // known by issuer and subject
    sigv4,     // known by the access key id
    rotating,  // nothing in it lasts: "oauth@host"
  } kind = Kind::none;
  std::string_view text;  // the credential as sent; for sigv4 the access key id
};

Credential credential_of(std::span<const HeaderView> headers);

/// A key or token as it stands in an environment variable: whose it is stays while a token rotates.
Credential credential_of_token(std::string_view token);

class KeyHasher {
 public:
  explicit KeyHasher(std::string_view secret);
  ~KeyHasher();
  KeyHasher(const KeyHasher&) = delete;
  KeyHasher& operator=(const KeyHasher&) = delete;

  /// The id of a credential; "" where there is none.
  std::string id(const Credential& credential, std::string_view host) const;
  /// The id of a key given as text, as `[[api_key]] env` has them.
  std::string id_of_key(std::string_view key) const;
  /// Several texts as one number, from which none of them can be told; another one for each purpose.
  std::uint64_t number(std::string_view purpose, std::span<const std::string_view> texts) const;
  /// R17: what equal requests of one key have in common, and nothing else tells; the boundary of a form aside.
  std::string of_request(std::string_view key_id, std::string_view host, std::string_view path,
                         std::string_view body) const;
  /// 4 hex digits of the secret's hash: two stores with different secrets are told apart.
  const std::string& fingerprint() const { return fingerprint_; }

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
  std::string fingerprint_;
};

/// The fingerprint that an id carries; "" when it is not an id of ours.
std::string_view fingerprint_of(std::string_view id);

}  // namespace farthing::guard
