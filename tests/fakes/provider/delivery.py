"""From a made answer to a plan of steps: encoding, headers, barriers, and every fault of the connection."""

from __future__ import annotations

from . import wire
from .behaviour import Behaviour, ControlError
from .billing import Bill
from .plan import End, Hold, Pause, Plan, Send, Write

RATE_LIMITS = {
    "x-ratelimit-limit-requests": "10000",
    "x-ratelimit-limit-tokens": "200000",
    "x-ratelimit-remaining-requests": "9999",
    "x-ratelimit-remaining-tokens": "199000",
    "x-ratelimit-reset-requests": "6ms",
    "x-ratelimit-reset-tokens": "300ms",
}
BROKEN_ENDINGS = ("no_finish", "no_done", "error", "failed")
PLACES = {"head", "body", "end", "each"}


def deliver_json(
    do: Behaviour, status: int, content_type: str, body: bytes, request_id: str, bill: Bill | None
) -> Plan:
    body = wire.encode(body, do.encoding)
    length = len(body) + 100 if do.cut == "truncated" else len(body)
    headers = _headers(do, content_type, request_id)
    headers.append(("content-length", str(length)))
    head = wire.head(status, headers)
    plan = Plan(bill=bill)
    cut = do.cut
    if cut is None and do.hold is None and do.delay is None:
        if bill is not None:
            plan.add(Write())
        plan.add(Send(head + body))
        return plan
    waits = _Waits(do, plan)
    waits.at("head")
    if _ends(plan, cut, "head"):
        return plan
    waits.at("body")
    plan.add(Write())
    if cut in ("reset_body", "close_body"):
        plan.add(Send(head))
        _ends(plan, cut, "body")
        return plan
    if cut in ("reset_middle", "close_middle"):
        at = do.cut_at if do.cut_at is not None else len(body) // 2
        plan.add(Send(head + body[:at]))
        _ends(plan, cut, "middle")
        return plan
    if do.hold is None and do.delay is None:
        plan.add(Send(head + body))
    else:
        plan.add(Send(head + body[:-1]))
        waits.at("end")
        plan.add(Send(body[-1:]))
    _ends(plan, cut, "end")
    return plan


def deliver_stream(
    do: Behaviour,
    pieces: list[wire.Piece],
    request_id: str,
    bill: Bill,
    content_type: str = "text/event-stream; charset=utf-8",
) -> Plan:
    if do.chunks is not None:
        pieces = wire.rechunk(pieces, do.chunks)
    pieces = wire.encode_pieces(pieces, do.encoding)
    headers = _headers(do, do.content_type or content_type, request_id)
    headers.append(("transfer-encoding", "chunked"))
    plan = Plan(bill=bill, streamed=True)
    waits = _Waits(do, plan)
    waits.at("head")
    if _ends(plan, do.cut, "head"):
        return plan
    plan.add(Send(wire.head(do.status, headers)))
    waits.at("body")
    if _ends(plan, do.cut, "body"):
        return plan
    last = len(pieces)
    if do.cut in ("reset_middle", "close_middle", "truncated"):
        last = do.cut_at if do.cut_at is not None else len(pieces) // 2
    cut = last < len(pieces)
    for number, piece in enumerate(pieces[:last]):
        if number:
            waits.at("each")
        waits.at(str(number))
        if not cut and number == len(pieces) - 1:
            waits.at("end")
            plan.add(Write(piece.output if do.ending in BROKEN_ENDINGS else None))
        plan.add(Send(wire.chunk(piece.data), piece.output))
    if cut:
        waits.at(str(last))
        if do.cut == "truncated":  # the head of a chunk that never comes
            plan.add(Send(b"400\r\n", pieces[last - 1].output if last else 0))
        _ends(plan, "reset_middle" if do.cut == "reset_middle" else "close_middle", "middle")
        plan.broken = do.cut
        return plan
    if do.ending == "linger":
        plan.add(Hold("linger"))
        plan.waits = True
    plan.add(Send(wire.LAST_CHUNK, pieces[-1].output if pieces else 0))
    if do.ending in BROKEN_ENDINGS:
        plan.broken = do.ending
    _ends(plan, do.cut, "end")
    return plan


def _ends(plan: Plan, cut: str | None, place: str) -> bool:
    """Ends the plan here, if it is here that the connection is to be cut."""
    if cut == "truncated" and place == "end":
        cut = "close_end"
        plan.broken = "truncated"
    if cut not in (f"reset_{place}", f"close_{place}"):
        return False
    plan.broken = plan.broken or cut
    plan.add(End(reset=cut.startswith("reset")))
    return True


class _Waits:
    """Puts barriers and pauses at the places that the behaviour names."""

    def __init__(self, do: Behaviour, plan: Plan) -> None:
        self._plan = plan
        self._holds = {"head": do.hold} if isinstance(do.hold, str) else dict(do.hold or {})
        self._delays = (
            {"head": do.delay} if isinstance(do.delay, (int, float)) else dict(do.delay or {})
        )
        for place in (*self._holds, *self._delays):
            if place not in PLACES and not str(place).isdigit():
                raise ControlError(
                    f"place {place!r}; one of {sorted(PLACES)} or a number of events"
                )
        plan.waits = plan.waits or bool(self._holds or self._delays)

    def at(self, place: str) -> None:
        if place in self._delays:
            self._plan.add(Pause(float(self._delays[place])))
        if place in self._holds:
            self._plan.add(Hold(str(self._holds[place])))


def _headers(do: Behaviour, content_type: str, request_id: str) -> list[tuple[str, str]]:
    headers = [
        ("content-type", content_type),
        ("openai-version", "2020-10-01"),
        ("openai-processing-ms", "5"),
        ("x-request-id", request_id),
    ]
    if do.encoding not in (None, "identity"):
        headers.append(("content-encoding", str(do.encoding)))
    if do.rate_limits:
        headers.extend(RATE_LIMITS.items())
    if do.retry_after is not None:
        headers.append(("retry-after", str(do.retry_after)))
    headers.extend((name.lower(), str(value)) for name, value in do.headers.items())
    return headers
