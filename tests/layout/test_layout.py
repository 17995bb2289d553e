"""The house rules that a compiler does not hold: direction, size, no floats near money, nothing of one machine."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# A part may include itself and the parts before it (cmake/FarthingPart.cmake holds the same for linking).
PARTS = re.search(
    r"set\(FARTHING_PARTS ([a-z ]+)\)", (ROOT / "cmake/FarthingPart.cmake").read_text()
)[1].split()  # type: ignore[index]

# The part that a public header belongs to.
PUBLIC = {
    "clock": "money",
    "labels": "money",
    "meter": "money",
    "moment": "zone",
    "money": "money",
    "result": "money",
    "time_text": "zone",
    "tokenizer": "tokens",
    "tokens": "tokens",
    "count": "counting",
    "maker": "prices",
    "prices": "prices",
    "price_source": "prices",
    "cap": "policy",
    "describe": "policy",
    "policy": "policy",
    "denial": "ledger",
    "endpoint": "wire",
    "host": "wire",
    "http": "http",
    "job": "ledger",
    "ledger": "ledger",
    "control": "report",
    "suggest": "report",
    "guard": "guard",
    "receipt": "ledger",
    "reprice": "report",
    "scope": "guard",
}

LONGEST = 600  # lines of a source file
LONGER: dict[str, str] = {}  # path: why it may be longer

NO_FLOATS = ("money", "prices", "store", "ledger")
NOT_OURS_TO_IMPORT = {
    "anthropic",
    "google",
    "httpx",
    "httpx2",
    "httpcore",
    "openai",
    "requests",
    "aiohttp",
    "urllib3",
}
OF_ONE_MACHINE = re.compile(
    r"/work/|/root/|/tmp/chroot|pythonhosted\.org|pypi\.org/simple|deb\.debian\.org|registry\.npmjs"
)
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([a-z_]+)/([a-z_/]+)\.h[">]', re.MULTILINE)


def in_git(*patterns: str) -> list[Path]:
    """Committed and new files, without ignored ones."""
    command = [
        "git",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
        "--deduplicate",
        "--",
        *patterns,
    ]
    names = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def code_of(text: str) -> str:
    """C++ without comments and string literals."""
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', " ", text, flags=re.DOTALL)


def included_parts(path: Path) -> list[tuple[str, str]]:
    """(what is included, the part it belongs to) for every include of our own headers."""
    found = []
    for folder, header in INCLUDE.findall(path.read_text()):
        if folder == "farthing":
            found.append((f"farthing/{header}.h", PUBLIC.get(header, "?")))
        elif folder in PARTS:
            found.append((f"{folder}/{header}.h", folder))
    return found


def test_every_public_header_has_its_part() -> None:
    headers = {path.stem for path in in_git("core/include/farthing/*.h")}
    assert headers - PUBLIC.keys() == set(), "add them to PUBLIC in this file"
    assert set(PUBLIC.values()) <= set(PARTS)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_includes_only_itself_and_earlier_ones(part: str) -> None:
    allowed = PARTS[: PARTS.index(part) + 1]
    own = in_git(f"core/src/{part}/**")
    own += [path for path in in_git("core/include/farthing/*.h") if PUBLIC.get(path.stem) == part]
    wrong = [
        f"{name(path)} ({part}) includes {header} ({other})"
        for path in own
        if path.suffix in {".h", ".cpp"}
        for header, other in included_parts(path)
        if other not in allowed
    ]
    assert not wrong, f"the direction is {' -> '.join(PARTS)}"


def test_public_headers_and_those_outside_the_core_see_public_headers_only() -> None:
    outside = in_git(
        "core/include/farthing/*.h", "bindings/*.cpp", "bindings/*.h", "cli/*.cpp", "cli/*.h"
    )
    wrong = [
        f"{name(path)} includes {header}"
        for path in outside
        for header, _ in included_parts(path)
        if not header.startswith("farthing/")
    ]
    assert not wrong


def test_public_headers_say_what_they_are_and_their_thread_safety() -> None:
    silent = [
        name(path)
        for path in in_git("core/include/farthing/*.h")
        if not (text := path.read_text()).startswith("// ")
        or "Thread-safety" not in text.split("#pragma once")[0]
    ]
    assert not silent, "open with what it is, an example, and a line `// Thread-safety: ...`"


def test_source_files_are_short() -> None:
    lengths = {
        name(path): len(path.read_text().splitlines())
        for path in in_git("*.cpp", "*.h", "*.py", "*.pyi")
    }
    assert {
        path: lines for path, lines in lengths.items() if lines > LONGEST and path not in LONGER
    } == {}


@pytest.mark.parametrize("part", NO_FLOATS)
def test_no_floating_point_near_money(part: str) -> None:
    wrong = [
        f"{name(path)}: {found[0]}"
        for path in in_git(f"core/src/{part}/**", "core/include/farthing/*.h")
        if path.suffix in {".h", ".cpp"}
        and (found := re.search(r"\b(float|double|stod|stof|strtod)\b", code_of(path.read_text())))
    ]
    assert not wrong


def test_all_files_of_a_program_see_one_toml() -> None:
    """Its functions are inline and depend on macros: of two versions the linker keeps either."""
    including = [
        name(path)
        for path in in_git("*.cpp", "*.h")
        if re.search(r"^\s*#\s*include\s*<toml\+\+/", path.read_text(), re.MULTILINE)
    ]
    assert including == ["core/src/money/toml.h"]


def test_the_package_imports_no_sdk() -> None:
    """It must work with whatever the user has: hooks find the classes in sys.modules."""
    wrong = []
    for path in in_git("python/farthing/*.py", "python/farthing/**/*.py"):
        tree = ast.parse(path.read_text())
        typing_only = {
            node
            for block in ast.walk(tree)
            if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
            for statement in block.body
            for node in ast.walk(statement)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [node.module or ""]
            else:
                continue
            if node not in typing_only and NOT_OURS_TO_IMPORT & {
                module.split(".")[0] for module in modules
            }:
                wrong.append(f"{name(path)}:{node.lineno}")
    assert not wrong


def test_nothing_belongs_to_one_machine() -> None:
    wrong = []
    for path in in_git():
        if path == Path(__file__) or path.suffix in {".gz", ".png", ".bin", ".lock"}:
            continue
        text = path.read_text(errors="replace")
        wrong += [f"{name(path)}: {found[0]}" for found in OF_ONE_MACHINE.finditer(text)]
    assert not wrong


def test_every_rule_has_its_tests() -> None:
    """docs/rules.md: below each rule stand tests that are there and name it."""
    text = (ROOT / "docs/rules.md").read_text()
    rules = re.findall(r"^\*\*R(\d+)\.(.*?)(?=^\*\*R\d+\.|\Z)", text, re.MULTILINE | re.DOTALL)
    assert [int(number) for number, _ in rules] == list(range(1, 45))
    for number, rule in rules:
        line = re.search(r"^Test: (.+)$", rule, re.MULTILINE)
        assert line, f"R{number} names no test"
        for path in line[1].split(", "):
            named = re.search(
                rf"(?<![A-Za-z0-9])R{number}(?![0-9])", (ROOT / path).read_text(), re.I
            )
            assert named, f"{path} does not name R{number}"


def test_rules_that_are_cited_exist() -> None:
    for path in in_git("core", "python", "bindings", "cli", "tests"):
        if path.suffix not in {".cpp", ".h", ".py", ".pyi"}:
            continue
        for number in re.findall(r"(?<![A-Za-z0-9_])R(\d{1,3})(?![0-9A-Za-z])", path.read_text()):
            assert 1 <= int(number) <= 44, f"{path}: R{number}"


def test_tidy_finds_every_include(tmp_path: Path) -> None:
    """A header that it does not find could change without a file being looked at again."""
    found = importlib.util.spec_from_file_location("tidy", ROOT / "scripts/tidy.py")
    assert found is not None and found.loader is not None
    tidy = importlib.util.module_from_spec(found)
    found.loader.exec_module(tidy)
    assert ROOT / "cli/farthing_command.h" in tidy.includes(ROOT / "bindings/python/module.cpp")
    lost = tmp_path / "lost.cpp"
    lost.write_text('#include "embedded/made.h"\n#include <vector>\n')
    assert tidy.includes(lost) == ()
    tidy.includes.cache_clear()
    lost.write_text('#include "nowhere.h"\n')
    with pytest.raises(FileNotFoundError, match=r"nowhere\.h"):
        tidy.includes(lost)


def test_what_the_python_module_is_made_of_is_optimised() -> None:
    """All of it: of an inline function that several objects have the linker takes the first, however it was compiled,
    and what is measured would not be what is shipped."""
    commands = ROOT / "build/dev/compile_commands.json"
    if not commands.is_file():
        pytest.skip("the development build was not configured")
    places = [f"-o {part}/" for part in ("core", "cli", "bindings")]
    compiled = [
        entry["command"]
        for entry in json.loads(commands.read_text())
        if any(place in entry["command"] for place in places)
    ]
    assert len(compiled) > 30
    for command in compiled:
        assert re.findall(r" -O(\w+)", command)[-1:] == ["2"], command
