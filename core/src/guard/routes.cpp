#include "guard/routes.h"

namespace farthing::guard {

Route Routes::of(std::string_view method, std::string_view host, std::string_view path) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (lock.owns_lock() && !method_.empty() && method == method_ && host == host_ && path == path_) return route_;
  Route route = recognise(method, host, path, hosts_, endpoints_);
  // What names a job is asked for once, or changes each time.
  if (lock.owns_lock() && route.kind == Route::Kind::priced && route.job_id.empty()) {
    method_ = method;
    host_ = host;
    path_ = path;
    route_ = route;
  }
  return route;
}

}  // namespace farthing::guard
