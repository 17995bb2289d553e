"""What Farthing raises. Everything is a `FarthingError`.

FarthingError
├── Denied                  a call was refused before it left; it cost nothing and changed no counter
│   ├── CapExceeded         a cap cannot pay for the most that the call can cost
│   ├── RouteDenied         the policy does not let this call go there
│   ├── Halted              somebody pulled the kill switch
│   ├── Unpriced            what the call can cost is not known
│   └── StoreUnavailable    nobody could be asked whether it is allowed
├── PolicyError             the policy does not say what it should; `problems` has every problem
├── StoreError              the store cannot be used
└── ArgumentError           an argument of ours makes no sense (also a ValueError)

Each has `code`, a stable text in snake_case (docs/errors.md lists them), and a message for a person.

Through an SDK a refusal is also that SDK's own status error: `except openai.APIStatusError` and
`except farthing.CapExceeded` both catch it.

    try:
        client.chat.completions.create(model="gpt-5-mini", messages=messages)
    except farthing.CapExceeded as error:
        print(error.cap, error.remaining, error.resets_at)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from farthing import _denial


class FarthingError(Exception):
    """The root of the tree."""

    code: str | None = None


class Denied(FarthingError):
    """A call was refused before it was sent: 0 requests, 0 money, no counter changed.

    The attributes speak of the headline cap; `caps` has all that refused. Where no cap refused (a model without a
    price, a halt) they are None. Amounts are `Decimal` USD for a cap on money, `Decimal` seconds for one on seconds
    of audio or video, and `int` for every other meter.

        except farthing.Denied as error:
            log.warning("%s: %s", error.code, error)
    """

    cap: str | None = None
    """The id of the cap that refused."""
    level: str | None = None
    """What kind of cap it is: org, project, api_key, task, ..."""
    meter: str | None = None
    """What it counts: usd, requests, input_tokens, ..."""
    per: str | None = None
    """Over what it counts: call, minute, hour, day, week, month, total."""
    match: dict[str, list[str]]
    """Which calls it is for."""
    counter: dict[str, str]
    """Whose counter refused, for a cap with `each`."""
    limit: Decimal | int | None = None
    spent: Decimal | int | None = None
    reserved: Decimal | int | None = None
    """Set aside for calls that are under way."""
    requested: Decimal | int | None = None
    """The least that this call needs."""
    remaining: Decimal | int | None = None
    """limit - spent - reserved."""
    resets_at: datetime | None = None
    """When the window ends, in UTC. None: never."""
    held: bool = False
    """It would pass if every call under way came out at nothing: try again when they have ended."""
    fits: dict[str, Any]
    """What would have passed: `output_limit`, and `models` of the policy's lists."""
    caps: list[dict[str, Any]]
    """Every cap that refused, headline first, as in the body of the answer."""
    attempt: str | None = None
    """For `farthing why ID`."""

    def __init__(self, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        _denial.fill(self, details or {})

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class CapExceeded(Denied):
    """A cap cannot pay for the most that this call can cost."""


class RouteDenied(Denied):
    """The policy does not let this call go there."""


class Halted(Denied):
    """The kill switch is on: `farthing resume`, or `guard.resume()`."""


class Unpriced(Denied):
    """What the call can cost is not known: no price, no bound, an endpoint or body that nobody understands."""


class StoreUnavailable(Denied):
    """The store could not be asked, and unknown is never allowed."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a policy."""

    where: str
    """The file and line, and the key: `farthing.toml:12: cap[2].limit`."""
    message: str
    """What was found, and what is accepted."""
    code: str = "invalid_policy"

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class PolicyError(FarthingError, ValueError):
    """The policy is not valid. The message has every problem, `problems` has them one by one."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        self.code = self.problems[0].code if self.problems else "invalid_policy"
        several = f"{len(self.problems)} problems:\n  " if len(self.problems) > 1 else ""
        super().__init__(several + "\n  ".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems,)


class _Coded(FarthingError):
    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (*self.args, self.code)


class StoreError(_Coded):
    """The store cannot be used: foreign, corrupt, newer, replaced, not shared, on a network, closed."""


class ArgumentError(_Coded, ValueError):
    """An argument makes no sense; the message says what was found and what is accepted."""


class FarthingWarning(UserWarning):
    """Something that a person should see once."""


_BY_CODE: dict[str, type[Denied]] = {
    **dict.fromkeys(
        [
            "cap_exceeded",
            "per_call_cap_exceeded",
            "label_required",
            "too_many_caps",
            "too_many_counters",
            "retry_budget_exhausted",
            "fallback_budget_exhausted",
        ],
        CapExceeded,
    ),
    **dict.fromkeys(
        [
            "model_not_allowed",
            "modality_not_allowed",
            "approval_required",
            "policy_conflict",
            "duplicate",
        ],
        RouteDenied,
    ),
    "halted": Halted,
    **dict.fromkeys(
        ["unpriced_model", "unbounded_request", "unknown_endpoint", "unreadable_request"], Unpriced
    ),
    **dict.fromkeys(["store_unavailable", "store_replaced", "store_not_shared"], StoreUnavailable),
}


def denied_class(code: str | None) -> type[Denied]:
    """The class for a code of a refusal; `Denied` itself for one that is not known here."""
    return _BY_CODE.get(code or "", Denied)


def from_core(code: str, message: str) -> FarthingError:
    """The error for a code and message of the core. The extension module raises what this answers."""
    if code.startswith("store_") or code in ("closed", "policy_superseded", "policy_conflict"):
        return StoreError(message, code)
    if code in ("invalid_policy", "not_in_this_version"):
        return PolicyError([Problem("", message, code)])
    return ArgumentError(message, code)


def policy_error(problems: Sequence[tuple[str, str, str]]) -> PolicyError:
    """From the core's (code, where, message)."""
    return PolicyError([Problem(where, message, code) for code, where, message in problems])


def _rebuild(kind: type[Denied], args: tuple[Any, ...], state: dict[str, Any]) -> Denied:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error
