"""Alerts and warnings of the core, taken out by a thread of ours: the core may tell of them while it holds a lock."""

from __future__ import annotations

import json
import logging
import os
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from farthing import _farthing
from farthing._amounts import amount, instant
from farthing.errors import FarthingWarning

_log = logging.getLogger("farthing")
_WAIT_MS = 60_000


@dataclass(frozen=True)
class Spender:
    """What the calls with one label spent of a counter: in USD, seconds or a number, as its cap counts."""

    kind: str
    """task, user, model, ..."""
    value: str
    spent: Decimal | int


@dataclass(frozen=True)
class Alert:
    """A cap reached a threshold. Told once for each cap, counter, window, threshold and limit.

        guard = farthing.Guard(caps=[Cap("5 USD", per="day", alert=[80])], on_alert=lambda alert: print(alert.spent))

    Amounts are `Decimal` USD for a cap on money, `Decimal` seconds for one on seconds, `int` for every other meter.
    """

    cap: str
    words: str
    """The cap in words."""
    counter: Mapping[str, str]
    """Label and value, for a cap with `each`."""
    meter: str
    """usd, requests, input_tokens, ..."""
    threshold: int
    """Percent of the limit."""
    limit: Decimal | int
    spent: Decimal | int
    reserved: Decimal | int
    """Set aside for calls that are under way."""
    resets_at: datetime | None
    """UTC; None: never."""
    message: str = ""
    """The cap's own `message`, `help_url` and `owner`; "" where it has none."""
    help_url: str = ""
    owner: str = ""
    top_spenders: tuple[Spender, ...] = ()
    """The three largest of each kind of label that the cap does not fix itself, and of models; by the newest 10,000
    entries of the ledger."""
    match: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Which calls the cap is for: label to globs, of which one fits: {"project": ["web", "shop-*"]}. Empty: all."""


def alert_of(text: str) -> Alert:
    """From the core's JSON."""
    core: dict[str, Any] = json.loads(text)
    meter = core["meter"]

    def value(name: str) -> Any:
        return amount(meter, core[name])

    def spent_of(one: dict[str, Any]) -> Any:
        return amount(meter, one["spent"])

    return Alert(
        cap=core["cap"],
        words=core["words"],
        counter=core["counter"],
        meter=meter,
        threshold=core["threshold"],
        limit=value("limit"),
        spent=value("spent"),
        reserved=value("reserved"),
        resets_at=instant(core.get("resets_at_ms")),
        message=core["message"],
        help_url=core["help_url"],
        owner=core["owner"],
        match=core["match"],
        top_spenders=tuple(
            Spender(one["kind"], one["value"], spent_of(one)) for one in core["top_spenders"]
        ),
    )


class EventThread:
    """A daemon thread that calls `on_alert` and logs warnings, until the guard is closed."""

    def __init__(self, core: _farthing.Guard, on_alert: Callable[[Alert], object] | None) -> None:
        self._core = core
        self._on_alert = on_alert
        self._thread: threading.Thread | None = None
        self._pid = -1
        self.begin()

    def begin(self) -> None:
        """Starts it, also in a forked child, which has no thread but its own."""
        if self._pid == os.getpid():
            return
        self._pid = os.getpid()
        self._thread = threading.Thread(target=self._run, name="farthing-events", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Delivers what is left and stops. The core is closed before."""
        thread = self._thread
        if (
            thread is not None
            and self._pid == os.getpid()
            and thread is not threading.current_thread()
        ):
            thread.join(timeout=5)

    def _run(self) -> None:
        while not self._core.events_over:
            event = self._core.next_event(_WAIT_MS)
            if event is not None:
                self._tell(*event)

    def _tell(self, kind: str, text: str) -> None:
        if kind == "warning":
            _log.warning("%s", text)
            return
        if self._on_alert is None:
            return
        try:
            self._on_alert(alert_of(text))
        except Exception as error:
            said = f"on_alert raised {type(error).__name__}: {error}; the alert was {text}"
            try:
                warnings.warn(said, FarthingWarning, stacklevel=1)
            except FarthingWarning:  # warnings are errors here
                _log.warning("%s", said)
