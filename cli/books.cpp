#include "books.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "arguments.h"
#include "farthing/endpoint.h"
#include "farthing/guard.h"
#include "farthing/policy.h"

namespace farthing::cli {

namespace {

namespace fs = std::filesystem;

Result<std::string> content_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream content;
  content << in.rdbuf();
  if (!in || fs::is_directory(file)) return Error{Code::invalid_argument, file.string() + " cannot be read"};
  return std::move(content).str();
}

using Rows = std::map<std::pair<std::string, Quantity>, Rate>;

Rows rows_of(const PriceBook& book, const Model& model) {
  Rows all;
  for (const PriceRow& row : book.rows(model)) {
    for (std::size_t i = 0; i < quantity_count; ++i) {
      const auto quantity = static_cast<Quantity>(i);
      if (row.rates[quantity]) all.insert_or_assign({row.conditions, quantity}, *row.rates[quantity]);
    }
  }
  // What multiplies them is a price too: its factor for one unit.
  for (const auto& [region, factor] : book.regions(model)) {
    for (std::size_t i = 0; i < quantity_count; ++i) {
      const auto found = all.find({"", static_cast<Quantity>(i)});
      if (found == all.end()) continue;
      const auto slash = factor.find('/');
      const Int128 numerator = std::stoll(factor.substr(0, slash));
      const std::int64_t denominator = std::stoll(factor.substr(slash + 1));
      Rate rate;
      if (__builtin_mul_overflow(found->second.atto, numerator, &rate.atto) ||
          __builtin_mul_overflow(found->second.per, denominator, &rate.per))
        continue;
      if (rate.atto % denominator == 0) rate = {rate.atto / denominator, found->second.per};
      all.insert_or_assign({"processed in " + region, static_cast<Quantity>(i)}, rate);
    }
  }
  return all;
}

void compare(const PriceBook& before, const Model& old, const PriceBook& after, const Model& now, BookDiff& diff) {
  const Rows old_rows = rows_of(before, old);
  const Rows new_rows = rows_of(after, now);
  for (const auto& [key, rate] : old_rows) {
    const auto found = new_rows.find(key);
    const auto later = found == new_rows.end() ? std::nullopt : std::optional(found->second);
    if (later && !dearer(rate, *later) && !dearer(*later, rate)) continue;
    diff.changed.push_back({&now, key.first, key.second, rate, later});
  }
  for (const auto& [key, rate] : new_rows) {
    if (!old_rows.contains(key)) diff.changed.push_back({&now, key.first, key.second, std::nullopt, rate});
  }
}

/// Millionths of an atto-USD for one unit.
std::optional<Int128> per_unit(const Rate& rate) {
  Int128 scaled = 0;
  if (__builtin_mul_overflow(rate.atto, static_cast<Int128>(1'000'000), &scaled)) return std::nullopt;
  return scaled / rate.per;
}

}  // namespace

PolicyOrProblems read_policy(const std::string& path) {
  PolicyOrProblems read = policy_from_file(path);
  if (!read.ok()) return read;
  const auto book = PriceBook::open(read.policy->price_book_path(), read.policy->prices);
  if (!book) {
    // "price[2] (acme m): ..." is about that one, all else about the book itself.
    std::string message = book.error().message;
    std::string key = "price_book";
    if (message.starts_with("price[")) {
      key = message.substr(0, message.find(']') + 1);
      message.erase(0, key.size() + 1);
    }
    read.problems.assign({{book.error().code, read.policy->place(key), std::move(message)}});
    read.policy.reset();
    return read;
  }
  std::vector<Problem> doubtful = doubts(*read.policy, **book, endpoint_names());
  std::move(doubtful.begin(), doubtful.end(), std::back_inserter(read.problems));
  return read;
}

