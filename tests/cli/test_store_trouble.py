"""Looking at a store that is damaged, foreign, newer or replaced: exit code, message, and nothing is changed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import farthing
from farthing import _receipts
from tests.cli.conftest import COMMAND, Place
from tests.fakes.provider.handle import FakeProvider

READING = [
    ["status"],
    ["status", "--json"],
    ["status", "--watch"],
    ["ledger"],
    ["ledger", "--json"],
    ["ledger", "--csv"],
    ["ledger", "--denied"],
    ["why", "0AKNQEBA00200"],
    ["why", "--json", "0AKNQEBA00200"],
    ["cap", "list"],
    ["cap", "list", "--json"],
]
reading = pytest.mark.parametrize("arguments", READING, ids=" ".join)
PAGE = 1024


def _hashes(file: Path) -> dict[str, str]:
    """Of the file and its log; a log that is empty is none."""
    found = {}
    for part in (file, file.with_name(file.name + "-wal")):
        if part.exists() and part.stat().st_size > 0:
            found[part.name] = hashlib.sha256(part.read_bytes()).hexdigest()
    return found


def _fold(file: Path) -> None:
    """Everything into the one file, nothing in its log."""
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0


def _move(file: Path, folder: Path) -> Path:
    """The file with what lies beside it."""
    folder.mkdir()
    for part in ("", "-wal", "-shm", "-gate"):
        beside = file.with_name(file.name + part)
        if beside.exists():
            beside.rename(folder / beside.name)
    return folder / file.name


def _calls(place: Place, file: Path) -> int:
    return len(place.run("ledger", "--json", "-n", "0", "--store", f"file:{file}").splitlines())


def _answer(said: str) -> object:
    """Without what differs from look to look."""
    if not said.startswith('{"store'):
        return said
    counters = json.loads(said)["counters"]
    return [(c["cap"], c["counter"], c["spent"], c["limit"], c["reserved"]) for c in counters]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, provider_process: FakeProvider) -> bytes:
    """A store with calls and refusals in it, closed and in one file."""
    place = Place(tmp_path_factory.mktemp("made"), provider_process)
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("FARTHING_STORE", raising=False)
        place.spend(4).set_limit("daily", "0 USD")
        with pytest.raises(farthing.CapExceeded):
            place.spend(1)
        for guard in list(_receipts.open_guards):
            guard.close()
    file = place.folder / "farthing.db"
    _fold(file)
    return file.read_bytes()


@pytest.fixture
def store(place: Place, made: bytes) -> Path:
    file = place.folder / "farthing.db"
    file.write_bytes(made)
    return file


# ---- damaged


@pytest.mark.parametrize("damage", ["overwritten", "cut off"])
@reading
def test_a_damaged_store_is_4_and_stays_as_it_is(
    place: Place, store: Path, arguments: list[str], damage: str
) -> None:
    good = store.read_bytes()
    kept = PAGE if damage == "overwritten" else len(good) // 2 // PAGE * PAGE
    store.write_bytes(
        good[:kept] + (b"\xa5" * (len(good) - kept) if damage == "overwritten" else b"")
    )
    before = _hashes(store)
    said = place.run(*arguments, code=4)
    assert "[store_corrupt]" in said and f"{store} is damaged" in said
    assert ".recover" in said and f"mv {store} " in said  # the way out
    assert _hashes(store) == before


@pytest.mark.parametrize("bad", [b"\xa5", b"\0"], ids=["noise", "zeros"])
def test_any_one_damaged_page_is_told_or_not_needed(place: Place, store: Path, bad: bytes) -> None:
    """Never another exit code, a crash, a wrong answer or a changed file."""
    asked = [["status", "--json"], ["ledger", "--json"], ["ledger", "--denied"], ["cap", "list"]]
    right = [_answer(place.run(*one)) for one in asked]
    _fold(store)  # who looks may note the time
    good = store.read_bytes()
    told = 0
    for page in range(len(good) // PAGE):
        file = place.folder / f"page{page}.db"
        file.write_bytes(good[: page * PAGE] + bad * PAGE + good[(page + 1) * PAGE :])
        before = _hashes(file)[file.name]
        for one, answer in zip(asked, right, strict=True):
            done = subprocess.run(
                [COMMAND, *one, "--store", f"file:{file}"],
                capture_output=True,
                text=True,
                timeout=60,
            )
            if done.returncode == 0:
                assert _answer(done.stdout) == answer, (page, one)
            else:
                told += 1
                assert done.returncode == 4, (page, one, done)
                assert done.stdout == ""
                expected = "store_foreign" if page == 0 else "store_corrupt"
                assert done.stderr.endswith(f"[{expected}]\n"), (page, done.stderr)
            assert _hashes(file)[file.name] == before, (page, one)
        file.unlink()
    assert told > len(asked)


@pytest.mark.parametrize(
    ("sql", "arguments"),
    [
        ("UPDATE fact SET value='{' WHERE kind='document'", ["status"]),
        ("UPDATE fact SET value='{' WHERE kind='document'", ["cap", "list"]),
        ("UPDATE fact SET value='[]' WHERE kind='denial'", ["ledger", "--denied"]),
        ("UPDATE counter_set SET entries=x'09000000'", ["status"]),
    ],
)
def test_records_that_cannot_be_read_are_4(
    place: Place, store: Path, sql: str, arguments: list[str]
) -> None:
    """The database is whole, what lies in it is not."""
    with closing(sqlite3.connect(store)) as database:
        assert database.execute(sql).rowcount > 0
        database.commit()
    before = _hashes(store)[store.name]
    assert "[store_corrupt]" in place.run(*arguments, code=4)
    assert _hashes(store)[store.name] == before  # its log may have the time of this look


def test_one_damaged_store_does_not_hide_the_others(place: Place) -> None:
    home = place.folder / "state" / "farthing"
    for name in ("bad", "good"):
        location = f"file:{home / name / 'farthing.db'}"
        farthing.Guard(caps=[farthing.Cap("1 USD", per="day", id=name)], store=location).close()
    bad = home / "bad" / "farthing.db"
    _fold(bad)
    bad.write_bytes(bad.read_bytes()[: 2 * PAGE])
    before = _hashes(bad)
    done = subprocess.run(
        [COMMAND, "status", "--all"],
        env={**os.environ, "FARTHING_STORE": ""},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 4
    assert str(bad) in done.stderr and "[store_corrupt]" in done.stderr
    assert str(home / "good" / "farthing.db") in done.stdout and "1.00 USD per day" in done.stdout
    assert _hashes(bad) == before


# ---- foreign


@pytest.fixture(params=["delete", "wal"])
def foreign(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Another program's database, which has it open."""
    file = tmp_path / "foreign.db"
    with closing(sqlite3.connect(file)) as database:
        database.execute(f"PRAGMA journal_mode={request.param}")
        database.execute("CREATE TABLE ledger(id INTEGER PRIMARY KEY, note TEXT)")
        database.execute("INSERT INTO ledger(note) VALUES('theirs')")
        database.commit()
        yield file
        assert database.execute("SELECT note FROM ledger").fetchall() == [("theirs",)]
        database.execute("INSERT INTO ledger(note) VALUES('they go on')")
        database.commit()


