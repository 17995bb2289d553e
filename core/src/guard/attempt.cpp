#include "guard/attempt.h"

#include "guard/process.h"

namespace farthing {

namespace {

/// One thread's turn; an abort that came meanwhile is done at its end.
class Turn {
 public:
  explicit Turn(Attempt::State& state) : state_(state), lock_(state.turn) {}
  ~Turn() {
    const int asked = state_.abort_asked.exchange(-1);
    if (asked >= 0) state_.end_by(static_cast<Abort>(asked));
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Attempt::State& state_;
  std::lock_guard<std::mutex> lock_;
};

}  // namespace

Attempt::State::State(std::shared_ptr<guard::Core> shared_core, std::shared_ptr<const Binding> client,
                      std::shared_ptr<const Scope> ambient, std::shared_ptr<Call> own_call)
    : core(std::move(shared_core)),
      binding(std::move(client)),
      scope(std::move(ambient)),
      call(std::move(own_call)),
      generation(guard::fork_generation()) {}

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
  if (!state_) return;
  // Promise 3: not sent is released, sent is charged, a stream that was let go of was closed by us.
  abort(state_->phase == State::Phase::sent ? (state_->streaming ? Abort::closed : Abort::sent) : Abort::not_sent);
}

Verdict Attempt::begin(const RequestView& request) {
  const Turn turn(*state_);
  return state_->begin(request);
}

Verdict Attempt::proceed() {
  const Turn turn(*state_);
  return state_->proceed();
}

void Attempt::wait() {
  // Not a turn: it blocks, and an abort must get through.
  const auto ticket = state_->ticket;
  if (!ticket) return;
  const std::int64_t left = state_->wait_until_ms - state_->core->clock->boot_ms();
  state_->core->here().queue.wait(*ticket, std::min<std::int64_t>(std::max<std::int64_t>(left, 0), 40));
}

void Attempt::on_wake(std::function<void()> wake) {
  if (state_->ticket) state_->core->here().queue.on_wake(*state_->ticket, std::move(wake));
}

void Attempt::sent() {
  if (!state_->mine()) return;
  const Turn turn(*state_);
  if (state_->phase != State::Phase::granted) return;
  state_->phase = State::Phase::sent;
  state_->sent_boot_ms = state_->core->clock->boot_ms();
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
  std::unique_lock lock(state_->turn, std::try_to_lock);
  if (!lock.owns_lock()) {
    state_->abort_asked.store(static_cast<int>(how));
    return;
  }
  state_->end_by(how);
}

std::int64_t Attempt::next_deadline() const {
  return state_->core->clock->boot_ms() + 30'000;
}

bool Attempt::open() const {
  return state_ && (state_->phase == State::Phase::waiting || state_->phase == State::Phase::granted ||
                    state_->phase == State::Phase::sent);
}

const std::string& Attempt::id() const {
  return state_->id_text;
}
std::optional<Denial> Attempt::denial() const {
  return state_->denial;
}
std::optional<Receipt> Attempt::receipt() const {
  return state_->receipt ? std::optional(state_->receipt->whole()) : std::nullopt;
}

}  // namespace farthing
