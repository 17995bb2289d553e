#include "farthing/guard.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "farthing/endpoint.h"
#include "guard/attempt.h"
#include "guard/estimate.h"
#include "guard/process.h"
#include "policy/documents.h"
#include "report/text.h"
#include "store/patience.h"

namespace farthing {

namespace {

using guard::Core;

class LocalGuard final : public Guard {
 public:
  LocalGuard(std::shared_ptr<Core> core, std::vector<std::string> warnings)
      : core_(std::move(core)), warnings_(std::move(warnings)) {}
  ~LocalGuard() override { LocalGuard::close(); }

  Result<std::shared_ptr<const Binding>> bind(const Labels& labels,
                                              const std::map<std::string, std::string>& deployments,
                                              bool install) override {
    for (const auto& [kind, value] : labels.entries()) {
      if (const Status valid = check_label(kind, value); !valid) return valid.error();
    }
    auto binding = std::make_shared<Binding>();
    binding->labels = labels;
    binding->deployments = deployments;
    binding->install = install;
    binding->serial = core_->serial.fetch_add(1);
    return std::shared_ptr<const Binding>(std::move(binding));
  }

  std::shared_ptr<Call> call() override { return std::make_shared<Call>(guard::random_id()); }

  Attempt attempt(std::shared_ptr<const Binding> binding, std::shared_ptr<const Scope> scope,
                  std::shared_ptr<Call> call) override {
    return Attempt(std::make_shared<Attempt::State>(core_, std::move(binding), scope ? std::move(scope) : Scope::root(),
                                                    call ? std::move(call) : this->call()));
  }

  bool is_call(std::string_view method, std::string_view host, std::string_view path) const override {
    const Route route = core_->here().routes.of(method, host, path);
    return route.kind == Route::Kind::priced && route.host.guard;
  }

  Result<Estimate> estimate(std::string_view endpoint, std::string_view body, const Labels& labels,
                            std::shared_ptr<const Scope> scope, std::string_view host, std::int64_t count) override {
    return guard::estimate(*core_, {endpoint, body, labels, scope ? std::move(scope) : Scope::root(), host, count});
  }

  std::optional<Receipt> receipt(std::string_view id) const override { return core_->here().receipts.find(id); }

  Result<CapLeft> run(const std::string& run_id) override {
    const auto view = core_->store->run(run_id);
    if (!view) return view.error();
    CapLeft left;
    left.run = run_id;
    left.limit = std::numeric_limits<std::int64_t>::max();
    if (*view) {
      left.limit = (*view)->limit;
      left.spent = (*view)->committed - (*view)->reserved;
      left.reserved = (*view)->reserved;
    }
    return left;
  }

  std::shared_ptr<Control> control() override {
    // Who looks sees the refusals of a moment ago.
    static_cast<void>(core_->here().housekeeping.flush(0));
    return Control::over(core_->store);
  }
  std::string store_location() const override { return core_->store->info().location; }
  std::string store_id() const override { return core_->store->info().store_id; }
  const Policy& policy() const override { return core_->policy; }
  std::vector<std::string> warnings() const override { return warnings_; }
  std::size_t queued() const override { return core_->here().housekeeping.queued(); }
  Status flush(std::int64_t wait_ms) override { return core_->here().housekeeping.flush(wait_ms); }

  void close() override {
    if (closed_) return;
    closed_ = true;
    constexpr std::int64_t at_exit_ms = 2'000;  // R26: for all of it
    const Patience hurries{std::chrono::milliseconds(at_exit_ms)};
    const Status flushed = core_->here().housekeeping.flush(at_exit_ms);
    if (!flushed && core_->options.on_warning) core_->options.on_warning(flushed.error().message);
    core_->here().housekeeping.stop(0);
    if (!core_->options.opened_store) core_->store->close();
  }

