"""An answer as steps: bytes to send, barriers, pauses, and how the connection ends.

Made before the first byte is sent, and run by the server, so that a fault is a step like any other.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .billing import Bill


@dataclass
class Send:
    data: bytes
    output: int = 0  # output tokens generated once this was sent


@dataclass
class Hold:
    """Waits until somebody posts the name to /__fake__/release."""

    name: str


@dataclass
class Pause:
    seconds: float


@dataclass
class Write:
    """Writes the bill: before the last byte, so that whoever has read the answer finds it in the log."""

    output: int | None = None  # output tokens generated; None: all of the answer's


@dataclass
class End:
    """The connection ends here: by a reset (RST), or closed (FIN)."""

    reset: bool


Step = Send | Hold | Pause | Write | End


@dataclass
class Plan:
    steps: list[Step] = field(default_factory=list)
    bill: Bill | None = None
    streamed: bool = False
    waits: bool = False  # has a Hold or a Pause
    broken: str | None = None  # the ordered fault, for the log

    def add(self, step: Step) -> None:
        self.steps.append(step)
