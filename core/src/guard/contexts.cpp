#include "guard/contexts.h"

#include <functional>

namespace farthing::guard {
namespace {

/// As many plans are kept; then all are dropped and made again (a plan costs microseconds).
constexpr std::size_t max_plans = 10'000;
constexpr std::size_t max_priced = 16;

std::size_t mix(std::size_t hash, std::size_t more) {
  return hash ^ (more + 0x9E3779B97F4A7C15U + (hash << 6U) + (hash >> 2U));
}
std::size_t mix(std::size_t hash, std::string_view text) {
  return mix(hash, std::hash<std::string_view>{}(text));
}

bool on_output(Meter meter) {
  return meter == Meter::usd || meter == Meter::output_tokens || meter == Meter::tokens;
}

std::string_view size_of(const CalledBy& by) {
  return by.pieces == nullptr ? std::string_view() : by.pieces->size;
}
std::string_view quality_of(const CalledBy& by) {
  return by.pieces == nullptr ? std::string_view() : by.pieces->quality;
}
std::string_view resolution_of(const CalledBy& by) {
  return by.pieces == nullptr ? std::string_view() : by.pieces->resolution;
}

void set_valid(Labels& labels, std::string_view kind, std::string_view value) {
  // A model's or host's text comes from outside: one that is no label value is left out (R9).
  if (check_label(kind, value)) labels.set(kind, value);
}

}  // namespace

std::shared_ptr<const CallContext> CallPlan::priced_by(const RateSet& rates) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [known, made] : priced_) {
    if (known == rates) return made;
  }
  auto made = std::make_shared<CallContext>(*context);
  made->rates_json = rates.to_json();
  if (priced_.size() >= max_priced) priced_.clear();
  priced_.emplace_back(rates, made);
  return made;
}

Contexts::Contexts(std::shared_ptr<Store> store, const Policy& policy, std::shared_ptr<const PriceBook> book,
                   const KeyNames& key_names)
    : store_(std::move(store)), policy_(policy), book_(std::move(book)), key_names_(key_names) {}

std::size_t Contexts::Hash::operator()(const Key& key) const {
  std::size_t hash = mix(key.binding, hash_of(key.labels));
  hash = mix(mix(mix(hash, key.host), key.asked), key.key_id);
  if (!key.size.empty() || !key.quality.empty() || !key.resolution.empty())
    hash = mix(mix(mix(hash, key.size), key.quality), key.resolution);
  return mix(mix(hash, std::hash<const void*>{}(key.dialect)), key.retry ? 1U : 0U);
}

std::size_t Contexts::Hash::operator()(const CalledBy& by) const {
  std::size_t hash = mix(by.binding.serial, by.scope.labels_hash());
  hash = mix(mix(mix(hash, by.host), by.asked), by.key_id);
  if (!size_of(by).empty() || !quality_of(by).empty() || !resolution_of(by).empty())
    hash = mix(mix(mix(hash, size_of(by)), quality_of(by)), resolution_of(by));
  return mix(mix(hash, std::hash<const void*>{}(&by.dialect)), by.retry ? 1U : 0U);
}

bool Contexts::Equal::operator()(const Key& a, const Key& b) const {
  return a.binding == b.binding && a.dialect == b.dialect && a.retry == b.retry && a.asked == b.asked &&
         a.key_id == b.key_id && a.host == b.host && a.size == b.size && a.quality == b.quality &&
         a.resolution == b.resolution && a.labels == b.labels;
}

bool Contexts::Equal::operator()(const CalledBy& by, const Key& key) const {
  return key.binding == by.binding.serial && key.dialect == &by.dialect && key.retry == by.retry &&
         key.asked == by.asked && key.key_id == by.key_id && key.host == by.host && key.size == size_of(by) &&
         key.quality == quality_of(by) && key.resolution == resolution_of(by) && key.labels == by.scope.labels();
}

Result<std::shared_ptr<const CallPlan>> Contexts::find(const CalledBy& by) {
  std::shared_ptr<const CapIndex> index;
  std::int64_t now_ms = 0;
  {
    const std::shared_lock lock(mutex_);
    const auto found = plans_.find(by);
    if (found != plans_.end()) return found->second;
    index = index_;
    now_ms = index_now_ms_;
  }
  if (!index) {
    if (const auto loaded = reload(); !loaded) return loaded.error();
    const std::shared_lock lock(mutex_);
    index = index_;
    now_ms = index_now_ms_;
  }
  auto made = make(by, *index, now_ms);
  const std::unique_lock lock(mutex_);
  if (index == index_) {  // else the registry changed meanwhile: this plan is refused by the store and made again
    if (plans_.size() >= max_plans) plans_.clear();
    plans_.insert_or_assign(Key{by.binding.serial, by.scope.labels(), std::string(by.host), std::string(by.asked),
                                std::string(by.key_id), std::string(size_of(by)), std::string(quality_of(by)),
                                std::string(resolution_of(by)), &by.dialect, by.retry},
                            made);
  }
  return made;
}

bool CallPlan::counts(Meter meter) const {
  return std::any_of(plan.sets.begin(), plan.sets.end(), [meter](const PlannedSet& set) {
    return std::any_of(set.caps.begin(), set.caps.end(), [meter](const PlannedCap& cap) { return cap.meter == meter; });
  });
}

