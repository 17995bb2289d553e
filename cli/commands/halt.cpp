#include <iostream>

#include "../commands.h"
#include "../terminal.h"
#include "farthing/endpoint.h"

namespace farthing::cli {

int halt(const HaltOptions& options) {
  const auto match = match_of(options.match);
  if (!match) return fail(match.error());
  const auto control = open_control(options.where);
  if (!control) return fail(control.error());
  const auto id = (*control)->halt(*match, options.note);
  if (!id) return fail(id.error());
  const auto status = (*control)->status();
  std::cout << "halted " << (match->of.empty() ? "everything" : "calls with " + match->words())
            << ": from the next call on, in every process on " << (status ? status->store : "this store")
            << ". Calls already sent finish.\n"
            << "back on with: farthing resume " << *id << "\n";
  if (const auto doubts = (*control)->doubts_of_halt(*match, endpoint_names()); doubts) {
    for (const std::string& doubt : *doubts)
      std::cerr << "warning: " << printable(doubt, true) << "; the halt is in force all the same\n";
  }
  return ok;
}

int resume(const ResumeOptions& options) {
  const auto control = open_control(options.where);
  if (!control) return fail(control.error());
  const auto status = (*control)->status();
  if (!status) return fail(status.error());
  if (status->halts.empty() && !options.id) {
    std::cout << "nothing is halted\n";
    return ok;
  }
  if (const Status done = (*control)->resume(options.id, options.note); !done) return fail(done.error());
  std::cout << "resumed " << (options.id ? "halt " + std::to_string(*options.id) : "everything") << "\n";
  return ok;
}

}  // namespace farthing::cli
