// `_farthing.Attempt`, `_farthing.CallSlot` and `_farthing.start`: what every call goes through. Written against CPython's
// own interface, not pybind11's: a crossing costs 60 ns instead of 300, and a call makes four of them.
#include <array>

#include "attempt.h"

namespace farthing::python {
namespace {

template <class State>
struct Object {
  PyObject_HEAD State state;
};

/// The call that attempts share (R27); made by the first of them, for its guard.
struct Slot {
  const Guard* guard = nullptr;
  std::shared_ptr<Call> call;
  bool over = false;
};

using AttemptObject = Object<AttemptState>;
using SlotObject = Object<Slot>;

PyTypeObject* attempt_type = nullptr;
PyTypeObject* slot_type = nullptr;

/// Runs `work`, and turns what it throws into a Python exception.
template <class Work>
PyObject* guarded(const Work& work) {
  try {
    return work();
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (const py::builtin_exception& error) {
    error.set_error();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return nullptr;
}

AttemptState& state_of(PyObject* self) {
  return reinterpret_cast<AttemptObject*>(self)->state;
}
PyObject* kind_of(PyObject* self) {
  return PyLong_FromLong(static_cast<long>(state_of(self).verdict().kind));
}
PyObject* none() {
  return Py_NewRef(Py_None);
}

/// What an object of a class of ours holds; pybind11's cast looks the class up in a table for each call.
template <class Held>
const Held& held(PyObject* object) {
  static PyTypeObject* const type = reinterpret_cast<PyTypeObject*>(py::type::of<Held>().inc_ref().ptr());
  if (Py_TYPE(object) == type) {
    const void* value = reinterpret_cast<py::detail::instance*>(object)->get_value_and_holder().value_ptr();
    if (value != nullptr) return *static_cast<const Held*>(value);
  }
  return py::handle(object).cast<const Held&>();  // raises, where it is something else
}

bool has(Py_ssize_t given, Py_ssize_t wanted) {
  if (given == wanted) return true;
  PyErr_Format(PyExc_TypeError, "expected %zd arguments, got %zd", wanted, given);
  return false;
}

std::shared_ptr<Call> call_of(PyObject* slot, Guard& guard) {
  if (Py_TYPE(slot) != slot_type) throw py::type_error("expected a CallSlot");
  Slot& shared = reinterpret_cast<SlotObject*>(slot)->state;
  if (shared.over) return guard.call();
  if (shared.call == nullptr) {
    shared.guard = &guard;
    shared.call = guard.call();
  }
  return shared.guard == &guard ? shared.call : guard.call();
}

// start(binding, scope, slot, method, scheme, host, port, path, query, headers, body, in_event_loop) -> Attempt
PyObject* start(PyObject* /*module*/, PyObject* const* args, Py_ssize_t count) {
  if (!has(count, 12)) return nullptr;
  return guarded([&]() -> PyObject* {
    const auto& binding = held<BindingRef>(args[0]);
    const auto& scope = held<ScopeRef>(args[1]);
    Attempt attempt = binding.guard->attempt(binding.binding, scope.scope, call_of(args[2], *binding.guard));
    auto* self = PyObject_New(AttemptObject, attempt_type);
    if (self == nullptr) return nullptr;
    new (&self->state) AttemptState(std::move(attempt));
    const auto owned = py::reinterpret_steal<py::object>(reinterpret_cast<PyObject*>(self));
    self->state.set_in_event_loop(args[11] == Py_True);
    self->state.begin({args[3], args[4], args[5], args[6], args[7], args[8], args[9], args[10]});
    return Py_NewRef(owned.ptr());
  });
}

// begin(method, scheme, host, port, path, query, headers, body) -> kind; again, once the body was read
PyObject* attempt_begin(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  if (!has(count, 8)) return nullptr;
  return guarded([&] {
    state_of(self).begin({args[0], args[1], args[2], args[3], args[4], args[5], args[6], args[7]});
    return kind_of(self);
  });
}

PyObject* attempt_proceed(PyObject* self, PyObject* /*none*/) {
  return guarded([&] {
    state_of(self).proceed();
    return kind_of(self);
  });
}

PyObject* attempt_wait(PyObject* self, PyObject* /*none*/) {
  return guarded([&] {
    state_of(self).wait();
    return none();
  });
}

PyObject* attempt_on_wake(PyObject* self, PyObject* callable) {
  return guarded([&] {
    state_of(self).on_wake(py::reinterpret_borrow<py::object>(callable));
    return none();
  });
}

// sent() -> the rewritten body, or None
PyObject* attempt_sent(PyObject* self, PyObject* /*none*/) {
  return guarded([&] {
    AttemptState& state = state_of(self);
    state.sent();
    const auto& body = state.verdict().body;
    return body ? bytes_of(*body).release().ptr() : none();
  });
}

// head(status, headers) -> the attempt's id
PyObject* attempt_head(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  if (!has(count, 2)) return nullptr;
  return guarded([&] {
    AttemptState& state = state_of(self);
    state.head(static_cast<int>(PyLong_AsLong(args[0])), args[1]);
    return bytes_of(state.attempt().id()).release().ptr();
  });
}

// whole(status, headers, body) -> the attempt's id: head and the whole body at once
PyObject* attempt_whole(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  if (!has(count, 3)) return nullptr;
  return guarded([&] {
    AttemptState& state = state_of(self);
    state.head(static_cast<int>(PyLong_AsLong(args[0])), args[1]);
    state.end_whole(args[2]);
    return bytes_of(state.attempt().id()).release().ptr();
  });
}

PyObject* attempt_data(PyObject* self, PyObject* chunk) {
  return guarded([&] { return state_of(self).data(chunk).release().ptr(); });
}

PyObject* attempt_end(PyObject* self, PyObject* /*none*/) {
  return guarded([&] { return state_of(self).end().release().ptr(); });
}

PyObject* attempt_abort(PyObject* self, PyObject* how) {
  return guarded([&] {
    state_of(self).abort(static_cast<Abort>(PyLong_AsLong(how)));
    return none();
  });
}

PyObject* attempt_kind(PyObject* self, void* /*closure*/) {
  return kind_of(self);
}
PyObject* attempt_open(PyObject* self, void* /*closure*/) {
  return PyBool_FromLong(state_of(self).attempt().open() ? 1 : 0);
}
PyObject* attempt_wait_ms(PyObject* self, void* /*closure*/) {
  return PyLong_FromLongLong(state_of(self).verdict().wait_ms);
}

PyObject* attempt_id(PyObject* self, void* /*closure*/) {
  return guarded([&] { return text(state_of(self).attempt().id()).release().ptr(); });
}

PyObject* attempt_answer(PyObject* self, void* /*closure*/) {
  return guarded([&] {
    const Answer& answer = state_of(self).verdict().answer;
    py::list headers;
    for (const auto& [name, value] : answer.headers)
      headers.append(py::make_tuple(bytes_of(name), bytes_of(value)));
    return py::make_tuple(answer.status, headers, bytes_of(answer.body)).release().ptr();
  });
}

template <class State>
void dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  // Ending an attempt may run code of ours that raises; what is raised already is not touched.
  const py::error_scope scope;
  reinterpret_cast<Object<State>*>(self)->state.~State();
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* slot_new(PyTypeObject* type, PyObject* /*args*/, PyObject* /*kwargs*/) {
  PyObject* self = type->tp_alloc(type, 0);
  if (self != nullptr) new (&reinterpret_cast<SlotObject*>(self)->state) Slot();
  return self;
}

// over(): who still has it, a task that was started in the call, makes calls of its own from now on
PyObject* slot_over(PyObject* self, PyObject* /*none*/) {
  reinterpret_cast<SlotObject*>(self)->state.over = true;
  return none();
}

PyCFunction fast(PyObject* (*function)(PyObject*, PyObject* const*, Py_ssize_t)) noexcept {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

PyTypeObject* make_type(py::module_& module, PyType_Spec& spec, const char* name) {
  const auto type = py::reinterpret_steal<py::object>(PyType_FromSpec(&spec));
  if (!type) throw py::error_already_set();
  module.attr(name) = type;
  return reinterpret_cast<PyTypeObject*>(type.inc_ref().ptr());  // lives as long as the process
}

std::array<PyMethodDef, 12> attempt_methods = {{
    {"begin", fast(attempt_begin), METH_FASTCALL, nullptr},
    {"proceed", attempt_proceed, METH_NOARGS, nullptr},
    {"wait", attempt_wait, METH_NOARGS, nullptr},
    {"on_wake", attempt_on_wake, METH_O, nullptr},
    {"sent", attempt_sent, METH_NOARGS, nullptr},
    {"head", fast(attempt_head), METH_FASTCALL, nullptr},
    {"whole", fast(attempt_whole), METH_FASTCALL, nullptr},
    {"data", attempt_data, METH_O, nullptr},
    {"end", attempt_end, METH_NOARGS, nullptr},
    {"abort", attempt_abort, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr},
}};

std::array<PyGetSetDef, 6> attempt_properties = {{
    {"kind", attempt_kind, nullptr, nullptr, nullptr},
    {"open", attempt_open, nullptr, nullptr, nullptr},
    {"id", attempt_id, nullptr, nullptr, nullptr},
    {"wait_ms", attempt_wait_ms, nullptr, nullptr, nullptr},
    {"answer", attempt_answer, nullptr, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
}};

std::array<PyType_Slot, 4> attempt_slots = {{
    {Py_tp_dealloc, reinterpret_cast<void*>(dealloc<AttemptState>)},
    {Py_tp_methods, attempt_methods.data()},
    {Py_tp_getset, attempt_properties.data()},
    {0, nullptr},
}};
PyType_Spec attempt_spec = {"farthing._farthing.Attempt", sizeof(AttemptObject), 0,
                            Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, attempt_slots.data()};

std::array<PyMethodDef, 2> slot_methods = {{
    {"over", slot_over, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
}};

std::array<PyType_Slot, 4> slot_slots = {{
    {Py_tp_dealloc, reinterpret_cast<void*>(dealloc<Slot>)},
    {Py_tp_new, reinterpret_cast<void*>(slot_new)},
    {Py_tp_methods, slot_methods.data()},
    {0, nullptr},
}};
PyType_Spec slot_spec = {"farthing._farthing.CallSlot", sizeof(SlotObject), 0, Py_TPFLAGS_DEFAULT, slot_slots.data()};

PyMethodDef start_method = {"start", fast(start), METH_FASTCALL, nullptr};

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

  attempt_type = make_type(module, attempt_spec, "Attempt");
  slot_type = make_type(module, slot_spec, "CallSlot");
  const auto name = py::str("farthing._farthing");
  const auto function = py::reinterpret_steal<py::object>(PyCFunction_NewEx(&start_method, module.ptr(), name.ptr()));
  if (!function) throw py::error_already_set();
  module.attr("start") = function;
}

}  // namespace farthing::python
