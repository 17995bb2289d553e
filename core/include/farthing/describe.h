// The caps of a policy in words, a row each: what `farthing check` prints.
// Thread-safety: a free function.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "farthing/policy.h"

namespace farthing {

struct CapDescription {
  std::size_t number = 0;  // place in the policy, as problems name it: cap[0]
  std::string limit;       // "5.00 USD"
  std::string window;      // "day", "month from day 15 (Europe/Berlin)", "total", "at once"
  std::string calls;       // "all", "project=marketing, model=gpt-5*|o3"
  std::string counters;    // "together", "each user (u42: 50.00 USD)", "each user (refused without)"
  std::string alerts;      // "50, 80, 100 %"; empty without
  std::string id;          // as given; empty where it is made from the rest (R4)
};

std::vector<CapDescription> describe(const Policy& policy);

}  // namespace farthing