Result<KnownModels> known_models(const std::string& given) {
  const std::string path = policy_path(given);
  if (path.empty()) return KnownModels{};
  const PolicyOrProblems read = policy_from_file(path);
  if (!read.ok()) return not_valid(path, read.problems);
  return known_models(*read.policy);
}

Result<std::shared_ptr<const PriceBook>> open_book(const std::string& given) {
  auto known = known_models(given);
  if (!known) return known.error();
  return std::move(known->book);
}

std::string near_models(const PriceBook& book, const std::string& provider, const std::string& name) {
  std::vector<std::string_view> names;
  for (const Model* model : book.models())
    names.push_back(model->name);
  std::string text;
  for (const std::string& near : provider.empty() ? near_names(name, names, 3) : book.near(provider, name, 3))
    text += (text.empty() ? "; near names: " : ", ") + near;
  return text;
}

Result<std::vector<PriceText>> read_source(const std::string& place) {
  std::vector<fs::path> files;
  std::error_code problem;
  if (fs::is_directory(place, problem)) {
    for (const fs::path& folder : {fs::path(place), fs::path(place) / "imported"}) {
      for (const auto& entry : fs::directory_iterator(folder, problem)) {
        if (entry.path().extension() == ".toml") files.push_back(entry.path());
      }
    }
    std::sort(files.begin(), files.end());
    if (files.empty()) return Error{Code::invalid_argument, place + " has no *.toml"};
  } else {
    files.emplace_back(place);
  }
  std::vector<PriceText> texts;
  for (const fs::path& file : files) {
    auto content = content_of(file);
    if (!content) return content.error();
    texts.push_back({file.string(), std::move(*content)});
  }
  return texts;
}

Result<std::shared_ptr<const PriceBook>> read_book(const std::string& place) {
  if (place == "builtin") return PriceBook::builtin();
  auto texts = read_source(place);
  if (!texts) return texts.error();
  if (texts->front().text.starts_with("FRTHBOOK")) return PriceBook::of_table(std::move(texts->front().text));
  CompiledPrices made = compile_prices(*texts);
  if (!made.problems.empty()) {
    std::string all = place + " is no valid price book:";
    for (const std::string& line : made.problems)
      all += "\n" + line;
    return Error{Code::invalid_argument, all};
  }
  return PriceBook::of_table(std::move(made.table));
}

BookDiff diff_of(const PriceBook& before, const PriceBook& after) {
  BookDiff diff;
  const auto old = before.models();
  const auto now = after.models();
  const auto order = [](const Model& a, const Model& b) {
    return a.provider != b.provider ? a.provider.compare(b.provider) : a.name.compare(b.name);
  };
  auto left = old.begin();
  auto right = now.begin();
  while (left != old.end() || right != now.end()) {
    const int side = left == old.end() ? 1 : right == now.end() ? -1 : order(**left, **right);
    if (side == 0) compare(before, **left, after, **right, diff);
    if (side < 0) diff.removed.push_back(*left);
    if (side > 0) diff.added.push_back(*right);
    if (side <= 0) ++left;
    if (side >= 0) ++right;
  }
  return diff;
}

std::string PriceChange::factor() const {
  if (!before || !after || before->atto == 0 || after->atto == 0) return "";
  const auto old = per_unit(*before);
  const auto now = per_unit(*after);
  Int128 hundred = 0;
  if (!old || !now || *old == 0 || __builtin_mul_overflow(*now, static_cast<Int128>(100), &hundred)) return "";
  const auto hundredths = static_cast<std::int64_t>(hundred / *old);
  const std::string rest = std::to_string(100 + hundredths % 100).substr(1);
  return std::to_string(hundredths / 100) + "." + rest;
}

bool PriceChange::over_five() const {
  if (!before || !after) return false;
  return dearer(*after, {before->atto * 5, before->per}) || dearer(*before, {after->atto * 5, after->per});
}

std::string name_of(const Model& model) {
  return std::string(model.provider) + " " + std::string(model.name);
}

}  // namespace farthing::cli
