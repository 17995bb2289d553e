"""`farthing prices`: models side by side, what differs, how old, another book; `farthing ledger reprice`."""

from __future__ import annotations

import hashlib
import json
import textwrap
from decimal import Decimal
from pathlib import Path
from typing import Any

import openai
import pytest

import farthing
from tests.cli.conftest import CALL, Place

ROOT = Path(__file__).resolve().parents[2]

BOOK = """\
[book]
date = {date}
[provider]
name = "openai"
source = "https://openai.test"
date = {date}
tokens_per_second = 1000
[provider.tiers]
"" = ["default"]
[[model]]
name = "gpt-4.1-nano"
family = "gpt-4.1"
modality = "text"
context = 1_000_000
output = 32_768
{keys}
rates = [{{ per = "million", input_tokens = "{input}", output_tokens = "{output}" }}]
"""


def book(
    place: Place,
    name: str,
    *,
    input: str = "0.10",
    output: str = "0.40",
    date: str = "2026-11-22",
    keys: str = "",
) -> str:
    (place.folder / name).write_text(BOOK.format(input=input, output=output, date=date, keys=keys))
    return name


def said(place: Place, *arguments: str) -> Any:
    return json.loads(place.run(*arguments, "--json"))


# ---- compare


def test_compare_puts_models_side_by_side(place: Place) -> None:
    lines = place.run("prices", "compare", "gpt-5-mini", "gpt-5-nano", "--provider", "openai")
    head, *rows = lines.splitlines()
    assert head.split() == ["gpt-5-mini", "gpt-5-nano"]
    assert any(row.startswith("input_tokens") and "0.25" in row and "0.05" in row for row in rows)
    both = said(place, "prices", "compare", "openai/gpt-5-mini", "openai/gpt-5-nano")
    assert [entry["model"] for entry in both] == ["gpt-5-mini", "gpt-5-nano"]
    assert both[0]["rates"]["output_tokens"] == "2.00 USD per million"


def test_compare_ranks_by_the_estimate_of_the_core(place: Place) -> None:
    (place.folder / "request.json").write_text(json.dumps(CALL))
    ranked = said(
        place, "prices", "compare", "openai/gpt-5", "openai/gpt-4.1-nano", "--for", "request.json"
    )
    assert [entry["model"] for entry in ranked] == ["gpt-4.1-nano", "gpt-5"]
    with farthing.Guard(caps=[], store="memory:") as guard:
        for entry in ranked:
            arguments = {**CALL, "model": entry["model"]}
            estimate = guard.estimate("chat.completions", **arguments)
            assert entry["likely"] is not None
            assert str(estimate.likely_usd) == entry["likely"]
            assert str(estimate.ceiling_usd) == entry["ceiling"]
    text = place.run("prices", "compare", "--for", "request.json", "--provider", "mistral")
    assert "mistral-small" in text and "unknown" not in text.splitlines()[1]
    # Of the models that answer such a request: a chat is not asked of one that checks, embeds or speaks.
    text = place.run("prices", "compare", "--for", "request.json", "--provider", "openai")
    assert "gpt-5-mini" in text
    for other in ("moderation", "embedding", "tts", "whisper", "sora"):
        assert other not in text
    text = place.run("prices", "compare", "--for", "request.json", "--modality", "speech")
    assert "tts-1" in text
    (place.folder / "image.json").write_text('{"model": "gpt-image-1", "prompt": "a mill"}')
    text = place.run("prices", "compare", "--for", "image.json", "--provider", "openai")
    assert "gpt-image-1-mini" in text and "gpt-5-mini" not in text
    none = place.run("prices", "compare", "--for", "image.json", "--provider", "groq", code=3)
    assert "no model in the price book fits: provider groq, modality image" in none


