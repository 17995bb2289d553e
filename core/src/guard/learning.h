// Learning: what this process knows of what settled calls taught, and which call is to teach next (ledger/learned.h).
//
//   Learning::Known known = learning.find(*plan.context, facts, body);
//   if (lesson_due(*known.learned, attempt_id)) ...              // count its input, write a lesson with its settlement
//   learning.put(known, *settled.learned);
//
// It only ever changes what is likely. What a call may cost at most, and so what is held, it does not touch: a provider or a
// gateway that bills less a hundred times has not promised anything for the next call.
//
// Thread-safety: every method from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>

#include "farthing/count.h"
#include "farthing/ledger.h"
#include "guard/keys.h"
#include "ledger/learned.h"
#include "store/store.h"
#include "wire/wire.h"

namespace farthing::guard {

/// Each of the first calls teaches, then one in so many: what is known changes slowly, and a lesson costs a count.
inline constexpr std::int64_t first_lessons = 16;
inline constexpr std::uint64_t later_lessons = 8;
/// Longer bodies are not counted for a lesson.
inline constexpr std::size_t max_lesson_bytes = 64 * 1024;

bool lesson_due(const Learned& learned, AttemptId id);

/// By how much `billed` is off a count, as a Lesson has it: in tokens with tools, which cost what they cost, else in thousandths
/// of the count, since it is the texts that are counted wrong.
std::int64_t residual_of(std::int64_t billed, std::int64_t counted, bool tool_set);
/// The count with what was learnt, and at least 0; the count itself where nothing stable was.
std::int64_t corrected(std::int64_t counted, const Learned& learned, bool tool_set);

class Learning {
 public:
  /// `keys` stays.
  Learning(const KeyHasher& keys, std::shared_ptr<Store> store);

  struct Known {
    std::uint64_t bytes = 0;  // hash of the same before it was read: how it is found again
    std::uint64_t key = 0;
    std::shared_ptr<const Learned> learned;  // null: not looked for
  };

  /// Host, endpoint, model and tool set as one number, from which none of them can be told. The same tools are the same however
  /// their JSON is spaced and escaped.
  std::uint64_t key_of(const CallContext& context, const RequestFacts& facts, std::string_view body) const;
  /// As this process saw it last; read from the store the first time, where that is not busy.
  Known find(const CallContext& context, const RequestFacts& facts, std::string_view body);
  Known put(Known known, const Learned& learned);

 private:
  const KeyHasher& keys_;
  const std::shared_ptr<Store> store_;
  std::mutex mutex_;  // guards what follows
  std::unordered_map<std::uint64_t, Known> known_;
};

}  // namespace farthing::guard
