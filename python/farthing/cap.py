"""Cap: a limit on one meter, for the calls it matches, over a window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

Globs = str | Sequence[str]


@dataclass(frozen=True, kw_only=True)
class _Parts:
    per: str | None = None
    """`call`, `minute`, `hour`, `day`, `week`, `month` or `total`; every meter but `concurrent` needs it."""
    match: Mapping[str, Globs] = field(default_factory=dict)
    """Which calls it is for: `{"project": "marketing", "model": ["gpt-5*"]}`. Empty: all."""
    each: Sequence[str] = ()
    """An own counter for every value of these labels: `["user"]`."""
    limits: Mapping[str, str] = field(default_factory=dict)
    """Other limits for single values of `each`: `{"u42": "50 USD"}`."""
    absent: str | None = None
    """`"refuse"`: a call without a label of `each` is refused; by default it counts on `(none)`."""
    timezone: str | None = None
    """Where its days begin: "Europe/Berlin". Default: the policy's, else UTC."""
    billing_day: int | None = None
    """Where its months begin: 1 to 31."""
    alert: Sequence[int] = ()
    """Percents of the limit at which to tell: `[50, 80, 100]`."""
    on_exceed: str | None = None
    id: str | None = None
    """A name of your own. Changing limit, alert or on_exceed never makes another cap, with or without one."""
    was: str | None = None
    """The id it had before: its counters go on."""
    message: str | None = None
    """Your words in its refusals."""
    help_url: str | None = None
    owner: str | None = None
    max_counters: int | None = None


@dataclass(frozen=True)
class Cap(_Parts):
    """A limit: money or units, for the calls it matches, over a window.

        Cap("5 USD", per="day")
        Cap("1 USD", per="month", each=["user"], limits={"u42": "50 USD"})
        Cap("0.50 USD", per="call", match={"project": "marketing"})
        Cap("2 concurrent")

    A limit is text with its unit: `"0.50 USD"`, `"$5"`, `"1000 requests"`, `"20_000 tokens"`. Floats are refused: no
    float touches money.
    """

    limit: str

    def document(self) -> dict[str, Any]:
        """As the policy document has it, without what was not given."""
        given = {part.name: getattr(self, part.name) for part in fields(self)}
        return {name: value for name, value in given.items() if value not in (None, (), {}, [])}
