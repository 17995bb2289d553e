// Attempt::State: the life of one HTTP request: begin, reserve, send, observe, settle, exactly once.
//
// Files: attempt.cpp (the public methods and turns), reserve.cpp (from request to grant), refuse.cpp (what a refusal says),
// settle.cpp (from answer to ledger row), jobs.cpp (work that goes on after the answer, R17), results.cpp (what came out of a
// batch), uploads.cpp (the file that a batch is made of).
// Thread-safety: one thread at a time; abort from any thread: it takes effect at once, or at the end of the turn that another
// thread is in.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "guard/batches.h"
#include "guard/core.h"
#include "guard/job_terms.h"
#include "guard/process.h"
#include "guard/results.h"
#include "guard/sizing.h"
#include "guard/turn.h"
#include "store/patience.h"

namespace farthing {

struct Attempt::State {
  enum class Phase : std::uint8_t { fresh, waiting, granted, sent, ended };

  State(std::shared_ptr<guard::Core> shared_core, std::shared_ptr<const Binding> client,
        std::shared_ptr<const Scope> ambient, std::shared_ptr<Call> own_call);

  /// R36: made by this process; a forked child leaves its parent's attempts alone.
  bool mine() const { return generation == guard::fork_generation(); }
  /// To one who goes on with what has ended: nothing is held for it, so it must not be sent (promise 1).
  Verdict over() const;
  static constexpr const char* over_message =
      "this attempt ended before it was sent (it was aborted, or a process made it that was forked since), so nothing "
      "is "
      "held for it: begin another one";
  /// Whether it waits, and in which place of a line; no place: for a busy store.
  std::pair<bool, guard::HoldQueue::Ticket> waiting();

  // reserve.cpp
  Verdict begin(const RequestView& request);
  Verdict ask(bool take_what_fits);
  std::string_view volume_cap() const;
  Verdict reserve(bool take_what_fits);
  Verdict proceed();
  void leave_queue();

  // How long a busy store is asked again: as long as others wait for it (StoreOptions::gate_wait_ms).
  static constexpr std::int64_t busy_most_ms = 10'000;
  static constexpr std::int64_t busy_poll_ms = 2;
  /// A poll that comes before its job was written.
  static constexpr std::int64_t unwritten_most_ms = 500;

  // jobs.cpp
  Verdict begin_poll(const RequestView& request);
  Verdict find_job();

  // uploads.cpp
  Verdict begin_upload(const RequestView& request);

  // settle.cpp
  void head(int code, std::span<const HeaderView> headers);
  Delivered data(std::string_view bytes);
  Delivered end();
  void end_body(std::string_view whole);
  void end_by(Abort how);

  const std::shared_ptr<guard::Core> core;
  const std::shared_ptr<const Binding> binding;
  const std::shared_ptr<const Scope> scope;
  const std::shared_ptr<Call> call;
  const std::uint64_t generation;  // R36: the process that made it

  guard::TurnWord turn;  // asked: an Abort
  Phase phase = Phase::fresh;

  // of the request
  Route route;
  RequestFacts facts;
  std::string host, key_id;
  bool deployment = false;        // the path names one, as Azure's do
  std::string fingerprint;        // where equal requests are refused (R17)
  bool source_looked_up = false;  // of a video that is made over
  std::string body;               // kept only while waiting: it is rewritten after
  std::string_view body_now;      // the caller's bytes, valid during begin
  std::shared_ptr<const guard::CallPlan> plan;
  guard::Sized sized;
  std::optional<InputCount> counted;  // where the cheap bound did not fit
  bool was_counted = false;
  guard::Learning::Known known;  // what calls like this one taught; where nothing was looked for, it teaches nothing
  bool teaches = false;
  bool teaches_input = false;            // `counted` is there for it
  std::vector<std::string> counted_ids;  // of the action and runs that this attempt is the first of
  AttemptId attempt_id;
  std::string id_text;
  int attempt_number = 1;
  Settlement settlement;  // its row is the draft until then
  guard::HoldQueue::Ticket ticket;
  std::int64_t wait_until_ms = 0;  // boot clock
  std::uint64_t seen_changes = 0;
  std::int64_t client_wait_ms = 0;  // the client's own timeout, 0 = none
  bool in_event_loop = false;
  std::int64_t busy_until_ms = 0;  // boot clock: until then a busy store is asked again; 0 = it was not busy