@reading
def test_a_foreign_database_is_4_and_stays_as_it_is(
    place: Place, foreign: Path, arguments: list[str]
) -> None:
    before = _hashes(foreign)
    said = place.run(*arguments, "--store", f"file:{foreign}", code=4)
    assert "[store_foreign]" in said and f"{foreign} is a database of another program" in said
    assert "`store`" in said
    assert _hashes(foreign) == before


@pytest.mark.parametrize("content", [b"not a database\n" * 300, b"x\n"], ids=["long", "short"])
@reading
def test_what_is_no_database_is_4_and_stays_as_it_is(
    place: Place, arguments: list[str], content: bytes
) -> None:
    file = place.folder / "notes.txt"
    file.write_bytes(content)
    said = place.run(*arguments, "--store", f"file:{file}", code=4)
    assert "[store_foreign]" in said and f"{file} is not a Farthing store" in said
    assert file.read_bytes() == content
    assert [path.name for path in place.folder.glob("notes*")] == ["notes.txt"]


@reading
def test_a_folder_is_4(place: Place, arguments: list[str]) -> None:
    folder = place.folder / "folder.db"
    folder.mkdir()
    said = place.run(*arguments, "--store", f"file:{folder}", code=4)
    assert str(folder) in said
    assert list(folder.iterdir()) == []


@reading
def test_looking_makes_no_store_of_an_empty_file(place: Place, arguments: list[str]) -> None:
    empty = place.folder / "empty.db"
    empty.touch()
    said = place.run(*arguments, "--store", f"file:{empty}", code=4)
    assert f"there is no store at {empty} yet" in said
    assert empty.stat().st_size == 0 and list(place.folder.glob("empty.db-*")) == []


# ---- newer


@pytest.mark.parametrize("where", ["file", "log"])
@reading
def test_a_store_of_a_newer_format_is_4_and_stays_as_it_is(
    place: Place, store: Path, arguments: list[str], where: str
) -> None:
    with closing(sqlite3.connect(store)) as newer:
        known = newer.execute("PRAGMA user_version").fetchone()[0]
        newer.execute("PRAGMA wal_autocheckpoint=0")
        newer.execute(f"PRAGMA user_version={known + 1}")
        newer.execute("CREATE TABLE of_the_future(a)")
        newer.commit()
        if where == "file":
            newer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        before = _hashes(store)
        assert len(before) == (1 if where == "file" else 2)
        said = place.run(*arguments, code=4)
        assert "[store_newer]" in said and f"{store} has format {known + 1}" in said
        assert f"knows up to {known}" in said and "nothing was written" in said
        assert _hashes(store) == before


