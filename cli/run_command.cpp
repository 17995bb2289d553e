// The command line: which commands and options there are. Only this file and usage_errors.cpp know CLI11.
#include <CLI/CLI.hpp>
#include <charconv>
#include <iostream>

#include "commands.h"
#include "farthing_command.h"
#include "terminal.h"
#include "usage_errors.h"

namespace {

using namespace farthing::cli;

constexpr const char* where_the_store_is =
    "Where the store is: --store, FARTHING_STORE, `store` of --policy or of the project's farthing.toml, else the "
    "project's default.\n";
constexpr const char* exit_codes =
    "Exit codes: 0 done, 1 failed (check: the policy is invalid), 2 wrong usage, 3 not found, 4 trouble with the "
    "store.";

void add_where(CLI::App& command, Where& where) {
  command.add_option("--store", where.store, "The store, for example file:farthing.db");
  command.add_option("--policy", where.policy, "The policy that names the store");
}

/// What stands at the end of every command's help: where the store is only with those that open one.
void add_footers(CLI::App& app) {
  for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    add_footers(*command);
  const bool opens = app.get_option_no_throw("--store") != nullptr || app.get_parent() == nullptr;
  app.footer((opens ? where_the_store_is : std::string()) + exit_codes);
}

void add_note(CLI::App& command, farthing::ChangeNote& note) {
  command.add_option("--who", note.who, "Who does it (default: user@host)");
  command.add_option("--why", note.why, "Why; shown in status and kept in the log of changes");
}

/// "" is most often a variable of the shell that nobody set, and would mean everything.
CLI::Validator not_empty() {
  return {[](const std::string& text) { return text.empty() ? std::string("is empty") : std::string(); }, "",
          "not empty"};
}

CLI::Validator whole_number(std::int64_t least, std::int64_t most) {
  const std::string name = "from " + std::to_string(least) + " to " + std::to_string(most);
  return {[least, most, name](const std::string& text) {
            std::int64_t value = 0;
            const char* end = text.data() + text.size();
            const auto read = std::from_chars(text.data(), end, value);
            const bool fine = read.ec == std::errc() && read.ptr == end && value >= least && value <= most;
            return fine ? std::string() : "\"" + text + "\" is no whole number " + name;
          },
          name, "whole number"};
}

CLI::Validator a_count() {
  return whole_number(0, 1'000'000'000);
}

/// What looks at price books and changes the policy's own.
void add_prices_commands(CLI::App& prices_command, int& code) {
  static PricesCompareOptions compare;
  auto* compare_command = prices_command.add_subcommand(
      "compare", "Models side by side, or ranked by what one request would cost with each");
  compare_command->add_option("models", compare.models,
                              "Names, aliases or dated names; provider/name for one provider's only");
  compare_command->add_option("--provider", compare.provider, "Only this provider");
  compare_command->add_option("--family", compare.family, "With --for: models of this family");
  compare_command->add_option("--modality", compare.modality, "With --for: models of this modality");
  auto* request = compare_command->add_option("--for", compare.request,
                                              "Rank by what the request in this file (its JSON body) would cost");
  compare_command->add_option("--endpoint", compare.endpoint, "Of the request (default: by its members)")
      ->needs(request);
  compare_command->add_option("--policy", compare.policy, "With the prices of this policy");
  compare_command->add_flag("--json", compare.json, "JSON instead of text");
  compare_command->callback([&code] { code = prices_compare(compare); });

  static PricesDiffOptions diff;
  auto* diff_command = prices_command.add_subcommand("diff", "What differs between two price books");
  diff_command->add_option("before", diff.before, "builtin, a compiled book, or a book as text: a file or a folder")
      ->required();
  diff_command->add_option("after", diff.after, "Likewise")->required();
  diff_command->add_flag("--json", diff.json, "JSON instead of text");
  diff_command->callback([&code] { code = prices_diff(diff); });

  static PricesAgeOptions age;
  auto* age_command = prices_command.add_subcommand("age", "When prices were read, by provider; old ones are marked");
  age_command->add_option("--policy", age.policy, "With the price book of this policy");
  age_command->add_flag("--json", age.json, "JSON instead of text");
  age_command->callback([&code] { code = prices_age(age); });

  static PricesUpdateOptions update;
  auto* update_command = prices_command.add_subcommand(
      "update", "Put another price book in force: the file that `price_book` of the policy names");
  update_command
      ->add_option("source", update.source, "The book as text: a file, a folder of them, or an https URL with --sha256")
      ->required();
  update_command->add_option("--sha256", update.sha256,
                             "The file's checksum, as its publisher gives it. A URL needs one: that a host serves a "
                             "book does not say who wrote it");
  update_command->add_option("--policy", update.policy, "The policy (default: the project's farthing.toml)");
  update_command->add_flag("--accept-changes", update.accept_changes,
                           "A person has looked: also an older book, and prices that change more than 5 times");
  update_command->add_flag("--json", update.json, "JSON instead of text");
  update_command->callback([&code] { code = prices_update(update); });
}

}  // namespace

int farthing::cli::run_command(int argc, const char* const* argv) {
  CLI::App app{"Farthing: hard caps for paid AI calls.", "farthing"};
  app.set_version_flag("--version", "farthing " FARTHING_VERSION);
  app.require_subcommand(1);

  int code = ok;

  StatusOptions status_options;
  int watch = 0;
  auto* status_command = app.add_subcommand("status", "What every cap has spent, holds and has left");
  add_where(*status_command, status_options.where);
  status_command->add_flag("--json", status_options.json, "JSON instead of text");
  status_command
      ->add_option("--top", status_options.top, "Of each cap and task so many counters, those that spent most; 0 = all")
      ->check(a_count())
      ->capture_default_str();
  auto* all = status_command->add_flag("--all", status_options.all, "Every project's default store of this user");
  for (const char* one : {"--store", "--policy"})
    all->excludes(status_command->get_option(one));
  auto* watch_option =
      status_command
          ->add_option("--watch", watch,
                       "Again every SECONDS (default 2) until interrupted, or until nobody reads it; ends with 0")
          ->expected(0, 1)
          ->check(whole_number(1, 3600))
          ->excludes(all);
  status_command->callback([&] {
    if (watch_option->count() > 0) status_options.watch_seconds = watch == 0 ? 2 : watch;
    code = status(status_options);
  });

  LedgerOptions ledger_options;
  auto* ledger_command = app.add_subcommand("ledger", "The newest entries: one per attempt and correction");
  add_where(*ledger_command, ledger_options.where);
  ledger_command
      ->add_option("--since", ledger_options.since,
                   "From this time on: 2h, today, 2026-11-21, 2026-11-21T10:00, in the policy's zone")
      ->check(not_empty());
  ledger_command->add_option("--until", ledger_options.until, "Before this time")->check(not_empty());
  ledger_command
      ->add_option("--label", ledger_options.labels, "Only calls with this label, kind=value; may be repeated")
      ->allow_extra_args(false);
  ledger_command->add_option("--model", ledger_options.model, "Only this model")->check(not_empty());
  ledger_command->add_option("--call", ledger_options.call, "Only the attempts of this call")->check(not_empty());
  ledger_command->add_option("--run", ledger_options.run, "Only this run of a task")->check(not_empty());
  ledger_command
      ->add_option(
          "--how", ledger_options.how,
          "Only entries settled like this: usage, counted, hold, ended, provider_error, ...; adjust: corrections")
      ->check(not_empty());
  ledger_command
      ->add_option("-n,--most", ledger_options.most, "At most so many, 0 = all (default 20; with --csv or --json all)")
      ->check(a_count());
  ledger_command->add_flag("--denied", ledger_options.denied, "Refusals instead of entries");
  auto* csv = ledger_command->add_flag("--csv", ledger_options.csv, "CSV with a fixed list of columns");
  ledger_command->add_flag("--json", ledger_options.json, "One JSON object per line")->excludes(csv);
  ledger_command->callback([&] {
    if (ledger_command->get_subcommands().empty()) code = ledger(ledger_options);
  });
  RepriceOptions reprice_options;
  auto* reprice_command = ledger_command->add_subcommand(
      "reprice", "What old entries would cost with the price book of now; --apply corrects them");
  add_where(*reprice_command, reprice_options.where);
  reprice_command->add_option("--since", reprice_options.since, "Calls from this time on");
  reprice_command->add_option("--until", reprice_options.until, "Calls before this time");
  reprice_command->add_option("--model", reprice_options.model, "Only this model");
  reprice_command->add_option("--book", reprice_options.book,
                              "Another book: builtin, a compiled one, or one as text (default: the policy's)");
  reprice_command->add_flag("--apply", reprice_options.apply, "Write the differences as corrections; needs --why");
  add_note(*reprice_command, reprice_options.note);
  reprice_command->add_flag("--json", reprice_options.json, "JSON instead of text");
  reprice_command->callback([&] { code = ledger_reprice(reprice_options); });

  WhyOptions why_options;
  auto* why_command = app.add_subcommand("why", "Everything known of one attempt, call, response, job or refusal");
  add_where(*why_command, why_options.where);
  why_command
      ->add_option("id", why_options.id, "Attempt id, call id, or the provider's id of a response, job or request")
      ->required()
      ->check(not_empty());
  why_command->add_flag("--json", why_options.json, "JSON instead of text");
  why_command->callback([&] { code = why(why_options); });

  CheckOptions check_options;
  auto* check_command = app.add_subcommand("check", "Is a policy valid, and what do its caps mean, in words");
  check_command->add_option("file", check_options.file, "The policy (default: the project's farthing.toml)");
  check_command->add_flag("--json", check_options.json, "JSON instead of text");
  check_command->callback([&] { code = check(check_options); });

  HaltOptions halt_options;
  auto* halt_command = app.add_subcommand("halt", "Stop all spending, or the calls that match, from the next call on");
  add_where(*halt_command, halt_options.where);
  halt_command->add_option("--match", halt_options.match, "Only calls with this label, kind=glob; may be repeated")
      ->allow_extra_args(false);
  add_note(*halt_command, halt_options.note);
  halt_command->callback([&] { code = halt(halt_options); });

  ResumeOptions resume_options;
  std::int64_t halt_id = 0;
  auto* resume_command = app.add_subcommand("resume", "Undo all halts, or the one with this id");
  add_where(*resume_command, resume_options.where);
  auto* halt_id_option = resume_command->add_option("id", halt_id, "The halt's id, as `farthing status` shows it")
                             ->check(whole_number(1, 1'000'000'000));
  add_note(*resume_command, resume_options.note);
  resume_command->callback([&] {
    if (halt_id_option->count() > 0) resume_options.id = halt_id;
    code = resume(resume_options);
  });

  CapOptions cap_options;
  auto* cap_command = app.add_subcommand("cap", "Caps and their limits at run time")->alias("caps");
  cap_command->require_subcommand(1);
  auto* list_command = cap_command->add_subcommand("list", "The caps registered in the store");
  add_where(*list_command, cap_options.where);
  list_command->add_flag("--json", cap_options.json, "JSON instead of text");
  list_command->callback([&] { code = cap_list(cap_options); });
  auto* set_command =
      cap_command->add_subcommand("set", "Another limit, in force on the next call; what was spent stays");
  add_where(*set_command, cap_options.where);
  set_command->add_option("cap", cap_options.cap, "The cap's id, or a part of id or words that only it has")
      ->required();
  set_command->add_option("limit", cap_options.limit, "The limit, for example \"50 USD\"")->required();
  set_command
      ->add_option("--for", cap_options.counter, "Only this counter of a cap with `each`: user=u42, once for each kind")
      ->allow_extra_args(false);
  set_command->add_option("--until", cap_options.until, "Until then: 2h, friday, 2026-12-01, in the policy's zone");
  add_note(*set_command, cap_options.note);
  set_command->callback([&] { code = cap_set(cap_options); });
  auto* clear_command = cap_command->add_subcommand("clear", "Back to the policy's limit");
  add_where(*clear_command, cap_options.where);
  clear_command->add_option("cap", cap_options.cap, "The cap's id, or a part of id or words that only it has")
      ->required();
  clear_command
      ->add_option("--for", cap_options.counter, "Only this counter of a cap with `each`: user=u42, once for each kind")
      ->allow_extra_args(false);
  add_note(*clear_command, cap_options.note);
  clear_command->callback([&] { code = cap_clear(cap_options); });
  CapLogOptions log_options;
  auto* log_command =
      cap_command->add_subcommand("log", "Who changed what, when and why: limits, policies, halts; the newest first");
  add_where(*log_command, log_options.where);
  log_command->add_option("-n,--most", log_options.most, "At most so many, 0 = all (default 20)")->check(a_count());
  log_command->add_flag("--json", log_options.json, "One JSON object per line");
  log_command->callback([&] { code = cap_log(log_options); });
  SuggestCapsOptions suggest_options;
  auto* suggest_command = cap_command->add_subcommand(
      "suggest", "Caps that the ledger speaks for: a policy to paste, and where each limit comes from");
  add_where(*suggest_command, suggest_options.where);
  suggest_command->add_option("--since", suggest_options.since,
                              "From this time on: 4w, 2026-11-01, 2026-11-01T10:00, in the policy's zone; default 90d");
  suggest_command->add_flag("--json", suggest_options.json, "JSON instead of the policy");
  suggest_command->callback([&] { code = cap_suggest(suggest_options); });

  PricesOptions prices_options;
  auto* prices_command = app.add_subcommand("prices", "What models cost, by a part of their name");
  prices_command->add_option("name", prices_options.name, "A part of the name, an alias or a dated name");
  prices_command->add_option("--provider", prices_options.provider, "Only this provider");
  prices_command->add_option("--policy", prices_options.policy,
                             "With the prices of this policy (default: the project's farthing.toml)");
  prices_command->add_flag("--json", prices_options.json, "JSON instead of text");
  prices_command->callback([&] {
    if (prices_command->get_subcommands().empty()) code = prices(prices_options);
  });
  add_prices_commands(*prices_command, code);

  CountOptions count_options;
  auto* count_command = app.add_subcommand("count", "The tokens of a text or of a request's input");
  auto* count_file = count_command->add_option("file", count_options.file, "The text (default: standard input)");
  count_command
      ->add_option("--request", count_options.request, "A request's JSON instead of a text; - is standard input")
      ->excludes(count_file);
  count_command->add_option("--model", count_options.model, "Whose tokens (default: the request's model)");
  count_command->add_option("--encoding", count_options.encoding,
                            "An encoding instead: o200k_base, cl100k_base, o200k_harmony, a .tiktoken file, a "
                            "tokenizer.json");
  count_command->add_option("--endpoint", count_options.endpoint,
                            "What the request is for: chat.completions, responses, messages, ... (default: by its "
                            "members)");
  count_command->add_option("--policy", count_options.policy,
                            "With the models and tokenizers of this policy (default: the project's farthing.toml)");
  count_command->add_flag("--explain", count_options.explain, "What the tokens are of, and how sure that is");
  count_command->add_flag("--json", count_options.json, "JSON instead of text");
  count_command->callback([&] { code = count(count_options); });

  EstimateOptions estimate_options;
  auto* estimate_command =
      app.add_subcommand("estimate", "What a call would cost, likely and at most; nothing is sent or held");
  auto* estimate_file =
      estimate_command->add_option("request", estimate_options.request, "The request's JSON (default: standard input)");
  estimate_command->add_option("--text", estimate_options.text, "A prompt instead of a request, to --model")
      ->excludes(estimate_file);
  estimate_command
      ->add_option("--file", estimate_options.file, "A recording to write down, or an image to edit, with --model")
      ->excludes(estimate_file)
      ->excludes(estimate_command->get_option("--text"));
  estimate_command
      ->add_option("--output-limit", estimate_options.output_limit, "With --text: the longest answer, in tokens")
      ->check(whole_number(1, 1'000'000'000));
  estimate_command->add_option("--model", estimate_options.model, "The model (default: the request's)");
  estimate_command->add_option("--endpoint", estimate_options.endpoint,
                               "What the request is for: chat.completions, responses, messages, ... (default: by its "
                               "members)");
  estimate_command->add_option("--host", estimate_options.host,
                               "Where it goes, for example api.groq.com (default: the endpoint's maker)");
  estimate_command->add_option("--label", estimate_options.labels, "A label of the call, kind=value; may be repeated")
      ->allow_extra_args(false);
  estimate_command->add_option("--policy", estimate_options.policy,
                               "With the prices and hosts of this policy (default: the project's farthing.toml)");
  estimate_command->add_option("--count", estimate_options.count, "So many of them")
      ->check(whole_number(1, 1'000'000'000));
  estimate_command->add_flag("--explain", estimate_options.explain, "What it is made of");
  estimate_command->add_flag("--json", estimate_options.json, "JSON instead of text");
  estimate_command->callback([&] { code = estimate(estimate_options); });

  AdjustOptions adjust_options;
  auto* adjust_command = app.add_subcommand("adjust", "Correct what an attempt cost; the ledger keeps both entries");
  add_where(*adjust_command, adjust_options.where);
  adjust_command->add_option("amount", adjust_options.amount, "What it cost, for example \"0.0012 USD\"")->required();
  adjust_command->add_option("id", adjust_options.id, "The attempt's id");
  auto* unknown =
      adjust_command->add_flag("--unknown", adjust_options.unknown, "Every attempt of unknown outcome since --since");
  adjust_command->add_option("--since", adjust_options.since, "With --unknown: from this time on")->needs(unknown);
  add_note(*adjust_command, adjust_options.note);
  adjust_command->callback([&] { code = adjust(adjust_options); });

  JobsOptions jobs_options;
  auto* jobs_command =
      app.add_subcommand("jobs", "Videos, batches and responses in the background that are not over: what they hold");
  add_where(*jobs_command, jobs_options.where);
  jobs_command->add_flag("--json", jobs_options.json, "One JSON object per line");
  jobs_command->callback([&] {
    if (jobs_command->get_subcommands().empty()) code = jobs(jobs_options);
  });
  JobsEndOptions jobs_end_options;
  auto* jobs_end_command =
      jobs_command->add_subcommand("end", "End one that nobody polls: charged at its hold, or at --amount");
  add_where(*jobs_end_command, jobs_end_options.where);
  jobs_end_command->add_option("job", jobs_end_options.id, "The provider's id of it, or its attempt's")->required();
  jobs_end_command->add_option("--amount", jobs_end_options.amount, "What it cost, for example \"0.40 USD\"");
  add_note(*jobs_end_command, jobs_end_options.note);
  jobs_end_command->callback([&] { code = jobs_end(jobs_end_options); });

  PolicyOptions policy_options;
  auto* policy_command = app.add_subcommand("policy", "Policies registered in the store");
  policy_command->require_subcommand(1);
  auto* apply_command = policy_command->add_subcommand("apply", "Put a policy file in force without opening a guard");
  add_where(*apply_command, policy_options.where);
  apply_command->add_option("file", policy_options.file_or_name, "The policy file")->required();
  apply_command->add_flag("--force", policy_options.force, "Also one that another replaced, loosening limits in force");
  apply_command->add_flag("--dry-run", policy_options.dry_run, "Say what would change, and change nothing");
  add_note(*apply_command, policy_options.note);
  apply_command->callback([&] { code = policy_apply(policy_options); });
  auto* policies_command = policy_command->add_subcommand("list", "The policies in force, and since when");
  add_where(*policies_command, policy_options.where);
  policies_command->add_flag("--json", policy_options.json, "JSON instead of text");
  policies_command->callback([&] { code = policy_list(policy_options); });
  auto* remove_command =
      policy_command->add_subcommand("remove", "Take a policy out of force; what was counted is kept");
  add_where(*remove_command, policy_options.where);
  remove_command->add_option("name", policy_options.file_or_name, "The policy's name")->required();
  remove_command->add_flag("--dry-run", policy_options.dry_run, "Say what would change, and change nothing");
  add_note(*remove_command, policy_options.note);
  remove_command->callback([&] { code = policy_remove(policy_options); });

  auto* store_command = app.add_subcommand("store", "The store itself");
  store_command->require_subcommand(1);
  auto* clock_command =
      store_command->add_subcommand("reset-clock", "After a clock that was wrong: follow this machine's clock again");
  add_where(*clock_command, policy_options.where);
  add_note(*clock_command, policy_options.note);
  clock_command->callback([&] { code = reset_clock(policy_options); });

  add_footers(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // for help, or the version
    app.exit(asked);
    return ok;
  } catch (const CLI::ParseError& error) {
    return fail(usage, usage_error(app, error));
  }
  if (code == ok && !output_is_complete())
    return fail(failed, "it was done, but what it prints could not be written; is the disk full?");
  return code;
}
