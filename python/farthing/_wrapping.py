"""Binding a guard to clients and to the process (R31, R32)."""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from farthing import _farthing, _sdk
from farthing._arguments import mapping, texts
from farthing._hooks import family, patching
from farthing._hooks.binding import KEY, Bound, everywhere
from farthing._hooks.importing import ImportWatch
from farthing._labels import LabelValue, pairs
from farthing.errors import ArgumentError, FarthingWarning

if TYPE_CHECKING:
    from farthing.guard import Guard

_lock = threading.RLock()


def wrap(
    guard: Guard,
    core: _farthing.Guard,
    client: Any,
    labels: Mapping[str, LabelValue],
    deployments: Mapping[str, str] | None,
) -> None:
    """Binds the HTTP client inside `client`."""
    inside, owner = _sdk.http_clients(client)
    families = [family.of_client(inner) for inner in inside]
    if not inside or None in families:
        raise ArgumentError(
            f"wrap takes a client of an SDK (OpenAI, AsyncOpenAI, Anthropic, genai.Client, ...) or an HTTP client of "
            f"httpx or httpx2; found {type(client).__module__}.{type(client).__name__}. "
            "For what a framework makes inside, use guard.install()",
            "invalid_argument",
        )
    _sdk.check(client)
    bound = Bound(guard, core, core.bind(pairs(labels), _models_of(deployments), False), id(owner))
    with _lock:
        before = [inner.__dict__.get(KEY) for inner in inside]
        for one in before:
            _check_store(one, guard)
        if labels and any(_shared(one, bound) for one in before):
            warnings.warn(
                "this client shares its HTTP client with one that was wrapped before: the labels given last hold for "
                "both; give each an http_client of its own",
                FarthingWarning,
                stacklevel=3,
            )
        for inner, found in zip(inside, families, strict=True):
            if found is not None:
                patching.bind(inner, found[0], bound)
        if inside != [client]:
            _sdk.hook_client(client)


def _models_of(deployments: Mapping[str, str] | None) -> dict[str, str]:
    given = mapping("deployments", deployments or {}, '{"prod-chat": "gpt-5-mini"}')
    for name, model in given.items():
        texts(deployments=name)
        texts(**{f"deployments[{name!r}]": model})
    return dict(given)


def _shared(before: Bound | None, bound: Bound) -> bool:
    return before is not None and before.guard is bound.guard and before.owner != bound.owner


def install(guard: Guard, core: _farthing.Guard, labels: Mapping[str, LabelValue]) -> None:
    """Guards every client of this process that has no binding of its own."""
    bound = Bound(guard, core, core.bind(pairs(labels), {}, True))
    with _lock:
        _check_store(everywhere.bound, guard)
        everywhere.bound = bound
        _watch.begin()
        for name in (*family.NAMES, *_sdk.KNOWN):
            if name in sys.modules:
                _imported(name)


def uninstall(guard: Guard) -> None:
    """Ends what `install` began. Clients that were wrapped stay guarded."""
    with _lock:
        if everywhere.bound is None or everywhere.bound.guard is not guard:
            return
        everywhere.bound = None
        _watch.end()
        if patching.unhook():
            _sdk.unhook()


def _check_store(before: Bound | None, guard: Guard) -> None:
    """R32: a second guard on the same store takes over; one on another store is a mistake."""
    if before is None or before.guard is guard or before.guard.closed:
        return
    if before.guard.store_id != guard.store_id:
        stores = f"{before.guard.store}; this guard's is {guard.store}"
        if before.guard.store == guard.store == "memory:":
            stores = "for each guard in memory: has one of its own"
        raise ArgumentError(
            f"already guarded over another store, {stores}. Close that guard first (guard.close()), or use one store "
            "for both (FARTHING_STORE=file:..., or store=...)",
            "policy_conflict",
        )


def _imported(name: str) -> None:
    if everywhere.bound is None:
        return
    if name in family.NAMES:
        for found in family.imported():
            patching.hook(found)
    else:
        _sdk.hook_module(name)


_watch = ImportWatch((*family.NAMES, *_sdk.KNOWN), _imported)
