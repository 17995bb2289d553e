// What both halves of the extension module share: holders of the core's objects, errors to exceptions, amounts to
// Python's. Everything here wants the interpreter lock.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "farthing/guard.h"

namespace farthing::python {

namespace py = pybind11;

class Events;

// Some of these are opaque in the public headers, some are held as const: each is held in a struct of ours.
struct BindingRef {
  std::shared_ptr<Guard> guard;
  std::shared_ptr<const Binding> binding;
};
struct ScopeRef {
  std::shared_ptr<const Scope> scope;
};
struct GuardRef {
  std::shared_ptr<Guard> guard;
  std::shared_ptr<Events> events;
};

/// Raises what `farthing.errors.from_core(code, message)` makes.
[[noreturn]] void raise(const Error& error);

/// PolicyError.
[[noreturn]] void raise_problems(const std::vector<Problem>& problems);

template <class T>
T value_or_raise(Result<T> result) {
  if (!result) raise(result.error());
  return std::move(*result);
}
inline void check(const Status& status) {
  if (!status) raise(status.error());
}

inline py::str text(std::string_view value) {
  return {value.data(), value.size()};
}

/// Money as decimal text, other meters as an integer.
py::object amount(Meter meter, std::int64_t value);
py::object usd(const std::optional<Usd>& value);
py::object integer(const std::optional<std::int64_t>& value);
py::dict amounts(const Amounts& values);        // those that are not 0
py::dict quantities(const Quantities& values);  // those that are not 0
py::dict cap_left(const CapLeft& left);
py::list caps_left(const std::vector<CapLeft>& left);

/// Classes of the type `type`, as the stub has them; pybind11's own type is for settable static properties.
inline py::metaclass plain_type() {
  return py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type));
}

using Pairs = std::vector<std::pair<std::string, std::string>>;
py::dict dict_of(const Pairs& pairs);
Labels labels_of(const Pairs& pairs);
Match match_of(const std::vector<std::pair<std::string, std::vector<std::string>>>& match);

/// Runs `work` without the interpreter lock.
template <class Work>
auto unlocked(const Work& work) {
  const py::gil_scoped_release release;
  return work();
}

void bind_attempt(py::module_& module);
void bind_guard(py::module_& module);

/// What people look at and change at run time, as methods of the guard.
void bind_control(py::class_<GuardRef>& guard);

}  // namespace farthing::python
