// Explains an estimate: the parts that its ceiling and what is likely are made of. The counts of each side add up to its
// meters, the costs to its money, to the nano.
//
//   Bill bill;
//   const Sized sized = size_call({..., .bill = &bill});
//   explain({.facts = facts, .dialect = dialect, .sized = sized, .bill = bill, ...}, estimate);
//
// Thread-safety: a free function.
#pragma once

#include "farthing/receipt.h"
#include "guard/sizing.h"

namespace farthing::guard {

struct Explaining {
  const RequestFacts& facts;
  const Dialect& dialect;
  const Sized& sized;
  const Bill& bill;
  const InputCount* counted = nullptr;
  // Bills that taught what is likely.
  std::int64_t input_lessons = 0;
  std::int64_t output_lessons = 0;
};

/// Fills both lists of parts; money and meters of `estimate` are there already.
void explain(const Explaining& what, Estimate& estimate);

}  // namespace farthing::guard
