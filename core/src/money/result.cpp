#include "farthing/result.h"

namespace farthing {

std::string_view code_text(Code code) {
  // A switch, not a table: the compiler warns of a code that is missing here.
  switch (code) {
    case Code::cap_exceeded:
      return "cap_exceeded";
    case Code::per_call_cap_exceeded:
      return "per_call_cap_exceeded";
    case Code::label_required:
      return "label_required";
    case Code::too_many_caps:
      return "too_many_caps";
    case Code::too_many_counters:
      return "too_many_counters";
    case Code::halted:
      return "halted";
    case Code::unpriced_model:
      return "unpriced_model";
    case Code::unbounded_request:
      return "unbounded_request";
    case Code::unknown_endpoint:
      return "unknown_endpoint";
    case Code::unreadable_request:
      return "unreadable_request";
    case Code::policy_conflict:
      return "policy_conflict";
    case Code::duplicate:
      return "duplicate";
    case Code::store_unavailable:
      return "store_unavailable";
    case Code::invalid_argument:
      return "invalid_argument";
    case Code::invalid_money:
      return "invalid_money";
    case Code::invalid_policy:
      return "invalid_policy";
    case Code::not_in_this_version:
      return "not_in_this_version";
    case Code::policy_superseded:
      return "policy_superseded";
    case Code::unknown_cap:
      return "unknown_cap";
    case Code::unknown_attempt:
      return "unknown_attempt";
    case Code::unknown_job:
      return "unknown_job";
    case Code::unknown_halt:
      return "unknown_halt";
    case Code::unknown_policy:
      return "unknown_policy";
    case Code::store_foreign:
      return "store_foreign";
    case Code::store_corrupt:
      return "store_corrupt";
    case Code::store_newer:
      return "store_newer";
    case Code::store_replaced:
      return "store_replaced";
    case Code::store_not_shared:
      return "store_not_shared";
    case Code::store_on_network:
      return "store_on_network";
    case Code::store_busy:
      return "store_busy";
    case Code::overflow:
      return "overflow";
    case Code::closed:
      return "closed";
    case Code::fetch_failed:
      return "fetch_failed";
    case Code::library_missing:
      return "library_missing";
  }
  return "unknown_code";
}

}  // namespace farthing
