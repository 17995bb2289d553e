"""The whole run: from two tables and the hand-written files to the generated ones."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from . import genai_rows, litellm_rows, write
from .decide import Choices, Decider
from .hand import HandBook
from .model import Cells, Disagreement, Draft, Report, Row
from .names import Providers, undated
from .report import report_text

Drafts = dict[tuple[str, str], Draft]
FOLDER = Path(__file__).resolve().parents[1]


class Importer:
    def __init__(
        self, hand: HandBook, providers: Providers, choices: Choices, before: write.Before
    ) -> None:
        self.hand, self.providers, self.choices, self.before = hand, providers, choices, before
        self.report = Report()
        served = {name: tiers for name in hand.providers if (tiers := hand.tiers(name)) is not None}
        self.decider = Decider(choices, self.report, served, hand.date)
        self.models: dict[tuple[str, str], Draft] = {}

    def run(self, litellm: dict[str, Any], genai: list[Any]) -> None:
        ours = self.dated_as_aliases(litellm_rows.drafts(litellm, self.providers, self.report))
        reader = genai_rows.Reader(self.hand.date, self.report)
        theirs = reader.drafts(genai, self.providers)
        by_name = {
            (provider, name.lower()): draft
            for (provider, _), draft in theirs.items()
            for name in sorted(draft.aliases)
        } | theirs
        matched = set()
        for (provider, name), draft in sorted(ours.items()):
            names = [name, *sorted(draft.aliases)]
            other = next(
                (found for one in names if (found := by_name.get((provider, one.lower())))), None
            )
            if other is not None:
                matched.add((provider, other.name.lower()))
            self.decide(draft, other)
        for key, other in sorted(theirs.items()):
            if key not in matched:
                self.decide(None, other)
        self.merge_dated()
        self.check_hand_dated()
        self.check_changes()
        self.more_names()
        self.check_names()

    def dated_as_aliases(self, drafts: Drafts) -> Drafts:
        """A dated name of litellm with all the prices of the name without its date is another name of that model, so
        that what the other table says of one is true of both."""
        for provider, name in sorted(drafts):
            for base in undated(name).values():
                draft, other = drafts[provider, name], drafts.get((provider, base))
                if (
                    other is None
                    or self.hand.find(provider, base)
                    or draft.modality != other.modality
                ):
                    continue
                if values_of(draft.cells) == values_of(other.cells):
                    other.aliases |= {name, *draft.aliases}
                    del drafts[provider, name]
                    break
        return drafts

    def decide(self, litellm: Draft | None, genai: Draft | None) -> None:
        draft = litellm or genai
        assert draft is not None
        by_hand = self.hand.find(draft.provider, draft.name)
        if by_hand is not None:
            self.compare_to_hand(by_hand, litellm, genai)
            return
        decided = self.decider.model(litellm and copy(litellm), genai and copy(genai))
        if decided is not None:
            self.models[decided.provider, decided.name] = decided

    def compare_to_hand(self, name: str, litellm: Draft | None, genai: Draft | None) -> None:
        """What a person has read stays; where the tables differ about it is told all the same."""
        draft = litellm or genai
        assert draft is not None
        self.report.by_hand[draft.provider] += 1
        self.choices.used.add(("choice", draft.provider, name))
        if litellm is None or genai is None:
            return
        why = self.hand.models[draft.provider, name].get("differs", {})
        said = "; ".join(dict.fromkeys(why.values())) or "read at the provider's own page"
        for terms, prices in litellm.cells.items():
            for quantity, price in prices.items():
                other = genai.price(terms, quantity)
                if other is not None and other.value != price.value:
                    self.report.disagreements.add(
                        Disagreement(
                            draft.provider,
                            litellm.name,
                            str(terms),
                            quantity,
                            str(price),
                            str(other),
                            "the hand-checked",
                            said,
                        )
                    )

    def merge_dated(self) -> None:
        """A dated name with the prices of the name without its date is another name of it; one with other prices is
        what the lint `dated_equals_undated` finds."""
        for provider, name in sorted(self.models):
            draft = self.models[provider, name]
            for base in undated(name).values():
                other = self.models.get((provider, base))
                hand = self.hand.find(provider, base)
                if other is None and hand is None:
                    continue
                accepted = self.choices.accepted.get((provider, name), {}).get(
                    "dated_equals_undated"
                )
                if other is not None and same(draft, other):
                    other.aliases |= {name, *draft.aliases}
                    del self.models[provider, name]
                elif accepted:
                    self.choices.used.add(("accept", provider, name))
                    draft.waive["dated_equals_undated"] = accepted
                else:
                    whose = "the hand-checked " if other is None else ""
                    self.report.leave_out(
                        provider,
                        name,
                        f"its prices are not those of {whose}{base} [dated_equals_undated]",
                    )
                    del self.models[provider, name]
                break

    def check_hand_dated(self) -> None:
        """The same lint, where a person has read the dated name."""
        for (provider, name), model in sorted(self.hand.models.items()):
            for base in undated(name).values():
                draft = self.models.get((provider, base))
                if draft is None or prices_of(draft.rows) == prices_of(write.rows_of(model)):
                    continue
                self.report.leave_out(
                    provider,
                    base,
                    f"its prices are not those of the hand-checked {name} [dated_equals_undated]",
                )
                del self.models[provider, base]

    def check_changes(self) -> None:
        """Against the book before. What changed too much stays as it was until a person accepts it."""
        for key, draft in sorted(self.models.items()):
            before = self.before.get(key)
            if before is None:
                continue
            change = self.decider.change(draft, write.rows_of(before))
            if not change:
                continue
            if "change_over_5" in self.choices.accepted.get(key, {}):
                self.choices.used.add(("accept", *key))
                continue
            self.report.kept.add((*key, change))
            self.models[key] = write.restored(key[0], before)

    def more_names(self) -> None:
        for key, aliases in self.choices.aliases.items():
            if key in self.models:
                self.models[key].aliases |= set(aliases)
                self.choices.used.add(("alias", *key))
        for draft in self.models.values():
            if not undated(draft.name):
                draft.dated = self.providers.named(draft.provider).dated

    def check_names(self) -> None:
        """One name, one model; and what a person has covered is theirs."""
        taken = {(draft.provider, draft.name) for draft in self.models.values()}
        for key in sorted(self.models):
            draft = self.models[key]
            kept = set()
            for alias in sorted(draft.aliases):
                if (draft.provider, alias) in taken or self.hand.find(draft.provider, alias):
                    continue
                taken.add((draft.provider, alias))
                kept.add(alias)
            draft.aliases = kept

    def stale(self) -> list[str]:
        """Choices that are not what they say any more."""
        differ = {(one.provider, one.model) for one in self.report.disagreements}
        problems = []
        for key, entry in sorted(self.choices.chosen.items()):
            draft, choose = self.models.get(key), entry["choose"]
            if choose == "hand":
                wrong = "no file in prices/ has it" if key not in self.hand.models else ""
            elif draft is None:
                wrong = "the book does not have it (prices/report.md says why)"
            elif choose == "both":
                wrong = "the tables differ now: choose one" if key in differ else ""
                wrong = wrong or ("one table has it: choose that" if len(draft.tables) < 2 else "")
            else:
                wrong = f"{choose} does not have it" if choose not in draft.tables else ""
            if wrong:
                problems.append(f"choices.toml: choice {key[0]} {key[1]}: {wrong}")
        return problems

    def problems(self) -> list[str]:
        """Decisions that do not fit the tables any more."""
        wanted = {("choice", *key) for key in self.choices.chosen}
        wanted |= {("free", *key) for key in self.choices.free}
        wanted |= {("alias", *key) for key in self.choices.aliases}
        wanted |= {
            ("accept", *key)
            for key, lints in self.choices.accepted.items()
            if "dated_equals_undated" in lints
        }
        return self.stale() + [
            f"choices.toml: {kind} {provider} {model}: decides nothing (any more)"
            for kind, provider, model in sorted(wanted - self.choices.used)
            if kind in ("alias", "accept") or (provider, model) not in self.models
        ]

    def files(self, versions: dict[str, str]) -> dict[str, str]:
        of_provider: dict[str, list[Draft]] = defaultdict(list)
        for draft in self.models.values():
            of_provider[draft.provider].append(draft)
        texts = {}
        for name, drafts in sorted(of_provider.items()):
            provider = self.providers.named(name)
            text = write.file_text(
                provider, drafts, self.hand.date, versions, name in self.hand.providers
            )
            texts["imported/" + write.file_name(name)] = text
        texts["report.md"] = report_text(self, versions)
        return texts


def copy(draft: Draft) -> Draft:
    """Of its own prices: decisions drop some of them, and a table's entry can answer for several names."""
    import copy as copies

    return copies.deepcopy(draft)


def values_of(cells: Cells) -> dict[object, object]:
    return {
        (terms, quantity): price.value
        for terms, prices in cells.items()
        for quantity, price in prices.items()
    }


def prices_of(rows: list[Row]) -> dict[object, object]:
    return {
        (row.terms, row.start, row.end, quantity): price.value
        for row in rows
        for quantity, price in row.prices.items()
    }


def same(one: Draft, other: Draft) -> bool:
    return prices_of(one.rows) == prices_of(other.rows) and one.modality == other.modality


def run(
    folder: Path, litellm: dict[str, Any], genai: list[Any], versions: dict[str, str]
) -> Importer:
    """The importer of a folder like prices/, run; it has the texts of the files to write."""
    importer = Importer(
        HandBook.read(folder),
        Providers.read(folder / "importer" / "providers.toml"),
        Choices.read(folder / "importer" / "choices.toml"),
        write.read_before(folder / "imported"),
    )
    importer.run(litellm, genai)
    return importer
