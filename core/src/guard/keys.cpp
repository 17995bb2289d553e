#include "guard/keys.h"

#include <nettle/hmac.h>
#include <rapidjson/document.h>

#include <array>
#include <mutex>
#include <optional>

#include "guard/base64url.h"

namespace farthing::guard {
namespace {

constexpr std::size_t id_hash_bytes = 8;
constexpr std::size_t fingerprint_digits = 4;

bool same_name(std::string_view a, std::string_view lower) {
  if (a.size() != lower.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const char c = a[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) != lower[i]) return false;
  }
  return true;
}

void append_hex(std::string& out, std::span<const std::uint8_t> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (const std::uint8_t byte : bytes) {
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
}

/// Issuer and subject of a JWT, which stay while tokens rotate. Nothing is verified: the provider does that.
std::optional<std::string> jwt_identity(std::string_view token) {
  const std::size_t first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const auto payload = from_base64url(token.substr(first + 1, second - first - 1));
  if (!payload) return std::nullopt;
  rapidjson::Document json;
  json.Parse<rapidjson::kParseIterativeFlag>(payload->data(), payload->size());
  if (json.HasParseError() || !json.IsObject()) return std::nullopt;
  const auto text = [&json](const char* name) -> std::string {
    const auto member = json.FindMember(name);
    return member != json.MemberEnd() && member->value.IsString()
               ? std::string(member->value.GetString(), member->value.GetStringLength())
               : std::string();
  };
  const std::string subject = text("sub");
  if (subject.empty()) return std::nullopt;
  return "jwt\n" + text("iss") + "\n" + subject;
}

Credential of_token(std::string_view token) {
  if (token.empty()) return {};
  if (token.starts_with("eyJ")) return {Credential::Kind::jwt, token};
  // Google's and GitHub's OAuth tokens: short-lived, opaque.
  if (token.starts_with("ya29.") || token.starts_with("gho_") || token.starts_with("ghu_")) {
    return {Credential::Kind::rotating, token};
  }
  return {Credential::Kind::key, token};
}

Credential of_authorization(std::string_view value) {
  const std::size_t space = value.find(' ');
  if (space == std::string_view::npos) return of_token(value);
  const std::string_view scheme = value.substr(0, space);
  std::string_view rest = value.substr(space + 1);
  while (!rest.empty() && rest.front() == ' ')
    rest.remove_prefix(1);
  if (scheme.starts_with("AWS4-")) {
    const std::size_t at = rest.find("Credential=");
    if (at == std::string_view::npos) return {Credential::Kind::rotating, rest};
    rest.remove_prefix(at + std::string_view("Credential=").size());
    return {Credential::Kind::sigv4, rest.substr(0, rest.find_first_of("/, "))};
  }
  return of_token(rest);
}

}  // namespace

Credential credential_of_token(std::string_view token) {
  return of_token(token);
}

Credential credential_of(std::span<const HeaderView> headers) {
  // A key header of the provider's own goes before `authorization`: gateways put their own token there.
  Credential found;
  for (const HeaderView& header : headers) {
    switch (header.name.size()) {
      case 7:
        if (same_name(header.name, "api-key") && !header.value.empty()) return {Credential::Kind::key, header.value};
        break;
      case 9:
        if (same_name(header.name, "x-api-key") && !header.value.empty()) return {Credential::Kind::key, header.value};
        break;
      case 13:
        if (same_name(header.name, "authorization")) found = of_authorization(header.value);
        break;
      case 14:
        if (same_name(header.name, "x-goog-api-key") && !header.value.empty()) {
          return {Credential::Kind::key, header.value};
        }
        break;
      default:
        break;
    }
  }
  return found;
}

struct KeyHasher::Inside {
  hmac_sha256_ctx keyed{};  // with both pads worked in: copied for each hash

