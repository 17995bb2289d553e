"""Farthing: call paid AI APIs without ever spending more than you allowed.

import farthing
from openai import OpenAI

guard = farthing.Guard(caps=[farthing.Cap("5 USD", per="day")])
client = guard.wrap(OpenAI())

What is listed here is the public surface; everything else may change.
"""

from farthing._events import Alert, Spender
from farthing._farthing import __version__
from farthing._find import find_cap_exceeded
from farthing._receipts import receipt
from farthing.cap import Cap
from farthing.counting import TokenCount, count_tokens
from farthing.errors import (
    ArgumentError,
    CapExceeded,
    Denied,
    FarthingError,
    FarthingWarning,
    Halted,
    PolicyError,
    Problem,
    RouteDenied,
    StoreError,
    StoreUnavailable,
    Unpriced,
)
from farthing.guard import Guard
from farthing.receipt import CapLeft, Estimate, Receipt
from farthing.report import Change, Counter, Halt, Job, LedgerRow, Status
from farthing.scope import Action, ScopeBlock, Task

__all__ = [
    "Action",
    "Alert",
    "ArgumentError",
    "Cap",
    "CapExceeded",
    "CapLeft",
    "Change",
    "Counter",
    "Denied",
    "Estimate",
    "FarthingError",
    "FarthingWarning",
    "Guard",
    "Halt",
    "Halted",
    "Job",
    "LedgerRow",
    "PolicyError",
    "Problem",
    "Receipt",
    "RouteDenied",
    "ScopeBlock",
    "Spender",
    "Status",
    "StoreError",
    "StoreUnavailable",
    "Task",
    "TokenCount",
    "Unpriced",
    "__version__",
    "count_tokens",
    "find_cap_exceeded",
    "receipt",
]