def test_compare_takes_a_resold_model_for_its_makers(place: Place) -> None:
    """A model that thinks costs its thinking wherever it is sold; who resells it often says less of it."""
    (place.folder / "request.json").write_text(json.dumps({**CALL, "max_tokens": 16000}))
    ranked = ("prices", "compare", "--for", "request.json")
    rows = said(place, *ranked, "openai/gpt-5-mini", "openrouter/openai/gpt-5-mini")
    assert {row["provider"] for row in rows} == {"openai", "openrouter"}
    low, high = sorted(Decimal(row["likely"]) for row in rows)
    assert high < low * Decimal("1.1") and all(row["reasoning"] for row in rows)
    unknown = "deepseek/deepseek-r1-distill-qwen-14b"
    (row,) = said(place, *ranked, "--provider", "openrouter", unknown)
    assert row["reasoning"] is None
    text = place.run(*ranked, "--provider", "openrouter", unknown)
    assert "dearer, if it reasons: the book does not say" in text
    assert "if it reasons" not in place.run(*ranked, "openai/gpt-4.1-nano", "openai/gpt-5")


def test_compare_never_opens_the_users_store(place: Place) -> None:
    (place.folder / "request.json").write_text(json.dumps(CALL))
    (place.folder / "farthing.toml").write_text('[[cap]]\nlimit = "1 USD"\nper = "day"\n')
    place.run("prices", "compare", "gpt-5", "--for", "request.json")
    assert not (place.folder / "farthing.db").exists()


def test_compare_says_what_is_wrong(place: Place) -> None:
    assert "gpt-none" in place.run("prices", "compare", "gpt-none", code=3)
    assert "--provider" in place.run("prices", "compare", code=2)
    (place.folder / "list.json").write_text("[]")
    assert "no JSON object" in place.run("prices", "compare", "gpt-5", "--for", "list.json", code=2)
    (place.folder / "request.json").write_text(json.dumps(CALL))
    assert "chat.completions" in place.run(
        *("prices", "compare", "gpt-5", "--for", "request.json", "--endpoint", "chat"), code=2
    )


# ---- diff, age


def test_diff_says_what_was_added_removed_and_changed_by_how_much(place: Place) -> None:
    before = book(place, "a.toml")
    after = book(place, "b.toml", input="0.15")
    with (place.folder / after).open("a") as file:
        file.write(
            textwrap.dedent(
                """\
                [[model]]
                name = "new"
                family = "new"
                modality = "embedding"
                context = 1000
                rates = [{ per = "million", input_tokens = "1" }]
                """
            )
        )
    lines = place.run("prices", "diff", before, after)
    assert "added    openai new" in lines
    assert "0.10 USD per million" in lines and "0.15 USD per million" in lines and "x 1.50" in lines
    back = said(place, "prices", "diff", after, before)
    assert back["removed"] == [{"provider": "openai", "model": "new"}]
    assert back["changed"][0]["factor"] == "0.66"
    same = said(place, "prices", "diff", "builtin", str(ROOT / "prices"))
    assert (same["added"], same["removed"], same["changed"]) == ([], [], [])


def test_age_warns_of_old_prices(place: Place) -> None:
    fresh = said(place, "prices", "age")
    assert fresh["book"] == fresh["builtin"]
    assert {"openai", "anthropic"} <= {entry["provider"] for entry in fresh["providers"]}
    (place.folder / "farthing.toml").write_text('price_book = "own.book"\n')
    place.run("prices", "update", book(place, "a.toml", date="2020-01-01"), "--accept-changes")
    old = place.run("prices", "age")
    assert "2020-01-01" in old and "older than 90 days" in old
    assert said(place, "prices", "age")["providers"][0]["old"] is True