# ---- replaced


def test_what_replaced_a_store_is_looked_at_and_the_one_aside_stays_as_it_is(place: Place) -> None:
    """R37: the command sees what is there now, as a new program would; one that has the old file open refuses."""
    file = place.folder / "farthing.db"
    guard = place.spend(3)
    aside = _move(file, place.folder / "aside")
    other = Place(place.folder / "other", place.provider)
    other.folder.mkdir()
    other.spend(1).close()
    for part in (other.folder).iterdir():
        part.rename(place.folder / part.name)
    before = _hashes(aside)
    for arguments in READING:
        if "--watch" in arguments:
            continue
        place.run(*arguments, code=3 if arguments[0] == "why" else 0)
    assert _calls(place, file) == 1
    assert _hashes(aside) == before
    with pytest.raises(farthing.StoreError) as caught:
        guard.status()
    assert caught.value.code == "store_replaced"
    assert f"{file} was replaced or removed" in str(caught.value)
    guard.close()
    assert _hashes(aside) == before
    assert _calls(place, aside) == 3


@reading
def test_a_store_that_was_moved_away_is_4_and_not_made_again(
    place: Place, arguments: list[str]
) -> None:
    file = place.folder / "farthing.db"
    place.spend(1).close()
    aside = _move(file, place.folder / "aside")
    before = _hashes(aside)
    said = place.run(*arguments, code=4)
    assert f"there is no store at {file} yet" in said
    assert list(place.folder.glob("farthing.db*")) == []
    assert _hashes(aside) == before


def test_watching_goes_over_to_what_replaced_the_store_and_ends_when_it_is_gone(
    place: Place,
) -> None:
    file = place.folder / "farthing.db"
    place.spend(2).close()
    ready = Place(place.folder / "other", place.provider)
    ready.folder.mkdir()
    ready.spend(1).close()
    new = ready.folder / "farthing.db"
    _fold(file)
    _fold(new)
    program = subprocess.Popen(
        [COMMAND, "status", "--watch", "1", "--json"],
        env={**os.environ, "FARTHING_STORE": place.store},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with program:
        assert program.stdout is not None
        try:
            first = json.loads(program.stdout.readline())["store_id"]
            program.send_signal(signal.SIGSTOP)  # else it could look while neither is there
            _move(file, place.folder / "aside")
            _move(new, place.folder / "now").rename(file)
            program.send_signal(signal.SIGCONT)
            while json.loads(program.stdout.readline())["store_id"] == first:
                pass
            program.send_signal(signal.SIGSTOP)
            _move(file, place.folder / "gone")
            program.send_signal(signal.SIGCONT)
            rest, said = program.communicate(timeout=30)
            assert program.returncode == 4
            assert f"there is no store at {file} yet" in said
            assert all(json.loads(line)["store_id"] != first for line in rest.splitlines())
        finally:
            program.kill()


# ---- ways out


def test_the_way_out_that_is_named_loses_nothing(place: Place) -> None:
    """What was written lately is in the log (-wal); a new store in the old one's place deletes that."""
    file = place.folder / "farthing.db"
    place.spend(3).close()
    _fold(file)
    place.spend(2).close()
    good = file.read_bytes()
    file.write_bytes(good[:PAGE] + b"\xa5" * (len(good) - PAGE))
    log = file.with_name("farthing.db-wal").read_bytes()
    named = re.search(r"\((mv [^)]*)\)", place.run("status", code=4))
    assert named is not None
    subprocess.run(named[1], shell=True, check=True, cwd=place.folder)
    place.spend(1).close()
    assert any(kept.read_bytes() == log for kept in place.folder.iterdir() if kept.is_file())


def test_the_way_out_can_be_pasted_where_the_path_has_a_space(place: Place) -> None:
    file = place.folder / "two words.db"
    file.write_bytes(b"not a database\n" * 300)
    named = re.search(r"\((mv [^)]*)\)", place.run("status", "--store", f"file:{file}", code=4))
    assert named is not None
    assert shlex.split(named[1])[1] == str(file)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE fact SET value='{' WHERE kind='document'",
        "UPDATE counter_set SET entries=x'09000000'",
    ],
)
def test_a_record_that_cannot_be_read_names_the_file_and_the_way_out(
    place: Place, store: Path, sql: str
) -> None:
    with closing(sqlite3.connect(store)) as database:
        database.execute(sql)
        database.commit()
    said = place.run("status", code=4)
    assert str(store) in said and "mv " in said


def test_a_foreign_database_without_tables_stays_as_it_is(place: Place) -> None:
    file = place.folder / "foreign.db"
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA application_id=77")
        database.execute("PRAGMA user_version=3")
    before = _hashes(file)
    assert "[store_foreign]" in place.run("cap", "list", "--store", f"file:{file}", code=4)
    assert _hashes(file) == before
