// Guard: prices every call, holds it on every cap above it, and settles it with the real usage.
//
//   auto guard = *Guard::open(policy, {});
//   auto binding = *guard->bind(Labels{{"project", "marketing"}}, {});
//   Attempt attempt = guard->attempt(binding, Scope::root(), guard->call());
//   Verdict verdict = attempt.begin({.method = "POST", .host = "api.openai.com", .path = "/v1/chat/completions", ...});
//   switch (verdict.kind) { case Verdict::Kind::send: attempt.sent(); ... attempt.head(200, headers); attempt.end(body); }
//
// Towards HTTP the core does no I/O: an Attempt is a small state machine that is fed bytes; a binding only carries
// bytes and verdicts. An Attempt that goes out of scope ends by promise 3: not sent is released, sent is charged.
//
// Thread-safety: Guard, Binding, Call from any thread. An Attempt is used by one thread at a time; `abort` alone may
// come from any thread at any time, finalizers included, any number of times.
// After fork(): attempts belong to the process that made them; in a child they do nothing (R36).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "farthing/clock.h"
#include "farthing/control.h"
#include "farthing/count.h"
#include "farthing/denial.h"
#include "farthing/policy.h"
#include "farthing/prices.h"
#include "farthing/receipt.h"
#include "farthing/result.h"
#include "farthing/scope.h"

namespace farthing {

struct AlertEvent {  // R35; recorded exactly once, handed to the callback at least once
  std::string cap_id;
  std::string words;
  std::vector<std::pair<std::string, std::string>> counter;
  Meter meter = Meter::usd;
  int threshold = 0;  // percent of the limit
  std::int64_t limit = 0;
  std::int64_t spent = 0;
  std::int64_t reserved = 0;
  std::optional<std::int64_t> resets_at_ms;
  Match match;          // which calls the cap is for
  std::string message;  // the cap's own, with help_url and owner
  std::string help_url;
  std::string owner;
  /// The three largest of each kind of label that the cap does not fix, and of the models; by the newest 10,000 entries.
  std::vector<Spender> top_spenders;
  std::string to_json() const;
};

struct GuardOptions {
  std::string store;                    // overrides the policy's; FARTHING_STORE overrides both (R37)
  std::string main_folder;              // R37: where the default store's project is looked for; "" = working directory
  std::shared_ptr<Clock> clock;         // default: system_clock()
  std::shared_ptr<Store> opened_store;  // tests
  std::function<void(const AlertEvent&)> on_alert;
  std::function<void(const std::string&)> on_warning;  // once per kind: "our output limit cut an answer", ...
  /// Runs a wait (the store's gate) for the binding, with its interpreter lock released (R42).
  std::function<void(const std::function<void()>&)> blocking;
  bool background_thread = true;  // renewal, checkpoint, queue; false in tests
};

/// One SDK method call; its attempts share it (R27).
class Call;
/// One client: labels bound to it and its deployment names.
class Binding;

struct HeaderView {
  std::string_view name;
  std::string_view value;
};

struct RequestView {
  std::string_view method;
  std::string_view scheme = "https";
  std::string_view host;  // with port where it is not the scheme's own
  std::string_view path;  // with query
  std::span<const HeaderView> headers;
  std::optional<std::string_view> body;  // nothing: not read yet
  /// An event loop: no method of this attempt waits for who has the store. A reserve is tried again (`wait`), a settlement
  /// written later by the guard's own thread (R42).
  bool in_event_loop = false;
};

struct Answer {  // a response of ours, instead of the provider's
  int status = 402;
  std::vector<std::pair<std::string, std::string>> headers;  // x-should-retry: false, x-farthing-attempt, content-type
  std::string body;
};

struct Verdict {
  enum class Kind : std::uint8_t {
    pass,       // not ours: send it as it is and tell us nothing
    need_body,  // read the body and begin again
    send,       // send it, with `body` where it is set
    answer,     // do not send; this is the response
    wait,       // until woken or `wait_ms` is over, then proceed()
  } kind = Kind::pass;
  std::optional<std::string> body;  // the rewritten body, where it changed
  Answer answer;
  std::int64_t wait_ms = 0;
};

struct Delivered {
  bool same = true;        // exactly the bytes that came
  std::string_view bytes;  // else these; valid until the next call
};

enum class Abort : std::uint8_t {
  not_sent,  // provably: DNS, connect or pool error, our own denial
  sent,      // unknown outcome: timeout, reset, cancel
  closed,    // the caller closed the stream (R24)
};

class Attempt {
 public:
  Attempt() = default;
  Attempt(Attempt&&) noexcept;
  Attempt& operator=(Attempt&&) noexcept;
  ~Attempt();