  // The last one: most processes use one key, and hashing it costs more than all else that is done with it. In memory
  // only, where the client has it too. Who does not get the lock at once hashes: a forked child may never get it.
  std::mutex mutex;
  std::string last_key, last_id;
};

KeyHasher::KeyHasher(std::string_view secret) : inside_(std::make_unique<Inside>()) {
  hmac_sha256_set_key(&inside_->keyed, secret.size(), reinterpret_cast<const std::uint8_t*>(secret.data()));
  constexpr std::string_view purpose = "farthing fingerprint";
  hmac_sha256_ctx hash = inside_->keyed;
  hmac_sha256_update(&hash, purpose.size(), reinterpret_cast<const std::uint8_t*>(purpose.data()));
  std::array<std::uint8_t, 2> digest{};
  hmac_sha256_digest(&hash, digest.size(), digest.data());
  append_hex(fingerprint_, digest);
}

std::uint64_t KeyHasher::number(std::string_view purpose, std::span<const std::string_view> texts) const {
  hmac_sha256_ctx hash = inside_->keyed;
  const auto add = [&hash](std::string_view text) {
    const std::uint64_t size = text.size();  // "ab" and "c" are not "a" and "bc"
    hmac_sha256_update(&hash, sizeof size, reinterpret_cast<const std::uint8_t*>(&size));
    hmac_sha256_update(&hash, text.size(), reinterpret_cast<const std::uint8_t*>(text.data()));
  };
  add(purpose);
  for (const std::string_view text : texts)
    add(text);
  std::uint64_t value = 0;
  hmac_sha256_digest(&hash, sizeof value, reinterpret_cast<std::uint8_t*>(&value));
  return value;
}

KeyHasher::~KeyHasher() = default;

std::string KeyHasher::id_of_key(std::string_view key) const {
  const std::unique_lock lock(inside_->mutex, std::try_to_lock);
  if (lock.owns_lock() && !inside_->last_id.empty() && inside_->last_key == key) return inside_->last_id;
  std::array<std::uint8_t, id_hash_bytes> digest{};
  hmac_sha256_ctx hash = inside_->keyed;
  hmac_sha256_update(&hash, key.size(), reinterpret_cast<const std::uint8_t*>(key.data()));
  hmac_sha256_digest(&hash, digest.size(), digest.data());
  std::string id = "k";
  id.reserve(1 + 2 * id_hash_bytes + 1 + fingerprint_digits);
  append_hex(id, digest);
  id += '-';
  id += fingerprint_;
  if (lock.owns_lock()) {
    inside_->last_key = key;
    inside_->last_id = id;
  }
  return id;
}

std::string KeyHasher::of_request(std::string_view key_id, std::string_view host, std::string_view path,
                                  std::string_view body) const {
  hmac_sha256_ctx hash = inside_->keyed;
  const auto add = [&hash](std::string_view text) {
    hmac_sha256_update(&hash, text.size(), reinterpret_cast<const std::uint8_t*>(text.data()));
  };
  for (const std::string_view part : {std::string_view("farthing request"), key_id, host, path}) {
    add(part);
    add("\n");
  }
  // A form's boundary is new in each request.
  const std::string_view boundary = body.starts_with("--") ? body.substr(0, body.find_first_of("\r\n")) : "";
  while (!boundary.empty()) {
    const std::size_t at = body.find(boundary);
    if (at == std::string_view::npos) break;
    add(body.substr(0, at));
    body.remove_prefix(at + boundary.size());
  }
  add(body);
  constexpr std::size_t bytes = 16;
  std::array<std::uint8_t, bytes> digest{};
  hmac_sha256_digest(&hash, digest.size(), digest.data());
  std::string text;
  append_hex(text, digest);
  return text;
}

std::string KeyHasher::id(const Credential& credential, std::string_view host) const {
  switch (credential.kind) {
    case Credential::Kind::none:
      return "";
    case Credential::Kind::key:
      return id_of_key(credential.text);
    case Credential::Kind::sigv4:
      return id_of_key("sigv4\n" + std::string(credential.text));
    case Credential::Kind::jwt:
      if (const auto identity = jwt_identity(credential.text)) return id_of_key(*identity);
      break;
    case Credential::Kind::rotating:
      break;
  }
  return "oauth@" + std::string(host);
}

std::string_view fingerprint_of(std::string_view id) {
  constexpr std::size_t size = 1 + 2 * id_hash_bytes + 1 + fingerprint_digits;
  if (id.size() != size || id.front() != 'k' || id[size - fingerprint_digits - 1] != '-') return {};
  return id.substr(size - fingerprint_digits);
}

}  // namespace farthing::guard
