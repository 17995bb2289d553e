"""The policy document of a `Guard(...)` written in code: the same JSON as a file's TOML, checked by the core."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from farthing.cap import Cap
from farthing.errors import PolicyError, Problem

Host = str | Mapping[str, Any]


def policy_json(
    *,
    caps: Sequence[Cap | Mapping[str, Any]],
    hosts: Mapping[str, Host],
    api_keys: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    more: Mapping[str, Any],
) -> str:
    """The document as JSON. Raises PolicyError for what JSON cannot say: a float, a strange type."""
    problems: list[Problem] = []
    _shapes(problems, caps=caps, hosts=hosts, api_keys=api_keys, **more)
    if problems:
        raise PolicyError(problems)
    document = {
        "cap": [cap.document() if isinstance(cap, Cap) else cap for cap in caps],
        "host": [_host(name, host, problems) for name, host in hosts.items()],
        "api_key": _api_keys(api_keys, problems),
        **{name: value for name, value in more.items() if value not in (None, {}, [], ())},
    }
    plain = _plain({name: value for name, value in document.items() if value}, "", problems)
    if problems:
        raise PolicyError(problems)
    return json.dumps(plain, ensure_ascii=False)


_LISTS = {"caps": "caps=[Cap(...)]", "price": "prices=[{...}]"}
_LISTS.update({"endpoint": "endpoints=[{...}]", "tokenizer": "tokenizers=[{...}]"})


def _shapes(problems: list[Problem], **given: object) -> None:
    """Lists that are lists, mappings that are mappings."""
    for name, value in given.items():
        listed = isinstance(value, Sequence) and not isinstance(value, (str, bytes, Mapping))
        if name in _LISTS and not listed:
            problems.append(Problem(name, f"{value!r}; expected a list: {_LISTS[name]}"))
        elif name == "hosts" and not isinstance(value, Mapping):
            problems.append(
                Problem(name, f'{value!r}; expected a mapping: hosts={{"localhost:11434": "free"}}')
            )
        elif name == "api_keys" and not (
            isinstance(value, Mapping)
            or (listed and all(isinstance(key, Mapping) for key in value))  # type: ignore[attr-defined]
        ):
            problems.append(
                Problem(name, f'{value!r}; expected a mapping: api_keys={{"bot": "BOT_KEY"}}')
            )


def _host(name: str, host: Host, problems: list[Problem]) -> dict[str, Any]:
    if isinstance(host, Mapping):
        return {"name": name, **host}
    if host == "free":
        return {"name": name, "free": True}
    problems.append(
        Problem(
            f"hosts[{name!r}]",
            f'{host!r}; expected "free" or a table like {{"provider": "openai"}}',
        )
    )
    return {}


def _api_keys(
    keys: Mapping[str, Any] | Sequence[Mapping[str, Any]], problems: list[Problem]
) -> list[dict[str, Any]]:
    """`{"bot": "BOT_KEY"}`, `{"bot": ["KEY_A", "KEY_B"]}`, `{"bot": {"ids": [...]}}`, or a list of tables."""
    if not isinstance(keys, Mapping):
        return [dict(key) for key in keys]
    tables = []
    for name, key in keys.items():
        if isinstance(key, Mapping):
            tables.append({"name": name, **key})
        elif isinstance(key, str):
            tables.append({"name": name, "env": [key]})
        elif isinstance(key, Sequence):
            tables.append({"name": name, "env": list(key)})
        else:
            problems.append(
                Problem(
                    f"api_keys[{name!r}]",
                    f"{key!r}; expected the name of an environment variable that holds the key",
                )
            )
    return tables


def _plain(value: Any, where: str, problems: list[Problem]) -> Any:
    """Only what JSON has. Floats are refused here: the core would have to guess what they meant."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {
            str(key): _plain(item, f"{where}.{key}" if where else str(key), problems)
            for key, item in value.items()
        }
    if isinstance(value, (Sequence, set, frozenset)) and not isinstance(value, (bytes, bytearray)):
        items = sorted(value) if isinstance(value, (set, frozenset)) else value
        return [_plain(item, f"{where}[{at}]", problems) for at, item in enumerate(items)]
    if isinstance(value, float):
        said = (
            f"a float, {value!r}; accepted: whole percents from 1 to 100, such as 50"
            if ".alert" in where
            else f'a float, {value!r}; money is written as text with its unit: "{_as_text(value)} USD"'
        )
    elif isinstance(value, Decimal):
        said = f'a number without a unit, {value}; write it as text: "{value} USD"'
    else:
        said = f"{type(value).__name__}; expected text, a whole number, a list or a table"
    problems.append(Problem(where, said))
    return None


def _as_text(value: float) -> str:
    return format(Decimal(repr(value)), "f") if value == value and abs(value) < 1e15 else "5"