  Verdict begin(const RequestView& request);
  Verdict proceed();
  /// Blocks until woken or `wait_ms` is over (synchronous callers); proceed() comes next.
  void wait();
  /// Calls back once when worth proceeding early, from any thread, holding no lock (asynchronous callers).
  void on_wake(std::function<void()> wake);
  /// Before the first byte leaves: release or charge hangs on it. An error: nothing is held (any more), because the
  /// attempt was aborted meanwhile or belongs to the process that forked this one. Then it must not be sent.
  Status sent();
  void head(int status, std::span<const HeaderView> headers);
  /// Decoded bytes of the body, as they come.
  Delivered data(std::string_view bytes);
  /// The body ended; bytes held back until now.
  Delivered end();
  /// The whole decoded body at once: data and end without a copy.
  void end(std::string_view whole_body);
  void abort(Abort how);
  /// Ms on the boot clock when the hold wants renewal by somebody; the guard's own thread does it by default.
  std::int64_t next_deadline() const;

  bool open() const;
  const std::string& id() const;           // text, "" before a grant or denial
  std::optional<Denial> denial() const;    // after an answer
  std::optional<Receipt> receipt() const;  // after end or abort

  struct State;  // opaque: made by Guard::attempt
  explicit Attempt(std::shared_ptr<State> state);

 private:
  std::shared_ptr<State> state_;
};

class Guard : public std::enable_shared_from_this<Guard> {
 public:
  static Result<std::shared_ptr<Guard>> open(Policy policy, GuardOptions options);
  virtual ~Guard();

  /// What a client carries. `install` = true: only known hosts and dialect paths are guarded (R31).
  virtual Result<std::shared_ptr<const Binding>> bind(const Labels& labels,
                                                      const std::map<std::string, std::string>& deployments,
                                                      bool install = false) = 0;
  virtual std::shared_ptr<Call> call() = 0;
  virtual Attempt attempt(std::shared_ptr<const Binding> binding, std::shared_ptr<const Scope> scope,
                          std::shared_ptr<Call> call) = 0;

  /// Whether such a request is a call, wherever it goes: one that a dialect reads and that may cost something. `host` as in
  /// `RequestView`.
  virtual bool is_call(std::string_view method, std::string_view host, std::string_view path) const = 0;

  /// `body` is the request's JSON. Nothing is held. `host` "" = the provider's own; of a form that
  /// many providers speak, the own host of the model's maker.
  virtual Result<Estimate> estimate(std::string_view endpoint, std::string_view body, const Labels& labels,
                                    std::shared_ptr<const Scope> scope, std::string_view host, std::int64_t count) = 0;
  /// By the provider's response id or the attempt id; the newest 10,000 of this process.
  virtual std::optional<Receipt> receipt(std::string_view id) const = 0;
  /// What a run has spent, from its counter.
  virtual Result<CapLeft> run(const std::string& run_id) = 0;

  virtual std::shared_ptr<Control> control() = 0;
  virtual std::string store_location() const = 0;
  virtual std::string store_id() const = 0;
  virtual const Policy& policy() const = 0;
  /// Warnings of opening (policy_superseded, ...).
  virtual std::vector<std::string> warnings() const = 0;
  /// Settlements that wait for the store (R26); flush tries for at most `wait_ms`.
  virtual std::size_t queued() const = 0;
  virtual Status flush(std::int64_t wait_ms) = 0;
  /// Flushes for at most 2 s, stops the thread, closes the store. Idempotent.
  virtual void close() = 0;
};

/// The models that a policy knows: its price book with its own prices over it, its tokenizers. For `count_text` and
/// `count_request`.
Result<KnownModels> known_models(const Policy& policy);
/// R37: the store of a project without a `store`: "file:/home/u/.local/state/farthing/<project>-<hash>/farthing.db".
/// `store_unavailable` for a user without a home folder.
Result<std::string> default_store(const std::string& main_folder);
/// A store as written ("memory:", "file:PATH") made absolute: a relative path is relative to the folder of `policy_path`,
/// without one to the working directory. Other kinds are an error that says what is accepted.
Result<std::string> resolve_store(std::string_view written, const std::string& policy_path);
/// All default stores of this user that exist (`farthing status --all`).
std::vector<std::string> default_stores();

/// R30: the id of a key, "hmac..." + the secret's 4-hex fingerprint; known by header.
struct KeyId {
  std::string id;
  std::string kind;
};

}  // namespace farthing
