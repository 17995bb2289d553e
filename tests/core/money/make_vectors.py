"""Writes tests/vectors/money/{amounts,rates,costs}.txt from Python's Decimal and Fraction: python make_vectors.py

An independent reading: arbitrary precision here, 128 bits in the core. `refused.txt` beside them is written by hand.
"""

from __future__ import annotations

import json
import math
import random
from decimal import Decimal, getcontext
from fractions import Fraction
from pathlib import Path

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "money"
NANO = 10**9
ATTO = 10**18
INT64_MAX = 2**63 - 1
INT128_MAX = 2**127 - 1
RATE_ATTO_MAX = 10**27  # 10^9 USD, the largest that a rate's text may say
PERS = {
    "each": 1,
    "per thousand": 1000,
    "per million": 10**6,
    "per minute": 60_000,
    "per hour": 3_600_000,
}

getcontext().prec = 80


def plain(value: int, decimals: int) -> str:
    """Decimal text: at least two decimals, no trailing zeros beyond them."""
    digits = f"{Decimal(value).scaleb(-decimals):f}"
    whole, _, fraction = digits.partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"


def written(chance: random.Random, value: int, decimals: int) -> str:
    """One of the ways to write a positive amount."""
    whole, _, fraction = f"{Decimal(value).scaleb(-decimals):f}".partition(".")
    separator = chance.choice(["", "", ",", "_"])
    if separator:
        whole = f"{int(whole):,}".replace(",", separator)
    fraction = fraction.rstrip("0")
    fraction += "0" * chance.randint(0, decimals - len(fraction)) if chance.random() < 0.3 else ""
    number = f"{whole}.{fraction}" if fraction else whole
    return chance.choice(["{} USD", "${}", "USD {}", "{}USD", "USD{}", "  {}  USD "]).format(number)


def some_integer(chance: random.Random, largest: int) -> int:
    """Every size is as likely, round numbers are frequent."""
    value = chance.randint(0, 10 ** chance.randint(0, len(str(largest))))
    if chance.random() < 0.3:
        value = chance.randint(0, 99) * 10 ** chance.randint(0, len(str(largest)) - 2)
    return min(value, largest)


def amounts(chance: random.Random) -> list[list[object]]:
    rows: list[list[object]] = []
    edges = [
        0,
        1,
        9,
        10,
        NANO // 2,
        NANO - 1,
        NANO,
        NANO + 1,
        9 * 10**9 * NANO,
        INT64_MAX - 1,
        INT64_MAX,
    ]
    for nano in edges + [some_integer(chance, INT64_MAX) for _ in range(400)]:
        rows.append(["usd", json.dumps(written(chance, nano, 9)), nano, plain(nano, 9)])
    for nano in [
        -INT64_MAX - 1,
        *(-n for n in edges if n > 0),
        *(-some_integer(chance, INT64_MAX) for _ in range(100)),
    ]:
        rows.append(["written", json.dumps(""), nano, plain(nano, 9)])  # never read
    return rows


def rates(chance: random.Random) -> list[list[object]]:
    words = {per: word for word, per in PERS.items()}
    rows: list[list[object]] = []
    for atto in [0, 1, RATE_ATTO_MAX, *(some_integer(chance, RATE_ATTO_MAX) for _ in range(300))]:
        per = chance.choice([*PERS.values(), 10**12, chance.randint(1, 10**6)])
        canonical = f"{plain(atto, 18)} USD {words.get(per, f'per {per}')}"
        unit = chance.choice([words.get(per, f"per {per}"), f"per {per}", f"per {per:,}"])
        if per == 1000 and chance.random() < 0.5:
            unit = "per second"  # of a quantity in ms
        rows.append(
            [json.dumps(f"{written(chance, atto, 18).strip()} {unit}"), atto, per, canonical]
        )
    return rows


def costs(chance: random.Random) -> list[list[object]]:
    """rate texts and quantities; the sum rounded up, and half-even. Beyond 64 bits of nano: overflow."""
    sums: list[list[tuple[int, int, int]]] = [
        [],
        [(5 * 10**8, 1, 1)],  # half a nano: 0 is even
        [(15 * 10**8, 1, 1)],  # one and a half: to 2
        [(25 * 10**8, 1, 1)],  # two and a half: to 2
        [(5 * 10**8 + 1, 1, 1)],
        [(1, 10**12, 1)],  # the smallest there is still rounds up
        [(ATTO // 4, 10**6, 1234), (2 * ATTO, 10**6, 56)],
        [(ATTO, 3, 1), (ATTO, 3, 1), (ATTO, 3, 1)],  # three thirds are one
        [(ATTO, 3, 1), (ATTO, 7, 1), (ATTO, 10**6, 1)],
        [(NANO, 1, INT64_MAX)],
        [(NANO, 1, INT64_MAX), (1, 1, 1)],
        [(NANO, 1, INT64_MAX), (NANO // 2, 1, 1)],
        [(RATE_ATTO_MAX, 1, INT64_MAX)],
        [(ATTO, 10**12, INT64_MAX), (ATTO, 10**12 - 1, 5), (ATTO, 10**12 - 3, 7)],
    ]
    for _ in range(500):
        items = []
        for _ in range(chance.randint(1, 6)):
            per = chance.choice([10**6, 10**6, 10**6, 1, 1000, 60_000, chance.randint(1, 1000)])
            rate = some_integer(chance, 10**20)
            items.append((rate - rate % 10**6, per, some_integer(chance, 10**7)))
        sums.append(items)
    rows: list[list[object]] = []
    for items in sums:
        shown = " + ".join(
            f"{quantity} x {plain(atto, 18)} USD per {per}" for atto, per, quantity in items
        )
        rows.append([shown, *rounded(items)])
    return rows


def rounded(items: list[tuple[int, int, int]]) -> tuple[object, object]:
    nano = Fraction(0)
    denominator = 1
    for atto, per, quantity in items:
        nano += Fraction(atto * quantity, per * NANO)
        denominator = math.lcm(denominator, per)
        # The core sums over one denominator of 64 bits in a numerator of 128.
        if denominator > INT64_MAX or nano * NANO * denominator > INT128_MAX:
            return "overflow", "overflow"
    up, even = math.ceil(nano), round(nano)
    return (up if up <= INT64_MAX else "overflow"), (even if even <= INT64_MAX else "overflow")


def write(name: str, columns: str, rows: list[list[object]]) -> None:
    head = "# Written by tests/core/money/make_vectors.py; tab-separated, texts in double quotes as in JSON.\n"
    head += f"# {columns}\n"
    lines = ("\t".join(str(field) for field in row) + "\n" for row in rows)
    (VECTORS / name).write_text(head + "".join(lines))


def main() -> None:
    chance = random.Random(20261121)
    write("amounts.txt", "usd|written  text  nano  written back", amounts(chance))
    write("rates.txt", "text  10^-18 USD  per  written back", rates(chance))
    write(
        "costs.txt",
        "sum of quantity x rate  nano rounded up  nano rounded half-even; or overflow",
        costs(chance),
    )


if __name__ == "__main__":
    main()
