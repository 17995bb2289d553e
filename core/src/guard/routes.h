// Routes: where a request goes. The last one is remembered: a client asks the same place again and again, and finding it in
// the tables of hosts, endpoints and dialects takes a tenth of what happens before a call is sent.
//
//   Route route = routes.of(request.method, request.host, request.path);
//
// Thread-safety: every method from any thread.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "wire/wire.h"

namespace farthing::guard {

class Routes {
 public:
  /// Both stay.
  Routes(const HostTable& hosts, const EndpointTable& endpoints) : hosts_(hosts), endpoints_(endpoints) {}

  Route of(std::string_view method, std::string_view host, std::string_view path);

 private:
  const HostTable& hosts_;
  const EndpointTable& endpoints_;
  std::mutex mutex_;  // guards what follows; who does not get it at once looks for himself
  std::string method_, host_, path_;
  Route route_;
};

}  // namespace farthing::guard
