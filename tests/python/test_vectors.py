"""The language-neutral vectors, read from Python through the binding."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

import farthing
from farthing import _farthing

VECTORS = Path(__file__).resolve().parents[1] / "vectors"


def _table(name: str) -> Iterator[list[str]]:
    for line in (VECTORS / name).read_text().splitlines():
        if line and not line.startswith("#"):
            yield [json.loads(cell) if cell.startswith('"') else cell for cell in line.split("\t")]


def test_amounts() -> None:
    rows = [row for row in _table("money/amounts.txt") if row[0] == "usd"]
    assert len(rows) > 100
    for _, text, nano, written in rows:
        assert _farthing.parse_usd(text) == written
        assert Decimal(written).scaleb(9) == int(nano)


def test_refused_amounts() -> None:
    rows = [row for row in _table("money/refused.txt") if row[0] == "usd"]
    assert rows
    for row in rows:
        with pytest.raises(farthing.ArgumentError):
            _farthing.parse_usd(row[1])


def test_moments() -> None:
    rows = list(_table("moments/moments.txt"))
    assert len(rows) > 40
    for text, now, zone, direction, expected in rows:
        now_ms = _farthing.parse_moment(now, 0, "UTC", False)
        if expected == "-":
            with pytest.raises(farthing.ArgumentError, match="is no moment; accepted are"):
                _farthing.parse_moment(text, now_ms, zone, direction == "past")
        else:
            moment = _farthing.parse_moment(text, now_ms, zone, direction == "past")
            assert moment == _farthing.parse_moment(expected, 0, "UTC", False), (text, zone)


def test_rates() -> None:
    rows = list(_table("money/rates.txt"))
    assert rows
    for row in rows:
        written = _farthing.parse_rate(row[0])
        assert _farthing.parse_rate(written) == written


def _blocks(name: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Cases of a block file: "=== name", then parts that begin with "--- part"."""
    title, parts, part = "", {}, ""
    for line in (VECTORS / name).read_text().splitlines():
        if line.startswith("=== "):
            if title:
                yield title, parts
            title, parts, part = line[4:], {}, ""
        elif line.startswith("--- ") and title:
            part = line[4:]
            parts[part] = ""
        elif part:
            parts[part] += line + "\n"
    yield title, parts


OUTCOMES = dict(_blocks("calls/outcomes.txt")) | dict(_blocks("calls/dialects.txt"))
USUAL_REQUEST = next(iter(OUTCOMES.values()))["request"]


def _text(json_text: str) -> bytes:
    return (json.loads(json_text) if json_text.startswith('"') else json_text).encode()


@pytest.mark.parametrize("name", OUTCOMES)
def test_outcomes_of_calls(name: str, tmp_path: Path) -> None:
    parts = OUTCOMES[name]
    request = parts.get("request", USUAL_REQUEST).strip()
    host = parts.get("host", "api.openai.com").strip()
    path, _, query = parts.get("endpoint", "/v1/chat/completions").strip().partition("?")
    if "stream" in parts:
        request = request[:-1] + ',"stream":true}'
    document = {"cap": [{"id": "day", "limit": "1 USD", "per": "day"}]}
    document |= json.loads(parts.get("policy", "{}"))
    policy = tmp_path / "farthing.json"
    policy.write_text(json.dumps(document))
    guard = farthing.Guard(policy, store="memory:")
    core = guard._core

    def start(
        method: str, path: str, query: str | None, body: bytes | None, *headers: tuple[bytes, bytes]
    ) -> _farthing.Attempt:
        return _farthing.start(
            core.bind([], {}, False),
            _farthing.Scope.root(),
            _farthing.CallSlot(),
            *(method, "https", host, None, path, query),
            [(b"authorization", b"Bearer sk-test-0123456789"), *headers],
            body,
            False,
        )

    if "file" in parts:
        form, uploaded = (_text(line) for line in parts["file"].splitlines())
        length = (b"content-length", str(len(form)).encode())
        form_type = (b"content-type", b"multipart/form-data; boundary=b")
        sending = start("POST", "/v1/files", None, form, form_type, length)
        assert sending.kind == _farthing.SEND
        sending.sent()
        sending.whole(200, [(b"content-type", b"application/json")], uploaded)
    attempt = start("POST", path, query or None, _text(request))
    assert attempt.kind == _farthing.SEND
    held = guard.status().counters[0].cap.reserved
    head: tuple[int, list[tuple[bytes, ...]]] = (0, [])
    aborts = {"not_sent": _farthing.NOT_SENT, "sent": _farthing.SENT, "closed": _farthing.CLOSED}
    for step in parts["steps"].splitlines():
        word, _, rest = step.partition(" ")
        if word == "sent":
            attempt.sent()
        elif word == "head":
            status, kind = rest.split(" ")
            head = (int(status), [(b"content-type", kind.encode())])
            if "whole" not in parts["steps"]:  # it brings its own
                attempt.head(*head)
        elif word == "whole":
            attempt.whole(*head, _text(rest))
        elif word == "data":
            attempt.data(_text(rest))
        elif word == "end":
            attempt.end()
        elif word == "poll":
            path, _, answer = rest.partition(" ")
            asking = start("GET", path, None, None)
            asking.sent()
            asking.whole(200, [(b"content-type", b"application/json")], _text(answer))
        else:
            assert word == "abort", step
            attempt.abort(aborts[rest])

    how, cost, requests, error = (cell.strip() for cell in parts["settled"].split("|"))
    (row,) = guard.ledger()
    assert row.how == how
    assert row.actual_usd is not None
    if cost == "below":
        assert 0 < row.actual_usd < held
    else:
        assert row.actual_usd == (held if cost == "held" else Decimal(int(cost)).scaleb(-9))
    assert row.booked.get("requests", 0) == int(requests)
    assert row.error_class == error
    counter = guard.status().counters[0].cap
    assert (counter.spent, counter.reserved) == (row.actual_usd, 0)
