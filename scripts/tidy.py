"""clang-tidy over the C++ files, in parallel, skipping those that passed with the same contents.

python scripts/tidy.py [--jobs N] [--since COMMIT] [--analyze [--nodes N]] [PREFIX...]

A file is looked at again when it, a header of the repository that it includes, its compiler options, .clang-tidy or
clang-tidy itself changed. PREFIX picks folders (core cli bindings by default). --since looks only at files that
have changed since a commit, with what includes them; at everything where a .clang-tidy, the lock file or this script
has, or where there is no such commit. (Not at what only its compiler options changed for.)
"""

from __future__ import annotations

import argparse
import concurrent.futures
import functools
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TIDY = ROOT / ".venv/bin/clang-tidy"
BUILD = ROOT / "build/lint"
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


@functools.cache
def includes(file: Path) -> tuple[Path, ...]:
    """The files of the repository that a file includes itself."""
    folders = (file.parent, ROOT / "core/include", ROOT / "core/src", ROOT / "cli", ROOT)
    found = []
    for name in INCLUDE.findall(file.read_text()):
        path = next((path for folder in folders if (path := folder / name).exists()), None)
        if path is not None:
            found.append(path.resolve())
        elif not name.startswith("embedded/"):  # those are made by the build
            raise FileNotFoundError(f'{file}: where is "{name}"? A change of it would go unseen.')
    return tuple(found)


def made_from(source: Path) -> set[Path]:
    """A source and all that it includes, of the repository."""
    found = {source}
    todo = [source]
    while todo:
        new = set(includes(todo.pop())) - found
        found |= new
        todo.extend(new)
    return found


def changed_since(commit: str) -> set[Path] | None:
    """Files that differ from `commit`, new ones too; None: all may."""
    diff = subprocess.run(
        ["git", "diff", "--name-only", commit, "--"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if diff.returncode != 0:
        return None
    new = subprocess.run(
        ["git", "ls-files", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    names = set(diff.stdout.splitlines()) | set(new.stdout.splitlines())
    if names & {"requirements/dev.lock", "scripts/tidy.py"} or any(
        Path(name).name == ".clang-tidy" for name in names
    ):
        return None
    return {ROOT / name for name in names}


def fingerprint(command: str, files: set[Path], common: bytes) -> str:
    digest = hashlib.sha256(common + command.encode())
    for file in sorted(files):
        digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def check(entry: dict[str, str], options: list[str]) -> tuple[bool, str]:
    command = [TIDY, "-p", BUILD, "--quiet", *options, entry["file"]]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    return ran.returncode == 0, ran.stdout + (ran.stderr if ran.returncode else "")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--since", metavar="COMMIT", help="only what changed since this commit")
    parser.add_argument("--analyze", action="store_true", help="the static analyzer too")
    parser.add_argument(
        "--nodes", type=int, default=20_000, help="how far the analyzer follows one function"
    )
    parser.add_argument("prefixes", nargs="*", default=["core", "cli", "bindings"])
    arguments = parser.parse_args()
    # How each file is compiled by itself: build/dev takes several at once.
    configure = ["cmake", "--preset", "lint", "--log-level=WARNING"]
    subprocess.run(configure, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)

    version = subprocess.run([TIDY, "--version"], capture_output=True, check=True).stdout
    # The compile commands are g++'s; its warnings have been errors already. Delayed: Debian's RapidJSON has a template
    # that newer clang refuses to parse, though nobody uses it.
    flags = ["-Wno-unknown-warning-option", "-Wno-error", "-fdelayed-template-parsing"]
    options = [f"--extra-arg={flag}" for flag in flags]
    if arguments.analyze:
        # It does not follow std::variant, and takes a Status that holds an Error for one that does not. Members stand
        # in the order of their meaning: there is one such object a call. RapidJSON subtracts null pointers.
        not_these = [
            "core.uninitialized.Assign",
            "optin.performance.Padding",
            "core.NullPointerArithm",
        ]
        # Its own bound is 225,000: three times as long, for `make soak`.
        for word in ("-Xclang", "-analyzer-config", "-Xclang", f"max-nodes={arguments.nodes}"):
            options.append(f"--extra-arg={word}")
        options.append(
            "--checks=clang-analyzer-*," + ",".join(f"-clang-analyzer-{one}" for one in not_these)
        )
    common = version + " ".join(options).encode() + (ROOT / ".clang-tidy").read_bytes()
    passed = BUILD / "tidy"
    passed.mkdir(exist_ok=True)
    changed = changed_since(arguments.since) if arguments.since else None
    todo: list[tuple[dict[str, str], Path]] = []
    considered = 0
    for entry in json.loads((BUILD / "compile_commands.json").read_text()):
        source = Path(entry["file"])
        inside = source.relative_to(ROOT) if source.is_relative_to(ROOT) else None
        if (
            inside is None
            or inside.suffix != ".cpp"
            or not str(inside).startswith(tuple(arguments.prefixes))
        ):
            continue
        considered += 1
        rules = (folder / ".clang-tidy" for folder in source.parents if folder.is_relative_to(ROOT))
        files = made_from(source) | {rule for rule in rules if rule.exists()}
        if changed is not None and changed.isdisjoint(files):
            continue
        stamp = passed / fingerprint(entry["command"], files, common)
        if not stamp.exists():
            todo.append((entry, stamp))
    print(f"lint: clang-tidy, {len(todo)} of {considered} files", flush=True)

    failed = False
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        begun = time.monotonic()
        runs = {pool.submit(check, entry, options): (entry, stamp) for entry, stamp in todo}
        for run in concurrent.futures.as_completed(runs):
            entry, stamp = runs[run]
            fine, output = run.result()
            if fine:
                stamp.touch()
            else:
                failed = True
                print(re.sub(re.escape(str(ROOT)) + "/", "", output), flush=True)
            if os.environ.get("VERBOSE"):
                print(f"  {time.monotonic() - begun:6.1f} s  {entry['file']}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
