"""Our encodings, token by token: python tests/tokens/differential.py DRIVER [options]

Those that are compiled in against tiktoken, tests/vectors/tokens/*.json against tokenizers.
DRIVER is build/dev/tests/core/tokens/token_driver. Runs where tiktoken is (scripts/setup tokens), without a network:
the vocabularies that tiktoken reads are written back from ours, and it checks their sha256.

    --megabytes 50     of this machine's texts: translated manuals, Python's library, recorded bodies, this repository
    --strings 1000000  strings made at random: all planes, marks, contractions, line ends, runs, invalid UTF-8
    --seed 1
    --folder PATH      more texts (can be repeated)
"""

from __future__ import annotations

import argparse
import array
import base64
import gzip
import hashlib
import itertools
import os
import random
import struct
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # run as a program

from tests.tokens.texts import english_manuals, in_turn, library, manuals, pieces, recorded, tracked

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"  # only to name the cached file
ENCODINGS = ("o200k_base", "cl100k_base", "o200k_harmony")


def tiktoken_files(folder: Path) -> None:
    for name in ("o200k_base", "cl100k_base"):
        packed = gzip.decompress((ROOT / "core/data/tokens" / f"{name}.gz").read_bytes())
        lines, at, rank = [], 0, 0
        while at < len(packed):
            token = packed[at + 1 : at + 1 + packed[at]]
            lines.append(base64.b64encode(token) + b" %d\n" % rank)
            at, rank = at + 1 + len(token), rank + 1
        cached = hashlib.sha1(ADDRESS.format(name).encode()).hexdigest()
        (folder / cached).write_bytes(b"".join(lines))


def machine_texts(megabytes: float, folders: list[str]) -> Iterator[bytes]:
    """As much of each: translated manuals, Python's library, recorded bodies, this repository, and folders. Where they
    have no more: English manuals."""
    more = (
        (
            piece
            for path in sorted(Path(top).rglob("*"))
            if path.is_file()
            for piece in pieces(path.read_bytes())
        )
        for top in folders
    )
    left = int(megabytes * 1e6)
    shared = in_turn(left, manuals(), library(), recorded(), tracked(), *more)
    for text in itertools.chain(shared, english_manuals()):
        if left <= 0:
            return
        left -= len(text)
        yield text


WORDS = """I'm don't WON'T they'LL we'Ve he'd She'S it's I'M 'S 's 'ſ x'ſ 'ſt 'll 'Re ' '' 'x HTTPServer camelCase iP
ÀÉ straße ǅ ǅa aǅ ʰa Aʰ ªº 中文 日本語テスト 한국어 ひらがな русский ЖЖ ελληνικά עברית العربية हिन्दी
ไทย é é ń̈ a\u0301b
\u0301 \u0301A \u0301AB \u0301\u0301a A\u0301B Ω\u0345 １２３ Ⅷ ½ 1234567 12,345.67 ٣٤٥ 𝟘𝟙𝟚𝟛
/path/to // //\r\n !!!\n ?!/\n\r /\n
{"a": <|endoftext|> <|start|> <|fim_prefix|> </s> \ufeff \u200b \u200d 👍🏽 👨‍👩‍👧 🇩🇪 𠀀𠀁 \U0010ffff \ue000""".split(
    " "
)
SPACES = [" ", "  ", "   ", "\t", "\n", "\r", "\r\n", "\n\n", " \n", "\n ", "\r \n", "\x0b", "\x0c"]
SPACES += [
    "\x85",
    "\xa0",
    "\u1680",
    "\u2003",
    "\u2028",
    "\u2029",
    "\u202f",
    "\u3000",
    " \u3000",
    "\x1c",
    "\u180e",
]
BYTES = [
    b"\xff",
    b"\xc0\x80",
    b"\xe2\x82",
    b"\xed\xa0\x80",
    b"\xf0\x9f",
    b"\xf4\x90\x80\x80",
    b"\x80",
    b"\xc3",
    b"\xf0\x9f\x91",
]


