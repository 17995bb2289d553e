"""What every public part of the Python package says of itself: units, errors, an example that is Python."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import farthing
from farthing.aio import Aio
from farthing.scope import Joined


def _methods() -> Iterator[tuple[str, Callable[..., Any]]]:
    for name in farthing.__all__:
        found = getattr(farthing, name)
        if inspect.isfunction(found):
            yield name, found
    for owner in (farthing.Guard, farthing.ScopeBlock, farthing.Task, farthing.Action, Joined):
        for name, member in vars(owner).items():
            function = member.__func__ if isinstance(member, classmethod) else member
            if inspect.isfunction(function) and not name.startswith("_"):
                yield f"{owner.__name__}.{name}", function


METHODS = dict(_methods())
CLASSES = {
    name: found
    for name in farthing.__all__
    if inspect.isclass(found := getattr(farthing, name)) and not issubclass(found, BaseException)
}


def _code(doc: str) -> Iterator[str]:
    """What stands in backquotes, and what is indented."""
    yield from re.findall(r"`([^`\n]+)`", doc)
    block: list[str] = []
    for line in [*inspect.cleandoc(doc).splitlines(), ""]:
        if line.startswith("    "):
            block.append(line)
        elif block and line:
            yield textwrap.dedent("\n".join(block))
            block = []
    if block:
        yield textwrap.dedent("\n".join(block))


def _is_python(code: str) -> bool:
    for ending in ("", " pass", "\n    pass"):
        try:
            compile(code + ending, "example", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        except SyntaxError:
            continue
        return True
    return False


@pytest.mark.parametrize("name", METHODS)
def test_a_method_names_its_errors_and_shows_itself(name: str) -> None:
    doc = METHODS[name].__doc__ or ""
    word = name.rpartition(".")[2]
    shown = [code for code in _code(doc) if re.search(rf"\b{word}\(", code)]
    assert shown, f"{name}: an example that calls it, in backquotes or indented"
    assert any(_is_python(code) for code in shown), f"{name}: its example is no Python: {shown}"
    raised = re.search(r"\bRaises\s+(nothing|what|[A-Z]\w+)", doc)
    assert raised, f'{name}: "Raises ..." says which errors, or "Raises nothing."'
    if raised[1][0].isupper():
        assert issubclass(getattr(farthing, raised[1]), farthing.FarthingError), name


def test_coroutines_point_to_the_method_that_they_mirror() -> None:
    for name, function in vars(Aio).items():
        if not name.startswith("_"):
            assert f"Guard.{name}" in (function.__doc__ or ""), f"Aio.{name}"


def test_properties_are_described() -> None:
    for owner in (farthing.Guard, farthing.ScopeBlock, farthing.Task, farthing.Action):
        for name, member in vars(owner).items():
            if isinstance(member, property):
                assert member.__doc__, f"{owner.__name__}.{name}"


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_is_described_and_names_its_units(name: str) -> None:
    kind = CLASSES[name]
    assert kind.__doc__ and not kind.__doc__.startswith(f"{name}("), "dataclasses make one up"
    if not dataclasses.is_dataclass(kind):
        return
    amounts = [f.name for f in dataclasses.fields(kind) if re.search("Decimal|Amount", str(f.type))]
    if amounts:
        source = inspect.getsource(kind)
        assert "USD" in source, f"{name}: in what are {amounts}?"
    for field in dataclasses.fields(kind):
        if "datetime" in str(field.type):
            assert "UTC" in inspect.getsource(kind), f"{name}: in which zone is {field.name}?"
