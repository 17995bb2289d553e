// Lint: one rule of the price book, told about one model at a time. A person may accept a finding with `waive` and a reason.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "prices/compiler/source.h"

namespace farthing::prices_detail {

class Lint {
 public:
  Lint(const Source& source, const SourceModel& model, Problems& problems)
      : source_(source), model_(model), problems_(problems) {}

  const Source& source() const { return source_; }
  const SourceModel& model() const { return model_; }

  /// A finding that no waiver can lift.
  void wrong(const Place& place, const std::string& found, std::string_view accepted);
  /// A finding of a named lint.
  void finding(std::string_view lint, const Place& place, const std::string& found, std::string_view accepted);
  /// Waivers that lifted nothing are findings themselves.
  void finish();

 private:
  const Source& source_;
  const SourceModel& model_;
  Problems& problems_;
  std::set<std::string, std::less<>> used_;
};

/// Whether every call that meets the conditions of `a` meets those of `b`.
bool narrows(const SourceRow& a, const SourceRow& b);
/// Whether one call can meet the conditions of both, at one instant.
bool can_meet(const SourceRow& a, const SourceRow& b);
/// The row that gives a quantity to a call with exactly the conditions of `call`, at the time `call` begins.
const SourceRow* row_for(const SourceModel& model, const SourceRow& call, Quantity quantity);

/// The price of `a` in `row_a` against that of `b` in `row_b`, per unit: negative, 0, positive. `times` multiplies `b`.
int compare(const SourceRow& row_a, const SourcePrice& a, const SourceRow& row_b, const SourcePrice& b, int times = 1);

/// "batch input_tokens 0.25 per million", for messages.
std::string shown(const SourceRow& row, const SourcePrice& price);

bool is_tokens(Quantity quantity);
bool is_time(Quantity quantity);

void lint_prices(Lint& lint);  // lint_prices.cpp: amounts, units, caches, tiers, contexts, changes
void lint_rows(Lint& lint);    // lint_rows.cpp: two prices for one instant, ambiguity
void lint_model(Lint& lint);   // lint.cpp: facts, names, dates

}  // namespace farthing::prices_detail
