"""What a guarded client carries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from farthing import _farthing

if TYPE_CHECKING:
    from farthing.guard import Guard

KEY = "_farthing"
"""The attribute of an HTTP client that holds its `Bound`."""

clients: WeakSet[Any] = WeakSet()
"""Every HTTP client that is bound."""


class Bound:
    """A guard, and the labels and deployments of one client. Copies of the client share it."""

    __slots__ = ("binding", "core", "guard", "owner")

    def __init__(
        self,
        guard: Guard,
        core: _farthing.Guard,
        binding: _farthing.Binding,
        owner: object = None,
    ) -> None:
        self.guard = guard
        self.core = core
        self.binding = binding
        self.owner = owner
        """The id of the object that was wrapped, for the warning about shared HTTP clients."""

    def of(self, owner: object) -> Bound:
        """The same for another object."""
        return Bound(self.guard, self.core, self.binding, id(owner))

    def __copy__(self) -> Bound:
        return self

    def __deepcopy__(self, memo: object) -> Bound:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a guarded client cannot be pickled: wrap another one in the other process")


class Everywhere:
    """What `install` guards: clients without a `Bound` of their own, in the whole process."""

    __slots__ = ("bound",)

    def __init__(self) -> None:
        self.bound: Bound | None = None


everywhere = Everywhere()


def bound_of(client: Any) -> Bound | None:
    """What guards an HTTP client: its own binding before the process-wide one (R32)."""
    found: Bound | None = client.__dict__.get(KEY)
    return found or everywhere.bound
