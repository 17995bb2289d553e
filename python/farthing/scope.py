"""Who a call is for: labels, tasks with their own limit, actions.

    with guard.scope(user="u1"), guard.task("triage", limit="0.50 USD") as task:
        client.responses.create(model="gpt-5-mini", input="...")
    print(task.spent, task.remaining)

Each is a context manager for `with` and `async with`, and a decorator for functions, coroutines and generators; each
use as a decorator enters anew. What is entered holds for this thread or task of asyncio and those it starts by
`asyncio`; carry it to other threads, processes and hosts with `token` and `guard.join`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any, TypeVar

from farthing import _ambient, _farthing
from farthing._arguments import bad, texts
from farthing._generators import decorate
from farthing._labels import LabelValue, pairs

if TYPE_CHECKING:
    from typing_extensions import Self

F = TypeVar("F", bound=Callable[..., Any])


class ScopeBlock:
    """Labels, for the calls inside. `guard.scope(user="u1")` makes one."""

    __slots__ = ("_active", "_inside", "_labels", "_outside")

    def __init__(self, labels: Mapping[str, LabelValue]) -> None:
        self._labels = pairs(labels)
        self._inside: _farthing.Scope | None = None
        self._outside: _farthing.Scope | None = None
        self._active = False

    def _entered(self, outer: _farthing.Scope) -> _farthing.Scope:
        return outer.with_labels(self._labels)

    def _again(self) -> ScopeBlock:
        """Another block like this one, for another invocation of what it decorates."""
        return ScopeBlock(dict(self._labels))

    @property
    def token(self) -> str:
        """This scope as text, for `guard.join(token)` elsewhere or for `FARTHING_SCOPE` of a child process."""
        return self._scope().token()

    def _scope(self) -> _farthing.Scope:
        if self._inside is None:
            raise RuntimeError("not entered yet: it begins with `with`")
        return self._inside

    def __enter__(self) -> Self:
        if self._active:
            raise RuntimeError("already entered: make another one for each thread, task or nesting")
        self._outside = _ambient.SCOPE.get()
        self._inside = self._entered(self._outside or _ambient.root())
        _ambient.SCOPE.set(self._inside)
        self._active = True
        return self

    def __exit__(self, *exc: object) -> None:
        self._active = False
        # Not by the variable's token: what is entered in one task may be left in another (fixtures, generators).
        if _ambient.SCOPE.get() is self._inside:
            _ambient.SCOPE.set(self._outside)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, *exc: object) -> None:
        self.__exit__(*exc)

    def __call__(self, function: F) -> F:
        if not callable(function):
            raise bad(
                "function", function, "what `with` or a function takes: a block or a decorator"
            )
        return decorate(function, self._again)

    # A generator's body runs inside, its caller outside; the body may have entered more meanwhile.

    def _resume(self) -> None:
        self._outside = _ambient.SCOPE.get()
        _ambient.SCOPE.set(self._inside)

    def _pause(self) -> None:
        self._inside = _ambient.SCOPE.get()
        _ambient.SCOPE.set(self._outside)


class Joined(ScopeBlock):
    """A scope brought over from elsewhere, entered inside the present one. `guard.join(token)` makes one."""

    __slots__ = ("_joined",)

    def __init__(self, token: str) -> None:
        super().__init__({})
        texts(token=token)
        self._joined = _farthing.Scope.join(token)

    def _entered(self, outer: _farthing.Scope) -> _farthing.Scope:
        return self._joined.within(outer)

    def _again(self) -> Joined:
        return Joined(self._joined.token())


class Action(ScopeBlock):
    """One thing the user wanted, which may take several calls. `guard.action()` makes one."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__({})

    @property
    def id(self) -> str:
        """As in the ledger's column `action`."""
        return self._scope().action

    def _entered(self, outer: _farthing.Scope) -> _farthing.Scope:
        return outer.enter_action()

    def _again(self) -> Action:
        return Action()


class Task(ScopeBlock):
    """A name for what runs inside, and a limit of its own. `guard.task("triage", limit="0.50 USD")` makes one.

    Entering it is a run, with a counter of its own; tasks nest up to 8 deep and a call is held on all of them.
    """

    __slots__ = ("_guard", "limit", "name")

    def __init__(self, guard: _farthing.Guard, name: str, limit: str | None) -> None:
        super().__init__({})
        self._guard = guard
        texts(name=name)
        if limit is not None and not isinstance(limit, str):
            raise bad("limit", limit, 'text with its currency, such as "0.50 USD"')
        self.name = name
        self.limit: Decimal | None = None if limit is None else Decimal(_farthing.parse_usd(limit))
        """USD; None: no limit of its own."""

    def _entered(self, outer: _farthing.Scope) -> _farthing.Scope:
        return outer.enter_task(self.name, None if self.limit is None else f"{self.limit:f} USD")

    def _again(self) -> Task:
        return Task(self._guard, self.name, None if self.limit is None else f"{self.limit:f} USD")

    @property
    def run_id(self) -> str:
        """The id of the latest entering, as in the ledger."""
        return self._scope().runs[-1][0]

    @property
    def spent(self) -> Decimal:
        """USD, of this run: what was settled so far."""
        return Decimal(self._counter()["spent"])

    @property
    def reserved(self) -> Decimal:
        """USD set aside for calls that are under way."""
        return Decimal(self._counter()["reserved"])

    @property
    def remaining(self) -> Decimal | None:
        """USD, limit - spent - reserved; None without a limit."""
        if self.limit is None:
            return None
        counter = (
            self._counter()
        )  # it is made by the first call, and does not know the limit before
        with localcontext() as exact:
            exact.prec = 40
            return self.limit - Decimal(counter["spent"]) - Decimal(counter["reserved"])

    def _counter(self) -> Mapping[str, Any]:
        return self._guard.run(self.run_id)