def test_a_model_with_prices_by_size_only_is_found_with_all_of_them(place: Place) -> None:
    price = '[[price]]\nprovider = "openai"\nmodel = "paint-2"\nsize = "{}"\nrates = {{ images = "{} USD each" }}\n'
    lines = price.format("512x512", "0.02") + price.format("1024x1024", "0.04")
    (place.folder / "farthing.toml").write_text(lines)
    text = place.run("prices", "paint-2")
    assert "size 512x512" in text and "0.04 USD each" in text and "1 model," in text
    (model,) = said(place, "prices", "paint-2")
    assert model["rates"] == {}
    assert model["prices"] == [
        {"where": "size 512x512", "rates": {"images": "0.02 USD each"}},
        {"where": "size 1024x1024", "rates": {"images": "0.04 USD each"}},
    ]


# ---- update


def test_update_puts_a_book_in_force_for_the_policy(place: Place) -> None:
    (place.folder / "farthing.toml").write_text('price_book = "own.book"\n')
    assert "prices update" in place.run("prices", "gpt-4.1-nano", code=1)  # named, not there yet
    name = book(place, "a.toml", input="0.12")
    sha = hashlib.sha256((place.folder / name).read_bytes()).hexdigest()
    done = said(place, "prices", "update", name, "--sha256", sha)
    assert done["file"] == str(place.folder / "own.book") and done["models"] == 1
    found = said(place, "prices", "gpt-4.1-nano")
    assert found[0]["rates"]["input_tokens"] == "0.12 USD per million"
    assert found[0]["book"].startswith("2026-11-22/")
    with farthing.Guard(place.folder / "farthing.toml", store="memory:") as guard:
        estimate = guard.estimate("chat.completions", **CALL)  # type: ignore[arg-type]
        assert estimate.ceiling_usd is not None
    with farthing.Guard(price_book=place.folder / "own.book", store="memory:") as guard:
        in_code = guard.estimate("chat.completions", **CALL)  # type: ignore[arg-type]
        assert in_code.ceiling_usd == estimate.ceiling_usd
    with farthing.Guard(store="memory:") as guard:
        built_in = guard.estimate("chat.completions", **CALL)  # type: ignore[arg-type]
        assert built_in.ceiling_usd != estimate.ceiling_usd
    with pytest.raises(farthing.PolicyError, match="price_book"):
        farthing.Guard(price_book=place.folder / "none.book", store="memory:")
    with pytest.raises(farthing.ArgumentError, match="price_book"):
        farthing.Guard(place.folder / "farthing.toml", price_book="own.book")


def test_a_bad_book_is_refused_and_the_earlier_one_stays(place: Place) -> None:
    (place.folder / "farthing.toml").write_text('price_book = "own.book"\n')
    place.run("prices", "update", book(place, "good.toml"))
    earlier = (place.folder / "own.book").read_bytes()

    def refused(name: str, *more: str) -> str:
        error = place.run("prices", "update", name, *more, code=1)
        assert (place.folder / "own.book").read_bytes() == earlier
        assert sorted(path.name for path in place.folder.glob("own.book*")) == ["own.book"]
        return error

    error = refused(book(place, "absurd.toml", input="2000"))
    assert "absurd.toml:17: model gpt-4.1-nano: " in error and "[absurd]" in error
    error = refused(book(place, "dear.toml", input="0.60", output="4.00"))
    assert "0.60 USD per million after 0.10 USD per million" in error and "[change_over_5]" in error
    assert "the one in force of 2026-11-22" in refused(book(place, "old.toml", date="2026-11-20"))
    assert "has the sha256" in refused(book(place, "good.toml"), "--sha256", "0" * 64)
    place.run(
        "prices", "update", "good.toml", "--sha256", "", code=2
    )  # an empty variable is no checksum
    assert (place.folder / "own.book").read_bytes() == earlier
    place.run("prices", "update", "dear.toml", "--accept-changes")
    assert (place.folder / "own.book").read_bytes() != earlier