def random_character(rng: random.Random) -> str:
    kind = rng.randrange(8)
    if kind == 0:
        return chr(rng.randrange(0x80))
    if kind == 1:
        return chr(rng.randrange(0x80, 0x800))
    if kind == 2:
        return chr(rng.choice((rng.randrange(0x800, 0xD800), rng.randrange(0xE000, 0x10000))))
    if kind == 3:
        return chr(rng.randrange(0x10000, 0x20000))
    if kind == 4:
        return chr(rng.randrange(0x10000, 0x110000))
    if kind == 5:
        return chr(rng.choice((rng.randrange(0x300, 0x370), rng.randrange(0x4E00, 0xA000))))
    return rng.choice("abcXYZ019'/ \n\r\t.sStTlLmMeE")


def random_text(rng: random.Random) -> bytes:
    parts: list[bytes] = []
    for _ in range(rng.choice((1, 2, 3, 5, 8, 13))):
        kind = rng.randrange(12)
        if kind < 4:
            parts.append(rng.choice(WORDS).encode())
        elif kind < 7:
            parts.append(rng.choice(SPACES).encode())
        elif kind < 10:
            some = "".join(random_character(rng) for _ in range(rng.randrange(1, 7)))
            parts.append(some.encode())
        elif kind == 10:
            parts.append(rng.choice(BYTES))
        else:
            one = rng.choice([*WORDS, *SPACES, random_character(rng)])
            most = 400 if rng.randrange(50) == 0 else 30
            parts.append(one.encode() * rng.randrange(1, most))
    return b"".join(parts)


def random_texts(count: int, seed: int) -> Iterator[bytes]:
    rng = random.Random(seed)
    return (random_text(rng) for _ in range(count))


