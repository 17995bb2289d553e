"""Makes what is compiled in of core/data/tokens/: python make_tokens.py INPUT OUTPUT

NAME.gz         a vocabulary: unpacked, nothing else
categories.txt  two tables for Kinds (kinds.h): u16 per block of 64 code points, which of the different blocks it is;
                then 64 bytes per different block, one per code point
"""

from __future__ import annotations

import gzip
import struct
import sys
from pathlib import Path

# The bits of kinds.h.
BITS = {
    "upper": 1,
    "lower": 2,
    "letter": 4,
    "mark": 8,
    "number": 16,
    "space": 32,
    "line_end": 64,
    "other": 128,
}
BLOCK = 64
CODE_POINTS = 0x110000


def tables(text: str) -> bytes:
    kinds = bytearray([BITS["other"]]) * CODE_POINTS
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        first, last, name = line.split()
        for code_point in range(int(first, 16), int(last, 16) + 1):
            kinds[code_point] = BITS[name]
    places: dict[bytes, int] = {}
    blocks = [bytes(kinds[at : at + BLOCK]) for at in range(0, CODE_POINTS, BLOCK)]
    which = [places.setdefault(block, len(places)) for block in blocks]
    return struct.pack(f"<{len(which)}H", *which) + b"".join(places)


def main(source: Path, target: Path) -> None:
    if source.suffix == ".gz":
        target.write_bytes(gzip.decompress(source.read_bytes()))
    else:
        target.write_bytes(tables(source.read_text()))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