def test_update_takes_a_whole_book_in_one_file_and_names_the_part_and_line(place: Place) -> None:
    (place.folder / "farthing.toml").write_text('price_book = "own.book"\n')
    files = [*sorted((ROOT / "prices").glob("*.toml"))]
    files += sorted((ROOT / "prices/imported").glob("*.toml"))
    whole = "".join(f"### {path.relative_to(ROOT)}\n{path.read_text()}" for path in files)
    (place.folder / "prices.txt").write_text(whole)
    place.run("prices", "update", "prices.txt")
    assert said(place, "prices", "diff", "builtin", "own.book")["changed"] == []
    broken = whole.replace('input_tokens = "2.50"', 'input_tokens = "2500.00"', 1)
    assert broken != whole
    (place.folder / "broken.txt").write_text(broken)
    error = place.run("prices", "update", "broken.txt", code=1)
    assert "### " not in error and "prices/" in error and ".toml:" in error


def test_update_needs_a_place(place: Place) -> None:
    name = book(place, "a.toml")
    place.run("prices", "update", name, code=3)  # no policy
    (place.folder / "farthing.toml").write_text("")
    assert 'price_book = "prices.book"' in place.run("prices", "update", name, code=1)


# ---- reprice (R25, R19)


def spent(place: Place) -> Decimal:
    counters = said(place, "status")["counters"]
    return Decimal(next(counter["spent"] for counter in counters if counter["cap"] == "daily"))


def test_reprice_shows_differences_and_changes_nothing(place: Place) -> None:
    place.spend(3)
    entries = place.run("ledger", "--json")
    report = said(place, "ledger", "reprice")
    assert report["changed"] == [] and report["models"][0]["entries"] == 3
    name = book(place, "new.toml", input="0.20", output="0.80")
    report = said(place, "ledger", "reprice", "--book", name)
    (model,) = report["models"]
    assert (model["entries"], model["changed"]) == (3, 3)
    assert model["after_nano"] == 2 * model["before_nano"]
    text = place.run("ledger", "reprice", "--book", name)
    assert "3 of 3 entries cost something else" in text and "--apply --why" in text
    assert place.run("ledger", "--json") == entries


def test_reprice_applies_corrections_and_counters_follow(place: Place) -> None:
    place.spend(3)
    before = spent(place)
    name = book(place, "new.toml", input="0.20", output="0.80")
    assert "--why" in place.run("ledger", "reprice", "--book", name, "--apply", code=2)
    assert spent(place) == before
    report = said(
        place, "ledger", "reprice", "--book", name, "--apply", "--why", "the list of december"
    )
    assert report["corrected"] == 3
    assert spent(place) == 2 * before > 0
    corrections = [json.loads(line) for line in place.run("ledger", "--json").splitlines()]
    whys = {entry["why"] for entry in corrections if entry["kind"] == "adjust"}
    assert len(whys) == 1 and "the list of december" in whys.pop()
    again = said(place, "ledger", "reprice", "--book", name, "--apply", "--why", "again")
    assert again["corrected"] == 0  # what was corrected to this price is not again
    back = said(place, "ledger", "reprice", "--apply", "--why", "back")
    assert back["corrected"] == 3 and spent(place) == before


def test_reprice_leaves_out_what_is_not_known_and_what_a_person_said(place: Place) -> None:
    place.spend(2)
    place.provider.script({"status": 502, "foreign": True})
    with pytest.raises(openai.APIError):
        place.spend(1)
    name = book(place, "new.toml", input="0.20", output="0.80")
    newest = json.loads(place.run("ledger", "--json", "-n", "1", "--how", "usage"))["id"]
    place.run("adjust", "0.001 USD", newest)
    report = said(place, "ledger", "reprice", "--book", name)
    assert report["left_out"] == {
        "corrected by hand": 1,
        "charged holds, their usage is not known": 1,
    }
    assert report["models"][0]["entries"] == 1
    assert "left out: 1 entry, corrected by hand" in place.run("ledger", "reprice", "--book", name)
    other = (place.folder / name).read_text().replace('"gpt-4.1-nano"', '"else"')
    (place.folder / "other.toml").write_text(other)
    report = said(place, "ledger", "reprice", "--book", "other.toml")
    assert report["left_out"]["the model is not in the book"] == 1