class Driver:
    """Ours, as a process: texts in, tokens out."""

    def __init__(self, program: str, encoding: str, *options: str) -> None:
        self.process = subprocess.Popen(
            [program, encoding, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def encode(self, texts: list[bytes]) -> list[array.array[int]]:
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None and stdout is not None
        found = []
        for at in range(0, len(texts), 64):  # little enough that neither side waits for the other
            batch = texts[at : at + 64]
            if sum(map(len, batch)) > 8_000:
                for text in batch:
                    found.append(self.one(text))
                continue
            stdin.write(b"".join(struct.pack("<I", len(text)) + text for text in batch))
            stdin.flush()
            found += [self.answer() for _ in batch]
        return found

    def one(self, text: bytes) -> array.array[int]:
        assert self.process.stdin is not None
        self.process.stdin.write(struct.pack("<I", len(text)) + text)
        self.process.stdin.flush()
        return self.answer()

    def answer(self) -> array.array[int]:
        assert self.process.stdout is not None
        head = self.process.stdout.read(4)
        assert len(head) == 4, "the driver ended"
        (count,) = struct.unpack("<I", head)
        return array.array("I", self.process.stdout.read(4 * count))


def known_to_both(texts: Iterable[bytes]) -> Iterator[bytes]:
    """Without what is newer than the tables of one side: tokenizers composes by Unicode 9, utf8proc by 15."""

    def old(character: str) -> bool:
        if unicodedata.category(character) == "Cn":
            return False
        newer = unicodedata.ucd_3_2_0.category(character) == "Cn"
        return not (newer and unicodedata.combining(character))

    for text in texts:
        if all(map(old, text.decode("utf-8", "replace"))):
            yield text


def reference_of(name: str, special: bool) -> Callable[[str], list[int]]:
    """tiktoken's encoding, or that of tokenizers where the name is a file's."""
    if name.endswith(".json"):
        import tokenizers

        file: Any = tokenizers.Tokenizer.from_file(name)
        file.encode_special_tokens = not special
        return lambda text: file.encode(text, add_special_tokens=False).ids
    import tiktoken  # after TIKTOKEN_CACHE_DIR is set

    encoding: Any = tiktoken.get_encoding(name)
    if special:
        return lambda text: encoding.encode(text, allowed_special="all")
    return encoding.encode_ordinary


def compare(name: str, driver: str, texts: Iterable[bytes], what: str, special: bool) -> int:
    reference = reference_of(name, special)
    ours = Driver(driver, name, *(["special"] if special else []))
    compared = size = tokens = mismatches = 0
    batch: list[bytes] = []

    def flush() -> None:
        nonlocal compared, size, tokens, mismatches
        for text, found in zip(batch, ours.encode(batch), strict=True):
            decoded = text.decode("utf-8", "replace")
            expected = reference(decoded)
            compared, size, tokens = compared + 1, size + len(text), tokens + len(expected)
            if found.tolist() != expected:
                mismatches += 1
                if mismatches <= 5:
                    print(
                        f"differs, {name}: {decoded[:200]!r}\n  {expected[:40]}\n  {found.tolist()[:40]}"
                    )
        batch.clear()

    for text in texts:
        batch.append(text)
        if len(batch) == 1024:
            flush()
    flush()
    print(
        f"{name}, {what}{', special tokens' if special else ''}: {compared} texts, {size / 1e6:.1f} MB,"
        f" {tokens} tokens, {mismatches} mismatches",
        flush=True,
    )
    return mismatches


def kinds_of_the_reference() -> int:
    """categories.txt against the reference's own regular expressions, every code point."""
    import tiktoken

    classes = {
        r"[\p{Lu}\p{Lt}]": "upper",
        r"\p{Ll}": "lower",
        r"[\p{Lm}\p{Lo}]": "letter",
        r"\p{M}": "mark",
        r"\p{N}": "number",
        r"[^\S\r\n]": "space",
        r"[\r\n]": "line_end",
    }
    ours: dict[str, set[str]] = {name: set() for name in classes.values()}
    for line in (ROOT / "core/data/tokens/categories.txt").read_text().splitlines():
        if not line.startswith("#"):
            first, last, name = line.split()
            ours[name] |= {chr(code) for code in range(int(first, 16), int(last, 16) + 1)}
    every = "".join(chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    bytes_alone = {bytes([byte]): byte for byte in range(256)}
    mismatches = 0
    for regex, name in classes.items():
        found: Any = tiktoken.Encoding(
            name, pat_str=regex, mergeable_ranks=bytes_alone, special_tokens={}
        )
        mismatches += len(set(found.decode(found.encode_ordinary(every))) ^ ours[name])
    print(f"kinds of characters: {len(every)} code points, {mismatches} mismatches", flush=True)
    return mismatches


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("driver")
    parser.add_argument("--megabytes", type=float, default=50)
    parser.add_argument("--strings", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", action="append", default=[])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        tiktoken_files(Path(cache))
        os.environ["TIKTOKEN_CACHE_DIR"] = cache
        mismatches = kinds_of_the_reference()
        for name in ENCODINGS:
            small = 20 if name == "o200k_harmony" else 1  # the same ranks and splitting
            texts = machine_texts(asked.megabytes / small, asked.folder)
            mismatches += compare(name, asked.driver, texts, "texts", False)
            strings = asked.strings // small
            mismatches += compare(
                name, asked.driver, random_texts(strings, asked.seed), "strings", False
            )
            strings = min(strings, 100_000)
            mismatches += compare(
                name, asked.driver, random_texts(strings, asked.seed + 1), "strings", True
            )
        for file in sorted((ROOT / "tests/vectors/tokens").glob("*.json")):
            texts = machine_texts(asked.megabytes / 50, asked.folder)
            mismatches += compare(str(file), asked.driver, texts, "texts", True)
            strings = min(asked.strings, 100_000)
            for special in (False, True):
                mismatches += compare(
                    str(file),
                    asked.driver,
                    known_to_both(random_texts(strings, asked.seed)),
                    "strings",
                    special,
                )
    print(f"{mismatches} mismatches")
    return 1 if mismatches else 0


if __name__ == "__main__":
    sys.exit(main())
