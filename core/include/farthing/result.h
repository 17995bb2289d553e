// Result<T>: a value or an Error. The core throws nothing across its public API; a refusal is not an
// error but a value of its own (farthing/denial.h).
//
//   Result<Usd> limit = parse_usd("5 USD");
//   if (!limit) return limit.error();
//   use(*limit);
//
// Thread-safety: a value like any other.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace farthing {

/// Every code a caller can meet, the same text in all languages (`code_text`). The first group are the
/// codes of refusals (they reach the caller as HTTP 402), the second those of errors.
enum class Code {
  // refusals
  cap_exceeded,
  per_call_cap_exceeded,
  label_required,     // a cap with absent = "refuse" and a call without that label (R5)
  too_many_caps,      // more than 64 counters for one call (R9)
  too_many_counters,  // max_counters of a cap reached (R9)
  halted,
  unpriced_model,
  unbounded_request,
  unknown_endpoint,
  unreadable_request,  // the body is not what its dialect takes, so it cannot be bounded
  policy_conflict,     // two guards on different stores around one client (R32)
  duplicate,           // an equal request is a pending job (R17)
  store_unavailable,
  // errors
  invalid_argument,
  invalid_money,
  invalid_policy,
  not_in_this_version,  // R43
  policy_superseded,    // R6
  unknown_cap,
  unknown_attempt,
  unknown_job,
  unknown_halt,
  unknown_policy,
  store_foreign,  // a file that is not a Farthing store, or one of before the first release
  store_corrupt,
  store_newer,       // R38
  store_replaced,    // R37
  store_not_shared,  // memory: in a forked child (R36)
  store_on_network,  // a file system that machines share
  store_busy,        // others have it, and who asked does not wait (an event loop, R42); calls do not meet it
  overflow,
  closed,
  fetch_failed,     // a URL could not be fetched
  library_missing,  // what is opened only when it is needed is not on this machine: libcurl
};

/// "cap_exceeded" for Code::cap_exceeded.
std::string_view code_text(Code code);

struct Error {
  Code code;
  std::string message;  // one or more sentences for a person: what was wrong, where, what is accepted
};

struct Nothing {};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::move(error)) {}  // NOLINT(google-explicit-constructor)
  explicit operator bool() const { return state_.index() == 0; }
  bool ok() const { return state_.index() == 0; }
  T& value() & {
    assert(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    assert(ok());
    return *std::get_if<0>(&state_);
  }
  T value() && {
    assert(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const Error& error() const {
    assert(!ok());
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, Error> state_;
};

/// Whether something was done. As most are: ending one must cost no more than a look.
template <>
class [[nodiscard]] Result<Nothing> {
 public:
  Result(Nothing /*done*/) {}                        // NOLINT(google-explicit-constructor)
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)
  explicit operator bool() const { return !error_; }
  bool ok() const { return !error_; }
  const Error& error() const {
    assert(!ok());
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<Nothing>;
inline Status success() {
  return Nothing{};
}

}  // namespace farthing