bool CallPlan::counts_tokens() const {
  return counts(Meter::tokens) || counts(Meter::input_tokens) || counts(Meter::output_tokens);
}

std::optional<Error> CallPlan::barred() const {
  if (!plan.halts.empty()) {
    const Halt& halt = *plan.halts.front();
    return Error{Code::halted, "calls " + (halt.match.of.empty() ? "" : "with " + halt.match.words() + " ") +
                                   "are halted by " + halt.who + (halt.why.empty() ? "" : ": " + halt.why) +
                                   ". To go on: farthing resume " + std::to_string(halt.id)};
  }
  if (!plan.label_required.empty()) {
    const Cap& cap = plan.label_required.front()->cap;
    std::string kinds;
    for (const std::string& kind : cap.each) {
      if (context->labels.get(kind) == nullptr) kinds += (kinds.empty() ? "" : ", ") + kind;
    }
    return Error{Code::label_required, cap.name() + " wants a label that this call does not have: " + kinds +
                                           " (guard.scope(" + kinds + "=...) or wrap(client, " + kinds + "=...))"};
  }
  if (plan.too_many_caps) {
    return Error{Code::too_many_caps,
                 "more than " + std::to_string(max_counters_per_call) + " counters match this call"};
  }
  return std::nullopt;
}

Result<bool> Contexts::reload() {
  auto registry = store_->registry();
  if (!registry) return registry.error();
  const auto now_ms = store_->now_ms();
  if (!now_ms) return now_ms.error();
  const std::uint64_t revision = registry->revision;
  auto index = std::make_shared<const CapIndex>(std::move(*registry));
  const std::unique_lock lock(mutex_);
  // Equal revisions may still differ: an override whose `until` has passed.
  const bool changed =
      !index_ || index_->registry().revision != revision || (index_->registry().valid_until_ms <= *now_ms);
  index_ = std::move(index);
  index_now_ms_ = *now_ms;
  plans_.clear();
  return changed;
}

std::shared_ptr<const CapIndex> Contexts::index() const {
  const std::shared_lock lock(mutex_);
  return index_;
}

const Model* Contexts::model_of(const CalledBy& by, std::string* resolved) const {
  std::string_view name = by.asked;
  const std::string asked(by.asked);
  if (const auto own = by.binding.deployments.find(asked); own != by.binding.deployments.end()) {
    name = own->second;
  } else if (by.host_facts.deployments != nullptr) {
    const auto host = by.host_facts.deployments->find(asked);
    if (host != by.host_facts.deployments->end()) name = host->second;
  }
  if (resolved != nullptr) *resolved = name;
  return by.host_facts.provider.empty() ? nullptr : book_->find(by.host_facts.provider, name);
}

Labels Contexts::labels_of(const CalledBy& by) const {
  Labels labels = by.binding.labels;
  for (const auto& [kind, value] : by.scope.labels().entries())
    labels.set_default(kind, value);
  std::string_view key_name = by.key_id;
  if (const auto named = key_names_.find(std::string(by.key_id)); named != key_names_.end()) {
    const ApiKeyName& key = policy_.api_keys[named->second];
    key_name = key.name;
    for (const auto& [kind, value] : key.labels.entries())
      labels.set_default(kind, value);
  }
  for (const auto& [kind, value] : policy_.labels.entries())
    labels.set_default(kind, value);

  std::string resolved;
  const Model* model = model_of(by, &resolved);
  set_valid(labels, "provider", by.host_facts.provider);
  set_valid(labels, "model", model != nullptr ? model->name : std::string_view(resolved));
  set_valid(labels, "model_asked", by.asked);
  if (model != nullptr) set_valid(labels, "model_family", model->family);
  set_valid(labels, "modality", by.dialect.modality);
  set_valid(labels, "endpoint", by.dialect.endpoint);
  set_valid(labels, "operation", by.dialect.operation);
  set_valid(labels, "size", size_of(by));
  set_valid(labels, "quality", quality_of(by));
  set_valid(labels, "resolution", resolution_of(by));
  set_valid(labels, "attempt_kind", by.retry ? "retry" : "primary");
  set_valid(labels, "api_key", key_name);
  return labels;
}

std::shared_ptr<const CallPlan> Contexts::make(const CalledBy& by, const CapIndex& index, std::int64_t now_ms) const {
  auto made = std::make_shared<CallPlan>();
  std::string resolved;
  made->model = model_of(by, &resolved);

  auto context = std::make_shared<CallContext>();
  context->labels = labels_of(by);
  context->labels_json = context->labels.to_json();
  context->provider = by.host_facts.provider;
  context->host = by.host;
  context->endpoint = by.dialect.endpoint;
  context->modality = by.dialect.modality;
  context->model = made->model != nullptr ? std::string(made->model->name) : resolved;
  context->model_asked = by.asked;
  if (const std::string* key = context->labels.get("api_key")) context->key_name = *key;
  context->book_version = book_->version();
  made->context = std::move(context);

  made->plan = index.plan(made->context->labels, now_ms);
  made->money_capped = made->plan.usd_capped;
  const auto look = [&](const std::vector<PlannedCap>& caps) {
    for (const PlannedCap& cap : caps)
      made->output_capped = made->output_capped || on_output(cap.meter);
  };
  for (const PlannedSet& set : made->plan.sets)
    look(set.caps);
  look(made->plan.per_call);
  return made;
}

}  // namespace farthing::guard
