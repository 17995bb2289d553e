// One function per subcommand; each prints and answers the exit code. run_command.cpp fills the options.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "arguments.h"

namespace farthing::cli {

struct StatusOptions {
  Where where;
  bool json = false;
  bool all = false;       // every default store of this user
  std::int64_t top = 10;  // counters shown of each cap and task, 0 = all
  std::optional<int> watch_seconds;
};
int status(const StatusOptions& options);

struct LedgerOptions {
  Where where;
  std::string since;
  std::string until;
  std::vector<std::string> labels;
  std::string model;
  std::string call;
  std::string run;
  std::string how;
  std::optional<std::int64_t> most;  // 0 = all; unless it is given 20 to read, and all to work with
  bool denied = false;
  bool csv = false;
  bool json = false;
};
int ledger(const LedgerOptions& options);

struct RepriceOptions {
  Where where;
  std::string since;
  std::string until;
  std::string model;
  std::string book;
  bool apply = false;
  ChangeNote note;
  bool json = false;
};
int ledger_reprice(const RepriceOptions& options);

struct WhyOptions {
  Where where;
  std::string id;
  bool json = false;
};
int why(const WhyOptions& options);

struct CheckOptions {
  std::string file;
  bool json = false;
};
int check(const CheckOptions& options);

struct HaltOptions {
  Where where;
  std::vector<std::string> match;
  ChangeNote note;
};
int halt(const HaltOptions& options);

struct ResumeOptions {
  Where where;
  std::optional<std::int64_t> id;
  ChangeNote note;
};
int resume(const ResumeOptions& options);

struct CapOptions {
  Where where;
  std::string cap;
  std::string limit;
  std::vector<std::string> counter;  // the values of `each`, in its order
  std::string until;
  ChangeNote note;
  bool json = false;
};
int cap_list(const CapOptions& options);
int cap_set(const CapOptions& options);
int cap_clear(const CapOptions& options);

struct CapLogOptions {
  Where where;
  std::int64_t most = 20;  // 0 = all
  bool json = false;
};
int cap_log(const CapLogOptions& options);

struct SuggestCapsOptions {
  Where where;
  std::string since = "90d";
  bool json = false;
};
int cap_suggest(const SuggestCapsOptions& options);

struct PricesOptions {
  std::string name;
  std::string provider;
  std::string policy;
  bool json = false;
};
int prices(const PricesOptions& options);

struct PricesCompareOptions {
  std::vector<std::string> models;
  std::string provider, family, modality;
  std::string request;   // file with a request's body
  std::string endpoint;  // "" = by the members of the request
  std::string policy;
  bool json = false;
};
int prices_compare(const PricesCompareOptions& options);

struct PricesDiffOptions {
  std::string before, after;
  bool json = false;
};
int prices_diff(const PricesDiffOptions& options);

struct PricesAgeOptions {
  std::string policy;
  bool json = false;
};
int prices_age(const PricesAgeOptions& options);

struct PricesUpdateOptions {
  std::string source;
  std::optional<std::string> sha256;
  std::string policy;
  bool accept_changes = false;
  bool json = false;
};
int prices_update(const PricesUpdateOptions& options);

struct CountOptions {
  std::string file;  // a text; "" = standard input
  std::string request;
  std::string model;
  std::string encoding;
  std::string endpoint;
  std::string policy;
  bool json = false;
  bool explain = false;
};
int count(const CountOptions& options);

struct EstimateOptions {
  std::string request;  // a file; "" = standard input, if there is no `text`
  std::optional<std::string> text;
  std::string file;  // that goes with the request in a form
  std::optional<std::int64_t> output_limit;
  std::string model;
  std::string endpoint;
  std::string host;
  std::vector<std::string> labels;
  std::string policy;
  std::int64_t count = 1;
  bool json = false;
  bool explain = false;
};
int estimate(const EstimateOptions& options);

struct AdjustOptions {
  Where where;
  std::string id;
  std::string amount;
  bool unknown = false;
  std::string since;
  ChangeNote note;
};
int adjust(const AdjustOptions& options);

struct JobsOptions {
  Where where;
  bool json = false;
};
int jobs(const JobsOptions& options);

struct JobsEndOptions {
  Where where;
  std::string id;
  std::string amount;  // "" = charged at its hold
  ChangeNote note;
};
int jobs_end(const JobsEndOptions& options);

struct PolicyOptions {
  Where where;
  std::string file_or_name;
  bool force = false;
  bool dry_run = false;
  ChangeNote note;
  bool json = false;
};
int policy_list(const PolicyOptions& options);
int policy_apply(const PolicyOptions& options);
int policy_remove(const PolicyOptions& options);
int reset_clock(const PolicyOptions& options);

}  // namespace farthing::cli
