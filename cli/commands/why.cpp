#include <iostream>

#include "../commands.h"
#include "../terminal.h"

namespace farthing::cli {

int why(const WhyOptions& options) {
  const auto control = open_control(options.where);
  if (!control) return fail(control.error());
  const auto report = (*control)->why(options.id);
  if (!report) return fail(report.error());
  std::cout << (options.json ? report->json + "\n" : printable(report->text, true));
  return ok;
}

}  // namespace farthing::cli
