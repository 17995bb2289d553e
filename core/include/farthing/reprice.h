// Reprice: what old entries of the ledger would cost with another price book (R25), and corrections to that (R19).
//
//   auto report = reprice(*control, *book, {});           // only looks
//   auto done = apply_reprice(*control, *report, {.who = "", .why = "new price list"});
//
// Only what was used and is known is priced again. What is left out is counted, with its reason.
// Thread-safety: free functions, as Control.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "farthing/control.h"
#include "farthing/prices.h"

namespace farthing {

struct RepriceFilter {
  std::optional<std::int64_t> since_ms;  // by the time of the reserve, inclusive
  std::optional<std::int64_t> until_ms;  // exclusive
  std::string model;                     // canonical; "" = all
};

struct RepricedEntry {
  AttemptId attempt;
  std::string provider;
  std::string model;
  std::optional<Usd> before;  // as it is booked now, corrections included; nothing: it had no price
  Usd after;
};

struct RepricedModel {
  std::string provider;
  std::string model;
  std::int64_t entries = 0;
  std::int64_t changed = 0;
  std::int64_t unknown = 0;  // that had no price
  Usd before;                // of all but those
  Usd after;
};

struct RepriceReport {
  std::string book;
  std::vector<RepricedModel> models;             // by provider and name
  std::vector<RepricedEntry> changed;            // newest first
  std::map<std::string, std::int64_t> left_out;  // reason -> entries
};

/// `overflow` where a sum does not fit.
Result<RepriceReport> reprice(const Control& control, const PriceBook& book, const RepriceFilter& filter);
/// Corrects every changed entry; counters of caps in force follow (R14, R19). Stops at the first error; what was done stays,
/// and a second run goes on from there. Answers how many.
Result<std::int64_t> apply_reprice(Control& control, const RepriceReport& report, const ChangeNote& note);

}  // namespace farthing
