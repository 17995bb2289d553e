// Job: a call whose work goes on after its answer: a video, a batch, a response in the background (R17). Its hold lives
// until the job is over, its deadline passes, or somebody ends it.
//
//   for (const JobView& job : *control->jobs()) print(job.job.id, job.row.held);
//   control->end_job("video_123", std::nullopt, {"alice", "never polled"});   // charged at its hold
//
// Thread-safety: values.
#pragma once

#include <cstdint>
#include <string>

#include "farthing/ledger.h"

namespace farthing {

struct Job {
  AttemptId attempt;                 // whose hold it keeps
  std::string host;                  // with `id`: how every process finds it
  std::string id;                    // the provider's: "video_...", "resp_...", "batch_..."
  std::string kind;                  // "video", "response", "batch"
  std::int64_t lives_ms = 0;         // from when it was kept; data (R17)
  bool slot_until_deadline = false;  // expiry also gives its concurrency slot back (`jobs.slots` of the policy)
  std::string terms;                 // JSON of the guard: what a poll prices it by
};

/// A job that is not over, as the store knows it.
struct JobView {
  Job job;
  LedgerRow row;                 // of its call: the hold's draft; how = expired once its deadline has passed
  std::int64_t deadline_ms = 0;  // the store's time
  bool slot = false;             // a concurrency slot is taken for it
  bool over = false;             // settled: only found by its id, for a week
};

}  // namespace farthing
