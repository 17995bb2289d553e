// `_farthing.Attempt`: one HTTP request on its way through the core's state machine (farthing/guard.h). The path of every
// call: arguments are taken as they are, bytes are not copied.
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "convert.h"

namespace farthing::python {
namespace {

constexpr auto wait_slice = std::chrono::milliseconds(50);  // between looks at signals (Ctrl-C)

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

/// `[(name, value)]` in bytes; the views live as long as the list's tuples.
void read_headers(py::handle list, std::vector<HeaderView>& headers) {
  if (PyList_Check(list.ptr()) == 0) throw py::type_error("expected a list of headers");
  const Py_ssize_t count = PyList_GET_SIZE(list.ptr());
  headers.clear();
  headers.reserve(static_cast<std::size_t>(count));
  for (Py_ssize_t i = 0; i < count; ++i) {
    PyObject* pair = PyList_GET_ITEM(list.ptr(), i);
    if (PyTuple_Check(pair) == 0 || PyTuple_GET_SIZE(pair) != 2) throw py::type_error("expected (name, value)");
    headers.push_back({bytes_view(PyTuple_GET_ITEM(pair, 0)), bytes_view(PyTuple_GET_ITEM(pair, 1))});
  }
}

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

class AttemptRef {
 public:
  explicit AttemptRef(Attempt attempt) : attempt_(std::move(attempt)) {}

  int begin(py::handle method, py::handle scheme, py::handle netloc, py::handle path, py::handle headers,
            py::handle body) {
    // Kept until the request is sent: a wait comes back to what these view.
    kept_ = py::make_tuple(method, scheme, netloc, path, headers, body);
    read_headers(headers, headers_);
    RequestView request{.method = str_view(method),
                        .scheme = str_view(scheme),
                        .host = bytes_view(netloc),
                        .path = bytes_view(path),
                        .headers = headers_,
                        .body = std::nullopt};
    if (!body.is_none()) request.body = bytes_view(body);
    verdict_ = attempt_.begin(request);
    return kind();
  }

  int proceed() {
    verdict_ = attempt_.proceed();
    return kind();
  }

  /// Until woken or the verdict's time is over. Ctrl-C interrupts it.
  void wait() {
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

  void on_wake(py::object callable) {
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

  void sent() {
    attempt_.sent();
    kept_ = py::tuple();
  }

  void head(int status, py::handle headers) {
    read_headers(headers, headers_);
    attempt_.head(status, headers_);
  }

  /// What to deliver: the same object where nothing changed, b"" where nothing is to be delivered yet.
  py::object data(py::handle bytes) {
    const Delivered delivered = attempt_.data(bytes_view(bytes));
    return delivered.same ? py::reinterpret_borrow<py::object>(bytes) : bytes_of(delivered.bytes);
  }

  py::bytes end() {
    const Delivered delivered = attempt_.end();
    return delivered.same ? py::bytes() : bytes_of(delivered.bytes);
  }

  void end_whole(py::handle body) { attempt_.end(bytes_view(body)); }
  void abort(int how) { attempt_.abort(static_cast<Abort>(how)); }

  bool open() const { return attempt_.open(); }
  py::str id() const { return text(attempt_.id()); }
  py::object body() const {
    if (!verdict_.body) return py::none();
    return bytes_of(*verdict_.body);
  }
  std::int64_t wait_ms() const { return verdict_.wait_ms; }
  py::tuple answer() const {
    py::list headers;
    for (const auto& [name, value] : verdict_.answer.headers)
      headers.append(py::make_tuple(bytes_of(name), bytes_of(value)));
    return py::make_tuple(verdict_.answer.status, headers, bytes_of(verdict_.answer.body));
  }

 private:
  int kind() const { return static_cast<int>(verdict_.kind); }

  // Before the attempt, so that it goes after it: the core must not be the last that drops a Python object.
  std::shared_ptr<py::object> callable_;
  Attempt attempt_;
  Verdict verdict_;
  std::vector<HeaderView> headers_;
  py::tuple kept_;
};

}  // namespace

void bind_attempt(py::module_& module) {
  for (const auto& [name, kind] :
       std::initializer_list<std::pair<const char*, Verdict::Kind>>{{"PASS", Verdict::Kind::pass},
                                                                    {"NEED_BODY", Verdict::Kind::need_body},
                                                                    {"SEND", Verdict::Kind::send},
                                                                    {"ANSWER", Verdict::Kind::answer},
                                                                    {"WAIT", Verdict::Kind::wait}}) {
    module.attr(name) = static_cast<int>(kind);
  }
  module.attr("NOT_SENT") = static_cast<int>(Abort::not_sent);
  module.attr("SENT") = static_cast<int>(Abort::sent);
  module.attr("CLOSED") = static_cast<int>(Abort::closed);

  py::class_<CallRef>(module, "Call");
  py::class_<BindingRef>(module, "Binding");
  py::class_<AttemptRef>(module, "Attempt")
      .def(py::init([](const GuardRef& guard, const BindingRef& binding, const ScopeRef& scope, const CallRef& call) {
             return AttemptRef(guard.guard->attempt(binding.binding, scope.scope, call.call));
           }),
           py::arg("guard"), py::arg("binding"), py::arg("scope"), py::arg("call"))
      .def("begin", &AttemptRef::begin, py::arg("method"), py::arg("scheme"), py::arg("netloc"), py::arg("path"),
           py::arg("headers"), py::arg("body"))
      .def("proceed", &AttemptRef::proceed)
      .def("wait", &AttemptRef::wait)
      .def("on_wake", &AttemptRef::on_wake, py::arg("callback"))
      .def("sent", &AttemptRef::sent)
      .def("head", &AttemptRef::head, py::arg("status"), py::arg("headers"))
      .def("data", &AttemptRef::data, py::arg("chunk"))
      .def("end", &AttemptRef::end)
      .def("end_whole", &AttemptRef::end_whole, py::arg("body"))
      .def("abort", &AttemptRef::abort, py::arg("how"))
      .def_property_readonly("open", &AttemptRef::open)
      .def_property_readonly("id", &AttemptRef::id)
      .def_property_readonly("body", &AttemptRef::body)
      .def_property_readonly("wait_ms", &AttemptRef::wait_ms)
      .def_property_readonly("answer", &AttemptRef::answer);
}

}  // namespace farthing::python