  // of the grant
  Amounts held;
  std::int64_t granted_ms = 0;
  std::optional<std::int64_t> granted_volume;  // R25: what the model's volume cap had counted
  std::int64_t sent_boot_ms = 0;
  bool we_lowered = false;

  // of the answer
  int status = 0;
  bool streaming = false;
  bool strip_usage = false;
  std::unique_ptr<StreamReader> reader;
  std::string buffer;
  std::string request_id, headroom;

  std::optional<JobView> job;                  // that a poll asks for: what ends then is its hold
  guard::JobTerms kept;                        // of it
  std::optional<guard::BatchResults> results;  // where its answer is what came out
  std::optional<guard::BatchSize> batch;       // of a batch, or of the file that is uploaded for one
  bool uploading = false;                      // nothing is held

  std::optional<Denial> denial;
  std::shared_ptr<const guard::KeptReceipt> receipt;

 private:
  static Verdict answer_of(const Denial& refusal);
  Verdict refuse(Denial refusal);
  Verdict refuse(Code code, std::string message);
  Verdict refuse(const Refused& refused);
  /// The jobs that hold slots of a cap on concurrency (R17).
  std::vector<std::string> jobs_with_slots(const RefusedCap& cap) const;
  Verdict refuse_unpriced();
  Verdict refuse_unbounded();
  Verdict refuse_unknown_endpoint(const RequestView& request);
  Verdict refuse_unknown_host();
  std::optional<Verdict> plan_and_size();
  Result<std::shared_ptr<const guard::CallPlan>> find_plan() const;
  Verdict granted(const Granted& grant);
  std::string line_before() const;
  Verdict wait_in(const std::string& line);
  bool may_count_closer() const;
  bool count_closer(const Refused& refused);
  void prepare_lesson();
  std::optional<Lesson> lesson(const LedgerRow& row) const;
  std::optional<Verdict> ask_again(std::int64_t most_ms);
  Verdict refuse_or_ask_again(const Error& problem);
  void count_ids();
  void forget_ids();
  void fill_draft();
  bool limit_unread() const;
  std::string_view limit_name() const;
  std::vector<RunHold> run_holds() const;

  /// R42: an event loop waits for nobody's step.
  std::optional<Patience> patience() const {
    if (in_event_loop) return std::optional<Patience>(std::in_place, std::chrono::milliseconds(0));
    return std::nullopt;
  }
  void fill_row(const AnswerFacts* answer);

  bool makes_job() const;
  bool keep_job(const AnswerFacts& answer);
  void poll_answer(const AnswerFacts& answer, bool whole);
  std::optional<Verdict> look_up_source();
  std::optional<Verdict> look_up_file();
  void keep_file(const std::string& id);
  void take_results(std::string_view bytes, bool ended);
  void settle_results();
  void price_results(LedgerRow& row) const;
  void settle(How how, const AnswerFacts* answer, std::string_view error_class);
  bool free_of_charge() const;
  void keep_rates(guard::JobTerms& terms, std::int64_t least, std::int64_t most) const;
  std::optional<RateSet> rates_asked(std::int64_t context_tokens) const;
  /// What a model is billed by; neither: it is not known.
  struct Rated {
    bool free = false;
    bool elsewhere = false;  // a host went from a free model to one that nobody knows
    std::optional<RateSet> rates;
  };
  Rated rates_served(const CallContext& context, const AnswerFacts& answer, std::int64_t context_tokens) const;
  /// What other models than the one that answered used, at the rates of each; nothing where one has none.
  using Shares = std::vector<std::pair<RateSet, Quantities>>;
  std::optional<Shares> shares_of_others(const CallContext& context, const AnswerFacts& answer) const;
  void price(LedgerRow& row, const AnswerFacts& answer) const;
  std::shared_ptr<const CallContext> priced_elsewhere(const CallContext& context, const RateSet& rates) const;
  void settle_ended(const AnswerFacts& answer);
  void settle_answer(const AnswerFacts& answer, bool whole);
  void settle_closed();
  Usd closed_cost(std::int64_t* output) const;
  void keep_receipt(LedgerRow&& row, std::vector<Remaining> remaining, std::shared_ptr<const void> keep);
};

}  // namespace farthing
