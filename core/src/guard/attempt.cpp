#include "guard/attempt.h"

#include <chrono>
#include <thread>

#include "guard/process.h"

namespace farthing {

namespace {

/// One thread's turn; an abort that came meanwhile is done at its end.
class Turn {
 public:
  explicit Turn(Attempt::State& state) : state_(state) { state_.turn.take(); }
  ~Turn() { give_back(state_); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  static void give_back(Attempt::State& state) {
    state.turn.give_back([&](std::uint32_t asked) { state.end_by(static_cast<Abort>(asked)); });
  }

 private:
  Attempt::State& state_;
};

}  // namespace

Attempt::State::State(std::shared_ptr<guard::Core> shared_core, std::shared_ptr<const Binding> client,
                      std::shared_ptr<const Scope> ambient, std::shared_ptr<Call> own_call)
    : core(std::move(shared_core)),
      binding(std::move(client)),
      scope(std::move(ambient)),
      call(std::move(own_call)),
      generation(guard::fork_generation()) {}

std::pair<bool, guard::HoldQueue::Ticket> Attempt::State::waiting() {
  if (!mine()) return {};
  // The turn ends before the wait: an abort must get through, and it wakes who waits.
  const Turn reading(*this);
  return {phase == Phase::waiting, ticket};
}

Verdict Attempt::State::over() const {
  Denial refusal;
  refusal.code = Code::closed;
  refusal.attempt = id_text;
  refusal.message = over_message;
  return answer_of(refusal);
}

Attempt::Attempt(std::shared_ptr<State> state) : state_(std::move(state)) {}
Attempt::Attempt(Attempt&&) noexcept = default;

Attempt& Attempt::operator=(Attempt&& other) noexcept {
  if (this != &other) {
    Attempt ended(std::move(*this));
    state_ = std::move(other.state_);
  }
  return *this;
}

Attempt::~Attempt() {
  // A forked child leaves it alone: the turn may be one that a thread of the parent's had.
  if (!state_ || !state_->mine()) return;
  Abort how = Abort::not_sent;
  {
    // Promise 3: not sent is released, sent is charged, a stream that was let go of was closed by us.
    const Turn reading(*state_);
    if (state_->phase == State::Phase::sent) how = state_->streaming ? Abort::closed : Abort::sent;
  }
  abort(how);
}

Verdict Attempt::begin(const RequestView& request) {
  if (!state_->mine()) return state_->over();
  const Turn turn(*state_);
  return state_->begin(request);
}

Verdict Attempt::proceed() {
  if (!state_->mine()) return state_->over();
  const Turn turn(*state_);
  return state_->proceed();
}

void Attempt::wait() {
  const auto [waits, ticket] = state_->waiting();
  if (ticket) {
    const std::int64_t left = state_->wait_until_ms - state_->core->clock->boot_ms();
    state_->core->here().queue.wait(*ticket, std::min<std::int64_t>(std::max<std::int64_t>(left, 0), 40));
  } else if (waits) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // for a busy store: nobody tells when it is free
  }
}

void Attempt::on_wake(std::function<void()> wake) {
  const auto [waits, ticket] = state_->waiting();
  if (ticket) {
    state_->core->here().queue.on_wake(*ticket, std::move(wake));
  } else if (!waits) {
    wake();
  }
}

Status Attempt::sent() {
  if (state_->mine()) {
    const Turn turn(*state_);
    if (state_->phase == State::Phase::granted) {
      state_->phase = State::Phase::sent;
      state_->sent_boot_ms = state_->core->clock->boot_ms();
      return success();
    }
  }
  return Error{Code::closed, State::over_message};
}

void Attempt::head(int status, std::span<const HeaderView> headers) {
  if (!state_->mine()) return;
  const Turn turn(*state_);
  state_->head(status, headers);
}

Delivered Attempt::data(std::string_view bytes) {
  if (!state_->mine()) return {};
  const Turn turn(*state_);
  return state_->data(bytes);
}

Delivered Attempt::end() {
  if (!state_->mine()) return {};
  const Turn turn(*state_);
  return state_->end();
}

void Attempt::end(std::string_view whole_body) {
  if (!state_->mine()) return;
  const Turn turn(*state_);
  state_->end_body(whole_body);
}

void Attempt::abort(Abort how) {
  if (!state_ || !state_->mine()) return;
  if (!state_->turn.ask(static_cast<std::uint32_t>(how))) return;
  state_->end_by(how);
  Turn::give_back(*state_);
}

std::int64_t Attempt::next_deadline() const {
  return state_->core->clock->boot_ms() + 30'000;
}

bool Attempt::open() const {
  if (!state_ || !state_->mine()) return false;
  const Turn reading(*state_);
  return state_->phase != State::Phase::fresh && state_->phase != State::Phase::ended;
}

const std::string& Attempt::id() const {
  return state_->id_text;
}
std::optional<Denial> Attempt::denial() const {
  return state_->denial;
}
std::optional<Receipt> Attempt::receipt() const {
  if (!state_->mine()) return std::nullopt;
  const Turn reading(*state_);
  return state_->receipt ? std::optional(state_->receipt->whole()) : std::nullopt;
}

}  // namespace farthing
