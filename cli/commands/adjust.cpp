#include <iostream>

#include "../commands.h"

namespace farthing::cli {

namespace {

/// R23: every attempt of unknown outcome since a time, set to one amount.
int adjust_unknown(Control& control, Usd amount, std::int64_t since_ms, const ChangeNote& note) {
  std::vector<AttemptId> ids;
  for (const How how : {How::hold, How::expired}) {
    LedgerFilter filter;
    filter.since_ms = since_ms;
    filter.how = how;
    const Status read = control.ledger(filter, [&](const LedgerRow& row) {
      if (row.kind == RowKind::attempt) ids.push_back(row.id);
      return true;
    });
    if (!read) return fail(read.error());
  }
  std::size_t set = 0;
  for (const AttemptId id : ids) {
    // One that was corrected already, or settled late (R18), is known by now and stays as it is.
    bool known = false;
    LedgerFilter filter;
    filter.id = id;
    const Status read = control.ledger(filter, [&](const LedgerRow& row) {
      known = known || row.kind == RowKind::adjust;
      return true;
    });
    if (!read) return fail(read.error());
    if (known) continue;
    if (const auto done = control.adjust(id, amount, note); !done) return fail(done.error());
    ++set;
  }
  std::cout << set << (set == 1 ? " attempt" : " attempts") << " of unknown outcome set to " << to_text(amount)
            << " USD\n";
  return ok;
}

/// The one place where both arguments look alike to a hurried eye.
Error no_amount(const AdjustOptions& options, const Error& error) {
  if (!parse_attempt_id(options.amount)) return error;
  const std::string amount = parse_usd(options.id) ? options.id : "0.0012 USD";
  return Error{Code::invalid_argument, "the amount comes first, then the attempt: found the attempt's id " +
                                           options.amount + " in the amount's place. For example: farthing adjust \"" +
                                           amount + "\" " + options.amount};
}

}  // namespace

int adjust(const AdjustOptions& options) {
  const auto amount = parse_usd(options.amount);
  if (!amount) return fail(no_amount(options, amount.error()));
  if (options.unknown == !options.id.empty()) return fail(usage, "give an attempt's id, or --unknown --since TIME");
  if (options.unknown && options.since.empty())
    return fail(usage, "--unknown needs --since TIME, for example --since 2h");
  const auto since = options.unknown ? moment_of(options.since, options.where, /*past=*/true) : Result<std::int64_t>(0);
  if (!since) return fail(since.error());
  const auto id = options.unknown ? Result<AttemptId>(AttemptId{}) : parse_attempt_id(options.id);
  if (!id) return fail(id.error());
  const auto control = open_control(options.where);
  if (!control) return fail(control.error());
  if (options.unknown) return adjust_unknown(**control, *amount, *since, options.note);
  const auto before = (*control)->adjust(*id, *amount, options.note);
  if (!before) return fail(before.error());
  std::cout << "attempt " << options.id << " now costs " << to_text(*amount) << " USD instead of " << to_text(*before)
            << " USD\n";
  return ok;
}

}  // namespace farthing::cli
