#include <iostream>

#include "../books.h"
#include "../commands.h"
#include "../json.h"
#include "../terminal.h"

namespace farthing::cli {

namespace {

Json names_json(const std::vector<const Model*>& models) {
  Json list = Json::array();
  for (const Model* model : models)
    list.push_back({{"provider", model->provider}, {"model", model->name}});
  return list;
}

Json rate_json(const std::optional<Rate>& rate) {
  return rate ? Json(to_text(*rate)) : Json(nullptr);
}

Json json_of(const BookDiff& diff) {
  Json changed = Json::array();
  for (const PriceChange& change : diff.changed) {
    const std::string factor = change.factor();
    changed.push_back({{"provider", change.model->provider},
                       {"model", change.model->name},
                       {"conditions", change.conditions},
                       {"quantity", quantity_text(change.quantity)},
                       {"before", rate_json(change.before)},
                       {"after", rate_json(change.after)},
                       {"factor", factor.empty() ? Json(nullptr) : Json(factor)}});
  }
  return {{"added", names_json(diff.added)}, {"removed", names_json(diff.removed)}, {"changed", std::move(changed)}};
}

std::string counted(std::size_t count, const std::string& word) {
  return std::to_string(count) + " " + word + (count == 1 ? "" : "s");
}

}  // namespace

int prices_diff(const PricesDiffOptions& options) {
  const auto before = read_book(options.before);
  if (!before) return fail(before.error());
  const auto after = read_book(options.after);
  if (!after) return fail(after.error());
  const BookDiff diff = diff_of(**before, **after);
  if (options.json) {
    Json json = {{"before", (*before)->version()}, {"after", (*after)->version()}};
    json.update(json_of(diff));
    std::cout << dump_json(json) << "\n";
    return ok;
  }
  for (const Model* model : diff.added)
    std::cout << "added    " << name_of(*model) << "\n";
  for (const Model* model : diff.removed)
    std::cout << "removed  " << name_of(*model) << "\n";
  std::vector<std::vector<std::string>> rows;
  for (const PriceChange& change : diff.changed) {
    const std::string factor = change.factor();
    rows.push_back({name_of(*change.model), change.conditions, std::string(quantity_text(change.quantity)),
                    change.before ? to_text(*change.before) : "none", change.after ? to_text(*change.after) : "none",
                    factor.empty() ? "" : "x " + factor});
  }
  if (!rows.empty()) std::cout << table({"changed", "conditions", "quantity", "before", "after", ">factor"}, rows);
  std::cout << (*before)->version() << " -> " << (*after)->version() << ": " << counted(diff.added.size(), "model")
            << " added, " << diff.removed.size() << " removed, " << counted(diff.changed.size(), "price")
            << " changed\n";
  return ok;
}

}  // namespace farthing::cli
