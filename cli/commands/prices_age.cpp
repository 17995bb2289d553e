#include <cstdio>
#include <iostream>
#include <map>

#include "../books.h"
#include "../commands.h"
#include "../json.h"
#include "../terminal.h"
#include "farthing/clock.h"
#include "farthing/moment.h"

namespace farthing::cli {

namespace {

constexpr std::int64_t old_days = 90;

/// The date in "https://... (2026-11-20)" or at the front of a version; "" where there is none.
std::string date_in(std::string_view text, std::size_t at) {
  return at != std::string_view::npos && at + 10 <= text.size() ? std::string(text.substr(at, 10)) : "";
}

/// Whole days from a date to now; nothing where it is none.
std::optional<std::int64_t> days_since(const std::string& date, std::int64_t now_ms) {
  const auto at = parse_moment(date, {.now_ms = now_ms});
  if (date.empty() || !at) return std::nullopt;
  return (now_ms - *at) / 86'400'000;
}

struct Span {
  std::string oldest, newest;
  std::int64_t models = 0;
};

}  // namespace

int prices_age(const PricesAgeOptions& options) {
  const auto book = open_book(options.policy);
  if (!book) return fail(book.error());
  const std::int64_t now = system_clock()->wall_ms();
  std::map<std::string, Span> providers;
  for (const Model* model : (*book)->models()) {
    const std::string source = (*book)->source(*model);
    const std::string date =
        date_in(source, source.rfind('(') == std::string::npos ? source.size() : source.rfind('(') + 1);
    if (date.empty()) continue;  // a policy's own model
    Span& span = providers[std::string(model->provider)];
    ++span.models;
    if (span.oldest.empty() || date < span.oldest) span.oldest = date;
    if (date > span.newest) span.newest = date;
  }
  const std::string builtin(PriceBook::builtin()->version());
  const std::string in_force((*book)->version());
  const auto is_old = [now](const std::string& date) {
    return days_since(date, now).value_or(old_days + 1) > old_days;
  };
  if (options.json) {
    Json list = Json::array();
    for (const auto& [name, span] : providers) {
      list.push_back({{"provider", name},
                      {"models", span.models},
                      {"oldest", span.oldest},
                      {"newest", span.newest},
                      {"days", days_since(span.oldest, now).value_or(-1)},
                      {"old", is_old(span.oldest)}});
    }
    const Json json = {{"builtin", builtin},
                       {"book", in_force},
                       {"days", days_since(date_in(in_force, 0), now).value_or(-1)},
                       {"old", is_old(date_in(in_force, 0))},
                       {"providers", std::move(list)}};
    std::cout << dump_json(json) << "\n";
    return ok;
  }
  std::size_t old = 0;
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, span] : providers) {
    old += is_old(span.oldest) ? 1 : 0;
    rows.push_back({name, std::to_string(span.models), span.oldest, span.newest,
                    std::to_string(days_since(span.oldest, now).value_or(-1)), is_old(span.oldest) ? "old" : ""});
  }
  std::cout << table({"provider", ">models", "oldest prices", "newest", ">days", ""}, rows);
  std::cout << "built-in price book " << builtin << ", in force " << in_force << "\n";
  const bool book_old = is_old(date_in(in_force, 0));
  if (old > 0 || book_old) {
    std::cout << Terminal::detect().yellow("warning: ") << (book_old ? "the price book" : std::to_string(old))
              << (book_old   ? " is"
                  : old == 1 ? " provider has prices"
                             : " providers have prices")
              << " older than " << old_days << " days: a newer version of Farthing, or farthing prices update\n";
  }
  return ok;
}

}  // namespace farthing::cli
