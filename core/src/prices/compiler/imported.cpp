// Models of the public tables join the hand-checked ones, where those do not cover them: what a person has read wins.
#include <algorithm>
#include <unordered_map>

#include "prices/compiler/source.h"
#include "prices/names.h"

namespace farthing::prices_detail {
namespace {

/// The names of the hand-checked models of all providers, found as the library finds them.
class Covered {
 public:
  explicit Covered(const Source& source) {
    for (const SourceModel& model : source.models) {
      forms_[key(model.provider, model.name)] = forms(model);
      for (const std::string& alias : model.aliases)
        forms_[key(model.provider, alias)] = forms(model);
    }
  }

  bool has(std::string_view provider, std::string_view name) const {
    const std::string_view base = fine_tuned_base(name);
    if (!base.empty() && base != name && has(provider, base)) return true;
    if (forms_.contains(key(provider, name))) return true;
    const auto dated = undated(name);
    return std::any_of(dated.begin(), dated.end(), [&](const Undated& form) {
      const auto known = form.form == 0 ? forms_.end() : forms_.find(key(provider, form.base));
      return known != forms_.end() && (known->second & form.form) != 0;
    });
  }

 private:
  static std::string key(std::string_view provider, std::string_view name) {
    return std::string(provider) + '\n' + std::string(name);
  }
  static std::uint32_t forms(const SourceModel& model) {
    std::uint32_t all = 0;
    for (const std::string& form : model.dated)
      all |= dated_form_of(form);
    return all;
  }
  std::unordered_map<std::string, std::uint32_t> forms_;
};

}  // namespace

void join_imported(Source& source, Problems& problems) {
  const Covered covered(source);
  std::unordered_map<std::string, std::int64_t> speeds;
  for (const SourceProvider& provider : source.providers)
    speeds[provider.name] = provider.tokens_per_second;
  for (SourceProvider& provider : source.imported_providers) {
    if (speeds.contains(provider.name)) continue;
    if (provider.tokens_per_second == 0) {
      problems.push_back(at(provider.place) + ": imported: tokens_per_second is missing; accepted: a number, or a " +
                         "file with [provider] name = \"" + provider.name + "\"");
    }
    speeds[provider.name] = provider.tokens_per_second;
    source.providers.push_back(std::move(provider));
  }
  for (SourceModel& model : source.imported_models) {
    if (covered.has(model.provider, model.name)) continue;
    std::erase_if(model.aliases, [&](const std::string& alias) { return covered.has(model.provider, alias); });
    if (model.tokens_per_second == 0) model.tokens_per_second = speeds[model.provider];
    source.models.push_back(std::move(model));
  }
  source.imported_providers.clear();
  source.imported_models.clear();
}

}  // namespace farthing::prices_detail
