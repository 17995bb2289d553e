#include "attempt.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace farthing::python {
namespace {

constexpr auto wait_slice = std::chrono::milliseconds(50);  // between looks at signals (Ctrl-C)

/// A flag that a callback of the core sets, from any thread.
struct Wake {
  std::mutex mutex;
  std::condition_variable ready;
  bool woken = false;
};

/// A Python callable that any thread may drop.
std::shared_ptr<py::object> shared_callable(py::object callable) {
  return {new py::object(std::move(callable)), [](py::object* held) {
            const py::gil_scoped_acquire acquire;
            delete held;
          }};
}

/// Tuples of bytes, the name first and the value last; the views live as long as the tuples.
void read_headers(py::handle list, std::vector<HeaderView>& headers) {
  if (PyList_Check(list.ptr()) == 0) throw py::type_error("expected a list of headers");
  const Py_ssize_t count = PyList_GET_SIZE(list.ptr());
  headers.clear();
  headers.reserve(static_cast<std::size_t>(count));
  for (Py_ssize_t i = 0; i < count; ++i) {
    PyObject* header = PyList_GET_ITEM(list.ptr(), i);
    if (PyTuple_Check(header) == 0 || PyTuple_GET_SIZE(header) < 2) throw py::type_error("expected (name, value)");
    const Py_ssize_t last = PyTuple_GET_SIZE(header) - 1;
    headers.push_back({bytes_view(PyTuple_GET_ITEM(header, 0)), bytes_view(PyTuple_GET_ITEM(header, last))});
  }
}

/// With the port where there is one, and IPv6 addresses in brackets.
std::string_view compose_host(std::string_view host, py::handle port, std::string& out) {
  const bool bare = host.find(':') != std::string_view::npos && !host.starts_with('[');
  if (port.is_none() && !bare) return host;
  out.clear();
  if (bare) out += '[';
  out += host;
  if (bare) out += ']';
  if (!port.is_none()) {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), PyLong_AsLong(port.ptr()));
    out += ':';
    out.append(digits.data(), end.ptr);
  }
  return out;
}

std::string_view compose_path(std::string_view path, py::handle query, std::string& out) {
  if (path.empty()) path = "/";
  if (query.is_none()) return path;
  out.assign(path);
  out += '?';
  out += str_view(query);
  return out;
}

}  // namespace

std::string_view bytes_view(py::handle value) {
  if (PyBytes_Check(value.ptr()) == 0) throw py::type_error("expected bytes");
  return {PyBytes_AS_STRING(value.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(value.ptr()))};
}

std::string_view str_view(py::handle value) {
  Py_ssize_t size = 0;
  const char* data = PyUnicode_AsUTF8AndSize(value.ptr(), &size);
  if (data == nullptr) throw py::error_already_set();
  return {data, static_cast<std::size_t>(size)};
}

py::bytes bytes_of(std::string_view value) {
  return {value.data(), value.size()};
}

void AttemptState::begin(const RequestParts& parts) {
  read_headers(parts.headers, headers_);
  RequestView request{.method = str_view(parts.method),
                      .scheme = str_view(parts.scheme),
                      .host = compose_host(str_view(parts.host), parts.port, host_),
                      .path = compose_path(str_view(parts.path), parts.query, path_),
                      .headers = headers_,
                      .body = std::nullopt,
                      .in_event_loop = in_event_loop_};
  if (!parts.body.is_none()) request.body = bytes_view(parts.body);
  verdict_ = attempt_.begin(request);
  if (verdict_.kind == Verdict::Kind::wait) {
    kept_ = py::make_tuple(parts.method, parts.scheme, parts.host, parts.path, parts.query, parts.headers, parts.body);
  }
}

void AttemptState::wait() {
  auto wake = std::make_shared<Wake>();
  attempt_.on_wake([wake] {
    const std::lock_guard lock(wake->mutex);
    wake->woken = true;
    wake->ready.notify_all();
  });
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(verdict_.wait_ms);
  for (;;) {
    const bool over = unlocked([&] {
      std::unique_lock lock(wake->mutex);
      const auto until = std::min(deadline, std::chrono::steady_clock::now() + wait_slice);
      return wake->ready.wait_until(lock, until, [&] { return wake->woken; }) ||
             std::chrono::steady_clock::now() >= deadline;
    });
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    if (over) return;
  }
}

void AttemptState::on_wake(py::object callable) {
  callable_ = shared_callable(std::move(callable));
  attempt_.on_wake([held = callable_] {
    const py::gil_scoped_acquire acquire;
    try {
      (*held)();
    } catch (py::error_already_set& error) {
      error.discard_as_unraisable("farthing: waking a call that waits");
    }
  });
}

void AttemptState::sent() {
  if (const Status held = attempt_.sent(); !held) raise(held.error());
  kept_ = py::object();
}

void AttemptState::head(int status, py::handle headers) {
  read_headers(headers, headers_);
  attempt_.head(status, headers_);
}

void AttemptState::end_whole(py::handle body) {
  attempt_.end(bytes_view(body));
}

py::object AttemptState::data(py::handle bytes) {
  const Delivered delivered = attempt_.data(bytes_view(bytes));
  if (delivered.same) return py::reinterpret_borrow<py::object>(bytes);
  return bytes_of(delivered.bytes);
}

py::object AttemptState::end() {
  const Delivered delivered = attempt_.end();
  return bytes_of(delivered.same ? std::string_view{} : delivered.bytes);
}

}  // namespace farthing::python
