"""Guard: prices every call of the clients it guards, holds it on every cap above it, settles it with the real usage."""

from __future__ import annotations

import atexit
import json
import logging
import os
import warnings
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from farthing import _ambient, _arguments, _farthing, _wrapping
from farthing._document import Host, policy_json
from farthing._events import Alert, EventThread
from farthing._labels import LabelValue, pairs, wanted
from farthing._loops import in_thread
from farthing._main_program import default_name, main_folder
from farthing._moment import moment_ms
from farthing._receipts import keys_of, open_guards
from farthing._request import request_body
from farthing.aio import Aio
from farthing.cap import Cap, Globs
from farthing.errors import ArgumentError, FarthingWarning, StoreError
from farthing.receipt import Estimate, Receipt, estimate_of, receipt_of
from farthing.report import (
    Change,
    Job,
    LedgerRow,
    Status,
    changes_of,
    job_of,
    rows_of,
    status_of,
)
from farthing.scope import Action, Joined, ScopeBlock, Task

C = TypeVar("C")

_log = logging.getLogger("farthing")

_LATEST_MS = 200  # refusals are written off the path of calls; those who look want the latest


class Guard:
    """Opens a policy and its store; calls of the clients it guards leave only when every cap can pay for them.

        guard = farthing.Guard("farthing.toml")
        guard = farthing.Guard(caps=[farthing.Cap("5 USD", per="day")])
        client = guard.wrap(OpenAI(), project="marketing")

    `store` is `memory:`, `file:/path/farthing.db` or a path; without it the counters are in one file per project below
    the user's state directory (`guard.store` says which). `FARTHING_STORE` overrides both: `memory:` in tests.
    Thread-safe; usable after `os.fork()` (not `memory:`).
    `price_book` is a file that `farthing prices update` wrote, in place of the built-in prices; it must be there.
    Opening reads the policy and the store: use `await Guard.aopen(...)` in an event loop.

    Raises PolicyError with every problem of the policy, StoreError when the store cannot be used, ArgumentError for an
    argument that makes no sense.
    """

    def __init__(
        self,
        policy: str | os.PathLike[str] | None = None,
        *,
        caps: Sequence[Cap | Mapping[str, Any]] = (),
        store: str | os.PathLike[str] | None = None,
        labels: Mapping[str, LabelValue] | None = None,
        hosts: Mapping[str, Host] | None = None,
        prices: Sequence[Mapping[str, Any]] = (),
        endpoints: Sequence[Mapping[str, Any]] = (),
        tokenizers: Sequence[Mapping[str, Any]] = (),
        api_keys: Mapping[str, Any] | Sequence[Mapping[str, Any]] = (),
        timezone: str | None = None,
        price_book: str | os.PathLike[str] | None = None,
        name: str | None = None,
        on_alert: Callable[[Alert], object] | None = None,
        **more: Any,
    ) -> None:
        if on_alert is not None and not callable(on_alert):
            raise _arguments.bad("on_alert", on_alert, "a function that takes an Alert")
        location = _arguments.store(store)
        if policy is None:
            _arguments.texts(name=name or "")
            document = policy_json(
                caps=caps,
                hosts=hosts or {},
                api_keys=api_keys,
                more={
                    "labels": dict(wanted(labels or {})),
                    "price": prices,
                    "endpoint": endpoints,
                    "tokenizer": tokenizers,
                    "timezone": timezone,
                    "price_book": _arguments.path("price_book", price_book) if price_book else None,
                    **more,
                },
            )
            core = _farthing.Guard.open_code(
                document, name or default_name(), location, main_folder()
            )
        else:
            given: dict[str, Any] = {
                "caps": caps,
                "labels": labels,
                "hosts": hosts,
                "prices": prices,
                "endpoints": endpoints,
                "tokenizers": tokenizers,
            }
            given.update({"api_keys": api_keys, "timezone": timezone, "name": name})
            given.update({"price_book": price_book, **more})
            clash = [key for key, value in given.items() if value]
            if clash:
                raise ArgumentError(
                    f"a policy file and {', '.join(clash)}=: give either a file or code; put this into the file",
                    "invalid_argument",
                )
            file = _arguments.path(
                "policy", policy, " of a policy file (caps are a list: caps=[Cap(...)])"
            )
            core = _farthing.Guard.open_file(file, location, main_folder())
        self._core = core
        self._closed = False
        self._events = EventThread(core, on_alert)
        self._finalizer = weakref.finalize(self, _close, core, self._events)
        self._finalizer.atexit = False  # ours comes after those of the code that uses it
        open_guards.add(self)
        for said in core.warnings:
            _log.warning(said)  # on stderr, unless the program says otherwise

    @classmethod
    async def aopen(cls, *args: Any, **kwargs: Any) -> Guard:
        """Like `Guard(...)`, without blocking the event loop: `guard = await Guard.aopen("farthing.toml")`.

        Raises what `Guard(...)` raises.
        """
        return await in_thread(cls, *args, **kwargs)

    # ---- clients

    def wrap(
        self, client: C, *, deployments: Mapping[str, str] | None = None, **labels: LabelValue
    ) -> C:
        """Guards a client, and answers the same object.

            client = guard.wrap(OpenAI(), project="marketing")
            azure = guard.wrap(AzureOpenAI(...), deployments={"prod-chat": "gpt-5-mini"})
            claude = guard.wrap(anthropic.Anthropic())

        Takes clients of the OpenAI SDK and its relatives (anthropic, ...), `google.genai.Client` (with its `aio`), and
        HTTP clients of httpx and httpx2; copies by `with_options` are guarded with it, also those with an `http_client`
        of their own. Wrapping again replaces the labels. Raises ArgumentError for another kind of client, for one whose
        requests go past its HTTP client in a way that is not known, for one that is guarded over another store, and for
        labels that Farthing sets itself (`model`, `provider`, `api_key`, ...); StoreError when the guard is closed.
        """
        self._still_open()
        _wrapping.wrap(self, self._core, client, labels, deployments)
        return client

    def install(self, **labels: LabelValue) -> None:
        """Guards the whole process: every client of httpx and httpx2 that calls a host or path known to be paid.

            guard.install(org="acme")

        Also clients that exist already, those that frameworks make, and SDKs that are imported later. A client's own
        `wrap` comes before it. Raises ArgumentError where another guard, over another store, is installed, and for
        labels that Farthing sets itself; StoreError when the guard is closed.
        """
        self._still_open()
        _wrapping.install(self, self._core, labels)

    def uninstall(self) -> None:
        """Ends what `install` began, `guard.uninstall()`; every patched class is as it was. Raises nothing."""
        _wrapping.uninstall(self)

    # ---- who a call is for

    def scope(self, **labels: LabelValue) -> ScopeBlock:
        """Labels for the calls inside: `with guard.scope(user="u1"):`. Also `async with`, and a decorator.

        Raises ArgumentError for labels that make none (at most 128 bytes of text each), or that Farthing sets itself.
        """
        return ScopeBlock(labels)

    def task(self, name: str, limit: str | None = None) -> Task:
        """A task with a limit of its own: `with guard.task("triage", limit="0.50 USD") as task:`.

        Also `async with`, and a decorator for functions, coroutines and generators, of which each invocation is a run
        of its own. `task.spent` and `task.remaining` are `Decimal` USD. Raises ArgumentError for a limit that is no
        amount, and on entering for more than 8 inside each other.
        """
        return Task(self._core, name, limit)

    def action(self) -> Action:
        """One thing the user wanted, which may take several calls: `with guard.action() as action:`. Raises nothing."""
        return Action()

    def join(self, token: str) -> Joined:
        """The scope that `token` carries over from another thread, process or host: `with guard.join(token):`.

        Raises ArgumentError for what is no token, and on entering for more than 8 tasks inside each other.
        """
        return Joined(token)

    def token(self) -> str:
        """The present scope as text, for `join` elsewhere or for `FARTHING_SCOPE` of a child process.

            subprocess.run(command, env={**os.environ, "FARTHING_SCOPE": guard.token()})

        Raises ArgumentError where this process was given a `FARTHING_SCOPE` that is no token.
        """
        return _ambient.scope().token()

    # ---- what it costs

    def estimate(
        self,
        endpoint: str,
        *,
        count: int = 1,
        host: str = "",
        labels: Mapping[str, LabelValue] | None = None,
        **request: Any,
    ) -> Estimate:
        """What a call would cost, likely and at most; nothing is sent or held.

            estimate = guard.estimate("chat.completions", model="gpt-5-mini", messages=[...], count=500)
            estimate.ceiling_usd          # Decimal, for one call
            estimate.left                 # what every cap would have left after 500 at their ceiling

        Costs are `Decimal` USD, None where no price is known; seconds are `Decimal`, other meters `int`. `host` is
        where it would go ("localhost:11434"), by default where endpoint and model are at home. Files of a form are
        given as to openai: `file=Path("talk.mp3")`, `image=open("mill.png", "rb")`. Raises ArgumentError for an
        endpoint that is not known, a request that nobody can read or a file that cannot be read, StoreError when the
        store cannot be read.
        """
        _arguments.texts(endpoint=endpoint, host=host)
        _arguments.whole("count", count, least=1)
        body = request_body(request)
        return estimate_of(
            self._core.estimate(endpoint, body, pairs(labels or {}), _ambient.scope(), host, count)
        )

    def receipt(self, reply: object) -> Receipt | None:
        """What a delivered response cost; None for one that this guard does not know (`farthing.receipt`).

            guard.receipt(reply).cost_usd     # Decimal USD, None while it is not known

        Raises nothing.
        """
        for key in keys_of(reply):
            core = self._core.receipt(key)
            if core is not None:
                return receipt_of(core)
        return None

    # ---- looking and changing

    def status(self) -> Status:
        """How every cap of the store stands, halts, and what is under way.

            for counter in guard.status().counters:
                print(counter.words, counter.cap.spent, counter.cap.remaining)

        Amounts are `Decimal` USD for money, `Decimal` seconds, else `int`. Raises StoreError when the store cannot be
        read.
        """
        return status_of(self._core.status())

    def ledger(
        self,
        *,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        labels: Mapping[str, LabelValue] | None = None,
        model: str = "",
        call: str = "",
        run: str = "",
        how: str = "",
        id: str = "",
        limit: int = 0,
    ) -> Iterator[LedgerRow]:
        """Entries of the ledger, newest first: `for row in guard.ledger(since="2h", labels={"user": "u1"}):`.

        `since` and `until` are datetimes, ISO text, or "2h" ago; `limit` is how many, 0 for all. `how` is how they were
        settled: usage, counted, hold, ended, provider_error, released, expired (docs/command.md). Costs are `Decimal`
        USD. Raises ArgumentError for a filter that makes no sense, StoreError when the store cannot be read.
        """
        _arguments.texts(model=model, call=call, run=run, how=how, id=id)
        _arguments.whole("limit", limit, least=0)
        return rows_of(
            self._core.ledger(
                None if since is None else self._moment(since, ago=True),
                None if until is None else self._moment(until, ago=True),
                wanted(labels or {}),
                model,
                call,
                run,
                how,
                id,
                limit,
            )
        )

    def jobs(self) -> list[Job]:
        """Videos, batches and background responses of the store that are not over, oldest first.

            for job in guard.jobs():
                print(job.id, job.held_usd, job.deadline)

        A poll by any guarded client settles one: `client.videos.retrieve(job.id)`. Raises StoreError when the store
        cannot be read.
        """
        return [job_of(job) for job in self._core.jobs()]

    def end_job(self, id: str, amount: str | None = None, *, why: str = "", who: str = "") -> None:
        """Ends a job that nobody polls: settled at `amount`, or charged at its hold. Its slot is free again.

            guard.end_job("video_123", "0.40 USD", why="seen on the bill")

        `id` is the provider's or the attempt's. Raises ArgumentError for one that is not pending and for what is no
        amount, StoreError when the store cannot be written.
        """
        _arguments.texts(id=id, why=why, who=who)
        if amount is not None:
            _arguments.texts(amount=amount)
        self._core.end_job(id, amount, who, why)

    def denials(self, limit: int = 100) -> list[dict[str, Any]]:
        """The newest refusals of the store, at most `limit`, as in `farthing ledger --denied`.

            for denial in guard.denials(20):
                print(denial["id"], denial["message"])

        Raises ArgumentError for a limit below 0, StoreError when the store cannot be read.
        """
        _arguments.whole("limit", limit, least=0)
        self._core.flush(_LATEST_MS)
        return [json.loads(denial) for denial in self._core.denials(limit)]

    def changes(self, limit: int = 100) -> list[Change]:
        """Who changed what, when and why, newest first: limits, policies, halts.

            for change in guard.changes(10):
                print(change.at, change.who, change.what, change.why)

        As `farthing cap log`; `limit` 0 for all of them. Raises ArgumentError for a `limit` that is no whole number,
        StoreError when the store cannot be read.
        """
        _arguments.whole("limit", limit, least=0)
        return changes_of(self._core.changes(limit))

    def why(self, id: str) -> str:
        """Everything known of an attempt, call or refusal, in words: `guard.why(error.attempt)`.

        As `farthing why ID`. Raises ArgumentError for an id that the store does not know, StoreError when it cannot be
        read.
        """
        _arguments.texts(id=id)
        self._core.flush(_LATEST_MS)
        return self._core.why(id)

    def halt(self, why: str, *, match: Mapping[str, Globs] | None = None, who: str = "") -> int:
        """Refuses every call, or those that match, in every process on the store, until `resume`.

            number = guard.halt("incident 12", match={"project": ["x", "y*"]})

        Calls that are under way finish. Answers the halt's id. What nothing in the store had yet, and no price book
        prices, is halted too, with a FarthingWarning that names the id. Raises ArgumentError for a `match` that is no
        mapping of labels to texts, StoreError when the store cannot be written.
        """
        _arguments.texts(why=why, who=who)
        example = '{"project": ["a", "b*"]}'
        globs = []
        for kind, one in _arguments.mapping("match", match or {}, example).items():
            _arguments.texts(match=kind)
            listed = [one] if isinstance(one, str) else one
            globs.append(
                (kind, _arguments.list_of_texts(f"match[{kind!r}]", listed, '["a", "b*"]'))
            )
        number, doubts = self._core.halt(globs, who, why)
        for said in doubts:
            warnings.warn(
                f"{said}; halt {number} is in force all the same",
                FarthingWarning,
                stacklevel=2,
            )
        return number

    def resume(self, id: int | None = None, *, who: str = "", why: str = "") -> None:
        """Ends one halt, `guard.resume(number)`, or all.

        Raises ArgumentError for an id that no halt has, StoreError when the store cannot be written.
        """
        if id is not None:
            _arguments.whole("id", id)
        _arguments.texts(who=who, why=why)
        self._core.resume(id, who, why)

    def set_limit(
        self,
        cap: str,
        limit: str,
        *,
        each: Mapping[str, str] | Sequence[str] = (),
        until: datetime | str | None = None,
        why: str = "",
        who: str = "",
    ) -> None:
        """Another limit for a cap, from the next call on, in every process on the store. What was spent stays.

            guard.set_limit("marketing-daily", "50 USD", until="friday", why="launch")

        `cap` is the whole id, or the words of a cap without one; `each` picks one counter of a cap with `each`:
        `{"user": "u42"}`, every kind once; of a single kind `["u42"]` will do. `until` is a datetime with a time zone,
        ISO text, a weekday (its next midnight in the policy's zone) or "2h"; then the policy's limit is back. `"0 USD"`
        refuses all that costs. Raises ArgumentError for a cap or a counter that is not known (near names are told), a
        limit in another unit than the cap's, or what is no moment; StoreError when the store cannot be written.
        """
        if not isinstance(limit, str):
            raise _arguments.bad("limit", limit, 'text with its unit, such as "50 USD"')
        _arguments.texts(cap=cap, why=why, who=who)
        values = _arguments.counter("each", each)
        until_ms = None if until is None else self._moment(until)
        self._core.set_limit(cap, values, limit, until_ms, who, why)

    def clear_limit(
        self,
        cap: str,
        *,
        each: Mapping[str, str] | Sequence[str] = (),
        why: str = "",
        who: str = "",
    ) -> None:
        """Back to the policy's limit: `guard.clear_limit("marketing-daily")`.

        `cap` and `each` as in `set_limit`. Raises ArgumentError for a cap that is not known, StoreError when
        the store cannot be written.
        """
        _arguments.texts(cap=cap, why=why, who=who)
        values = _arguments.counter("each", each)
        self._core.clear_limit(cap, values, who, why)

    def _moment(self, value: datetime | str, ago: bool = False) -> int:
        return moment_ms(value, zone=self._core.timezone, past=ago)

    @property
    def aio(self) -> Aio:
        """The same verbs as coroutines, where they do I/O: `await guard.aio.status()`."""
        return Aio(self)

    # ---- itself

    @property
    def store(self) -> str:
        """Where the counters are, absolute: `file:/home/u/.local/state/farthing/...`."""
        return self._core.store

    @property
    def store_id(self) -> str:
        """The random id of the store."""
        return self._core.store_id

    @property
    def warnings(self) -> list[str]:
        """What opening had to say: a replaced policy, a cap without effect."""
        return self._core.warnings

    @property
    def closed(self) -> bool:
        """Whether `close` was called; calls of guarded clients are refused then."""
        return self._closed

    def flush(self, wait_ms: int = 2000) -> None:
        """Writes settlements and refusals that the store did not take before: `guard.flush()`.

        Waits for at most `wait_ms` milliseconds. Raises StoreError if the store still does not take them.
        """
        _arguments.whole("wait_ms", wait_ms, least=0)
        self._core.flush(wait_ms)

    def close(self) -> None:
        """Writes what is left for at most 2 s and closes the store: `guard.close()`, or `with Guard(...) as guard:`.

        Calls after it are refused. May be repeated. Raises nothing.
        """
        self._closed = True
        _wrapping.uninstall(self)
        # Not `self._finalizer()`: at exit, where weakref has done its own part before ours, that does nothing.
        if self._finalizer.detach() is not None:
            _close(self._core, self._events)

    def _still_open(self) -> None:
        if self._closed:
            raise StoreError(f"this guard over {self.store} is closed; open another one", "closed")

    def __enter__(self) -> Guard:
        self._still_open()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    async def __aenter__(self) -> Guard:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await in_thread(self.close)

    def __repr__(self) -> str:
        return f"<farthing.Guard over {self.store}{' (closed)' if self._closed else ''}>"


def _close(core: _farthing.Guard, events: EventThread) -> None:
    core.close()
    events.end()


def _at_exit() -> None:
    for guard in list(open_guards):
        if not guard.closed:
            guard.close()


def _in_child() -> None:
    for guard in list(open_guards):
        if not guard.closed:
            guard._events.begin()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
