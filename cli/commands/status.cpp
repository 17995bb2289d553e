#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <limits>

#include "../commands.h"
#include "../terminal.h"
#include "farthing/guard.h"
#include "farthing/time_text.h"

namespace farthing::cli {

namespace {

volatile std::sig_atomic_t interrupted = 0;

std::string counter_name(const CapLeft& cap) {
  std::string text;
  for (const auto& [kind, value] : cap.counter)
    text += (text.empty() ? "" : ", ") + kind + "=" + value;
  return text;
}

std::string more_line(std::int64_t more) {
  return "  and " + std::to_string(more) + (more == 1 ? " other that" : " others that") +
         " spent and hold no more   (--top 0)\n";
}

/// Of each cap and task the `top` counters that spent most; 0 = all.
std::string render(const StatusReport& report, const Terminal& terminal, std::int64_t top) {
  std::string text = terminal.bold("store ") + report.store + "   " + terminal.dim(iso_utc(report.now_ms)) + "\n";
  for (const StatusHalt& halt : report.halts) {
    text += terminal.red("HALTED") + " " + (halt.match_json == "{}" ? "everything" : halt.match_json) + " by " +
            halt.who + " " + iso_utc(halt.at_ms) + (halt.why.empty() ? "" : ": " + halt.why) + "   (farthing resume " +
            std::to_string(halt.id) + ")\n";
  }
  if (report.counters.empty()) text += "no caps are registered in this store\n";
  const int width = terminal.columns >= 100 ? 30 : 20;
  std::string last_title;
  std::int64_t shown = 0;  // of this title
  std::int64_t more = 0;
  for (const StatusCounter& row : report.counters) {
    const CapLeft& cap = row.cap;
    const bool named = !cap.cap_id.empty() && !is_made_id(cap.cap_id);
    const std::string title = terminal.bold(row.words) + (named ? terminal.dim("  " + cap.cap_id) : "");
    if (title != last_title) {
      if (more > 0) text += more_line(more);
      text += "\n" + title + "\n";
      shown = more = 0;
    }
    last_title = title;
    if (top > 0 && shown == top) {
      ++more;
      continue;
    }
    ++shown;
    const std::string name = cap.run.empty() ? counter_name(cap) : cap.run;
    if (!name.empty()) text += "  " + name + "\n";
    if (cap.per == Per::call) {
      text += "  checked in every call, nothing to count\n";
      continue;
    }
    const std::int64_t percent = percent_of(cap.spent, cap.limit);
    const auto amount = [&](std::int64_t value) { return amount_text(cap.meter, value); };
    text += "  ";
    if (cap.is_limited())
      text += terminal.bar(cap.spent, cap.reserved, cap.limit, width) + " " + std::to_string(percent) + " %  ";
    text += "spent " + amount(cap.spent);
    if (cap.reserved != 0) text += "  reserved " + amount(cap.reserved);
    if (cap.is_limited()) text += "  left " + amount(cap.remaining());
    if (cap.resets_at_ms) text += terminal.dim("  resets in " + duration_words(*cap.resets_at_ms - report.now_ms));
    if (row.change) text += terminal.yellow("  limit " + limit_change_words(cap.meter, *row.change));
    if (row.unknown != 0) text += terminal.yellow("  of which unknown outcome " + amount(row.unknown));
    if (row.counted_since_ms) text += terminal.dim("  counted since " + iso_utc(*row.counted_since_ms));
    text += "\n";
  }
  if (more > 0) text += more_line(more);
  text += "\n" + std::to_string(report.open_holds) + (report.open_holds == 1 ? " call is" : " calls are") + " open";
  if (report.pending_jobs > 0)
    text += ", " + std::to_string(report.pending_jobs) + (report.pending_jobs == 1 ? " job is" : " jobs are") +
            " pending" + terminal.dim("   (farthing jobs)");
  text += "\n";
  for (const std::string& note : report.notes)
    text += terminal.yellow("note: ") + note + "\n";
  return text;
}

/// False when the watching ends: it was interrupted, or nobody reads it any more.
bool wait_for_next_round(int seconds) {
  // Closed to them between the look and the wait: a signal that came while it showed is not slept over.
  sigset_t ends{};
  sigset_t before{};
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  sigprocmask(SIG_BLOCK, &ends, &before);
  pollfd reader{STDOUT_FILENO, 0, 0};  // asked for nothing, it tells only that the other end is closed
  const timespec span{seconds, 0};
  const bool left = interrupted == 0 && ppoll(&reader, 1, &span, &before) > 0;
  sigprocmask(SIG_SETMASK, &before, nullptr);
  return interrupted == 0 && !left;
}

int show(const std::string& location, const StatusOptions& options, const Terminal& terminal) {
  const auto control = location.empty() ? open_control(options.where) : open_control(Where{location, ""});
  if (!control) return fail(control.error());
  const auto report = (*control)->status();
  if (!report) return fail(report.error());
  std::cout << (options.json ? report->to_json() + "\n" : printable(render(*report, terminal, options.top), true))
            << std::flush;
  return ok;
}

}  // namespace

int status(const StatusOptions& options) {
  const Terminal terminal = Terminal::detect();
  if (options.all) {
    const std::vector<std::string> stores = default_stores();
    if (stores.empty() && !options.json) std::cout << "no store of a project of yours yet\n";
    int worst = ok;
    for (const std::string& location : stores) {
      worst = std::max(worst, show(location, options, terminal));
      if (!options.json) std::cout << "\n";
    }
    return worst;
  }
  if (!options.watch_seconds) return show("", options, terminal);

  struct sigaction action{};
  action.sa_handler = [](int) { interrupted = 1; };  // no SA_RESTART: the wait below ends at once
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = SIG_IGN;  // a reader that left ends it like an interrupt does
  sigaction(SIGPIPE, &action, nullptr);
  do {
    std::cout << terminal.clear_screen();
    if (const int code = show("", options, terminal); code != ok) return code;
    if (!terminal.interactive && !options.json) std::cout << "---\n" << std::flush;
    if (!std::cout) return ok;
  } while (wait_for_next_round(*options.watch_seconds));
  return ok;
}

}  // namespace farthing::cli