 private:
  std::shared_ptr<Core> core_;
  std::vector<std::string> warnings_;
  bool closed_ = false;
};

/// R30: the names that a policy gives to keys, by id; an id of another secret is an error.
Result<guard::KeyNames> named_keys(const Policy& policy, const guard::KeyHasher& keys,
                                   std::vector<std::string>& warnings) {
  guard::KeyNames names;
  for (std::size_t i = 0; i < policy.api_keys.size(); ++i) {
    bool any = !policy.api_keys[i].ids.empty();
    for (const std::string& id : policy.api_keys[i].ids) {
      const bool rotating = id.starts_with("oauth@");  // of a host, made without a secret
      if (!rotating && guard::fingerprint_of(id) != keys.fingerprint()) {
        return Error{Code::invalid_policy, "api_key \"" + policy.api_keys[i].name + "\": id \"" + id +
                                               "\" was made with another secret than this store's (fingerprint " +
                                               keys.fingerprint() +
                                               "): name the key by `env`, or set the key_secret that made it"};
      }
      names[id] = i;
    }
    for (const std::string& variable : policy.api_keys[i].env) {
      const char* key = std::getenv(variable.c_str());
      if (key == nullptr || *key == '\0') continue;
      any = true;
      const std::string id = keys.id(guard::credential_of_token(key), "HOST");
      if (id == "oauth@HOST") {
        return Error{Code::invalid_policy, "api_key \"" + policy.api_keys[i].name + "\": " + variable +
                                               " holds a token that rotates and does not say whose it is: name it by "
                                               "where it is used, ids = [\"oauth@api.example.com\"]"};
      }
      names[id] = i;
    }
    if (!any) {
      warnings.push_back("api_key \"" + policy.api_keys[i].name +
                         "\": no call has this name, since no variable in its `env` is set in the environment");
    }
  }
  return names;
}

}  // namespace

Guard::~Guard() = default;

namespace {

bool has_expired(Store& store) {
  const auto now = store.now_ms();
  const auto holds = store.holds();
  return now && holds &&
         std::any_of(holds->begin(), holds->end(), [&](const HoldView& hold) { return hold.expires_ms <= *now; });
}

}  // namespace

Result<std::shared_ptr<Guard>> Guard::open(Policy policy, GuardOptions options) {
  if (!options.clock) options.clock = system_clock();
  std::shared_ptr<Store> store = options.opened_store;
  if (!store) {
    const char* everywhere = std::getenv("FARTHING_STORE");
    const std::string written = everywhere != nullptr && *everywhere != '\0' ? everywhere
                                : !options.store.empty()                     ? options.store
                                                                             : policy.store;
    const bool of_policy = written == policy.store && options.store.empty();
    const auto location =
        written.empty() ? default_store(options.main_folder) : resolve_store(written, of_policy ? policy.path : "");
    if (!location) return location.error();
    StoreOptions store_options;
    store_options.clock = options.clock;
    store_options.durable_power = policy.durable_power;
    store_options.hold_max_ms = policy.hold_max_ms;
    store_options.blocking = options.blocking;
    auto opened = open_store(*location, store_options);
    if (!opened) return opened.error();
    store = std::move(*opened);
  }
  auto applied = store->apply(policy, false, guard::process_name());
  if (!applied) return applied.error();
  std::vector<std::string>& warnings = applied->change.warnings;
  if (const auto registry = store->registry()) {
    if (policy.caps.empty() && registry->caps.empty()) {
      warnings.emplace_back(
          "this guard has no caps, so nothing is limited; a farthing.toml is read only where it is named: "
          "Guard(\"farthing.toml\")");
    }
    for (const Cap& cap : policy.caps) {
      const std::string* other = lowered_by(*registry, policy, cap.id);
      if (other == nullptr) continue;
      warnings.push_back("cap " + (cap.id_given ? "\"" + cap.id + "\" (" + cap.words() + ")" : cap.words()) + ": " +
                         limit_text(cap.meter, in_force(*registry, cap.id)->cap.limit) +
                         " is in force, which the policy " + *other +
                         " set on this store (farthing policy remove ends a policy)");
    }
  }
  auto book = PriceBook::open(policy.price_book_path(), policy.prices);
  if (!book) return book.error();
  for (const Problem& doubt : doubts(policy, **book, endpoint_names()))
    warnings.push_back(doubt.where + ": " + doubt.message);
  std::string secret = policy.key_secret;
  if (secret.empty()) {
    auto made = store->secret();
    if (!made) return made.error();
    secret = std::move(*made);
  }
  auto core =
      std::make_shared<guard::Core>(std::move(policy), std::move(options), std::move(store), std::move(*book), secret);
  auto names = named_keys(core->policy, core->keys, warnings);
  if (!names) return names.error();
  core->key_names = std::move(*names);
  // R17: what programs left that died is charged now, not at the first call. A store that is busy leaves it to that. Only
  // where there is something: a sweep also reads all counters.
  if (has_expired(*core->store)) {
    if (const auto swept = core->store->sweep(); swept && !swept->alerts.empty()) core->here().tell(swept->alerts);
  }
  return std::shared_ptr<Guard>(std::make_shared<LocalGuard>(std::move(core), std::move(warnings)));
}

Result<KnownModels> known_models(const Policy& policy) {
  auto book = PriceBook::open(policy.price_book_path(), policy.prices);
  if (!book) return book.error();
  return KnownModels{std::move(*book), Tokenizers(policy.tokenizer_files())};
}

std::string AlertEvent::to_json() const {
  OrderedJson json;
  json["cap"] = cap_id;
  json["words"] = words;
  OrderedJson values = OrderedJson::object();
  for (const auto& [kind, value] : counter)
    values[kind] = value;
  json["counter"] = std::move(values);
  json["meter"] = meter_text(meter);
  json["threshold"] = threshold;
  report::put_amount(json, "limit", meter, limit);
  report::put_amount(json, "spent", meter, spent);
  report::put_amount(json, "reserved", meter, reserved);
  report::put_time(json, "resets_at", resets_at_ms);
  json["match"] = report::parsed(match.to_json());
  json["message"] = message;
  json["help_url"] = help_url;
  json["owner"] = owner;
  json["top_spenders"] = OrderedJson::array();
  for (const Spender& spender : top_spenders) {
    OrderedJson entry;
    entry["kind"] = spender.kind;
    entry["value"] = spender.value;
    report::put_amount(entry, "spent", meter, spender.spent);
    json["top_spenders"].push_back(std::move(entry));
  }
  return dump_json(json);
}

}  // namespace farthing
