"""The hand-checked files, prices/*.toml: what they cover stays theirs."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import tomllib

from .model import TOKENS
from .names import FORMS, undated


class HandBook:
    def __init__(self, documents: list[dict[str, Any]]) -> None:
        self.date: date = next(doc["book"]["date"] for doc in documents if "book" in doc)
        self.providers = {
            doc["provider"]["name"]: doc["provider"] for doc in documents if "provider" in doc
        }
        self.models: dict[tuple[str, str], dict[str, Any]] = {}
        self.names: dict[tuple[str, str], str] = {}  # exact names and aliases -> canonical
        for document in documents:
            for model in document.get("model", []):
                self.add(document["provider"]["name"], model["name"], model)
        for name, provider in self.providers.items():
            for taken in provider.get("prices_of", []):
                self.take(name, taken)
        for name, provider in self.providers.items():
            for alias, canonical in provider.get("aliases", {}).items():
                self.names[name, alias] = canonical

    @classmethod
    def read(cls, folder: Path) -> HandBook:
        return cls([tomllib.loads(path.read_text()) for path in sorted(folder.glob("*.toml"))])

    def add(self, provider: str, name: str, model: dict[str, Any], prefix: str = "") -> None:
        self.models.setdefault((provider, name), model)
        for one in [name, *(prefix + alias for alias in model.get("aliases", []))]:
            self.names.setdefault((provider, one), name)

    def take(self, provider: str, taken: dict[str, Any]) -> None:
        for (other, name), model in list(self.models.items()):
            by_tokens = any(quantity in TOKENS for row in model["rates"] for quantity in row)
            if other == taken["provider"] and name in taken.get("only", [name]) and by_tokens:
                prefix = taken.get("prefix", "")
                self.add(provider, prefix + name, model, prefix)

    def find(self, provider: str, name: str) -> str | None:
        """The canonical name, found as the library does: exactly, by alias, by a dated form, by a fine-tuned base."""
        if name.startswith("ft:") and name.count(":") > 1:
            name = ":".join(name.split(":")[:2])
        if (provider, name) in self.names:
            return self.names[provider, name]
        for form, base in undated(name).items():
            canonical = self.names.get((provider, base))
            if canonical and form in self.models[provider, canonical].get("dated", []):
                return canonical
        return None

    def tiers(self, provider: str) -> set[str] | None:
        """What the provider's file says can be served; none without a file."""
        known = self.providers.get(provider)
        if known is None:
            return None
        tiers = known.get("tiers")
        if tiers is None:
            tiers = {}
            for taken in known.get("prices_of", []):
                tiers = tiers or self.providers[taken["provider"]].get("tiers", {})
        return {tier for served in tiers.values() for tier in served}


assert set(FORMS) == {"-YYYY-MM-DD", "-YYYYMMDD", "-MMDD", "-YYMM"}
