// Scope: who a call is for: labels, the runs it is inside, the action it belongs to (R27, R28). Immutable; entering
// something makes a new one. Bindings keep the ambient scope (a context variable, AsyncLocalStorage).
//
//   auto scope = Scope::root()->with(Labels{{"user", "u1"}});
//   auto inside = *scope->enter_task("triage", parse_usd("0.50 USD").value());
//   std::string token = inside->token();          // for threads, children, other hosts: Scope::join(token)
//
// Thread-safety: immutable; share freely.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "farthing/labels.h"
#include "farthing/money.h"
#include "farthing/result.h"

namespace farthing {

/// One entering of a task (R28).
struct Run {
  std::string id;
  std::string task;
  std::optional<Usd> limit;  // lives in the run's counter, not in the registry
};

/// R28: calls are held on all outer runs, at most so many deep.
inline constexpr std::size_t max_run_depth = 8;

class Scope {
 public:
  static std::shared_ptr<const Scope> root();
  /// These labels over the ones here.
  Result<std::shared_ptr<const Scope>> with(const Labels& labels) const;
  /// A new run inside this one, also the label task=name; at most 8 deep. No I/O.
  Result<std::shared_ptr<const Scope>> enter_task(std::string_view name, std::optional<Usd> limit) const;
  /// One thing the user wanted, which may take several calls. Inside an action it is that action: they do not nest.
  std::shared_ptr<const Scope> enter_action() const;

  const Labels& labels() const { return labels_; }
  const std::vector<Run>& runs() const { return runs_; }  // outermost first
  const std::string& action() const { return action_; }
  /// Distinguishes scopes in caches; equal labels may have different serials.
  std::uint64_t serial() const { return serial_; }
  /// A hash of the labels: equal labels have equal ones.
  std::size_t labels_hash() const { return labels_hash_; }

  /// Carries labels, runs and action as text (`FARTHING_SCOPE`): base64url of JSON, no secrets in it. Not signed: who
  /// can set it can label calls as he likes.
  std::string token() const;
  static Result<std::shared_ptr<const Scope>> join(std::string_view token);
  /// What was joined, inside of `outer`: held on the runs of both (R28), its labels over the outer ones.
  Result<std::shared_ptr<const Scope>> within(const Scope& outer) const;

 private:
  std::shared_ptr<const Scope> finished() &&;

  Labels labels_;
  std::vector<Run> runs_;
  std::string action_;
  std::uint64_t serial_ = 0;
  std::size_t labels_hash_ = 0;
};

/// The same for any labels (Scope::labels_hash).
std::size_t hash_of(const Labels& labels);

}  // namespace farthing
