"""Writes tests/vectors/tokens/ with the reference: python tests/core/tokens/make_vectors.py [FOLDER]

Runs where tiktoken and tokenizers are (scripts/setup tokens). The models of tokenizer.json files are trained here.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))
from tests.tokens import differential  # noqa: E402

TEXTS = [
    "",
    "Hello, world",
    "hello   world \n\n  and\tmore\r\n \r\n  ",
    "I'm sure they'LL say it's 'SO, we'Ve HE'D x'\u017f 'tis",
    "HTTPServer iPhoneX camelCase ABCdef ABC aB",
    "\u4e2dABC \u4e2d\u6587abc ABC\u4e2d\u6587 \u65e5\u672c\u8a9e\u306e\u30c6\u30b9\u30c8\u3067\u3059\u3002",
    "\u0301\u0301 \u0301AB \u0301Ab a\u0301B !\u0301x \u01c5a \u02b0A A\u02b0",
    "1 12 123 1234 12345678 \uff11\uff12\uff13\uff14 \u2167 \u00bd",
    "path//to/x //\r\n/ !!!\n\n ?? ... \n.\n",
    "\u0420\u0443\u0441\u0441\u043a\u0438\u0439 \u0442\u0435\u043a\u0441\u0442, \u0401\u0416 \u0438 \u0449\u0438",
    "\U0001f44d\U0001f3fd \U0001f468\u200d\U0001f469\u200d\U0001f467 \U00020000\U0010ffff",
    "\u00a0\u3000 x\u00a0y \u2028\u0085z \x0b\x0c \u1680",
    '{"role":"user","content":[{"type":"text","text":"Hi\\n"}],"max_tokens":1000}',
    "def f(x):\n    return [i ** 2 for i in range(x)]  # squares\n\n\n",
    "<|endoftext|><|start|>user<|message|>Hi<|end|><|endofprompt|><|fim_prefix|>",
    "a" * 300,
    " " * 300 + "x",
    "ab" * 200,
    "=" * 200 + "\n" * 130,
]
RANDOM = 40  # more, made at random

CORPUS = [
    "the quick brown fox jumps over the lazy dog's back, isn't it? 12345 times; they'll see.",
    "def encode(text): return [ranks[token] for token in split(text)]\n    if x == 100: pass\n\n",
    "\u043a\u043e\u0442 \u0438 \u043a\u0438\u0442 \u4e2d\u6587\u4e2d\u6587 caf\u00e9 na\u00efve THE END \u00a0 ok  ok",
] * 20
SMALL_TEXTS = [
    "the brown dog's  end\n\n text they'LL 12345",
    "\u4e2d\u6587 caf\u00e9 \u043a\u043e\u0442 <s>the</s> \U0001f44d",
    "   x\n  y \r\n",
    "encodeencode ranksplit ok<|pad|>ok THEEND thethethe",
]
MORE_TEXTS = [
    "cafe\u0301 e\u0301<tool> \u00e9<tool> <|pad|>\u0338 >\u0338 \u212b \u1e9b\u0323 a\u0327\u030a\u0301",
    "\u1100\u1161\u11a8 \uac00\u11a8 \u0344 \u0958 \u2126 \ufb33 \U0002f800 \U0001d15e",
    "x\u65e5\u672c\u8a9e12 \u4e2d\u6587\u3001 \u3042\u3099\u30fc \u30fb  \u4e2d  5\n\n7 \n\u4e2d",
    "(foo) ((bar #include <a> \u00abfoo\u00bb \u20acx $x ''x \u2014\u2014\r\n\n x \t(y \u3000z",
    "\u200dx \u200d\u200d\u0301 \u200d1 \u0000\u0001ab\u0002 \u200b\u200b(\ue000 \u0378\u4e00\u0378",
]


def quoted(text: str) -> str:
    return json.dumps(text)


def random_texts() -> list[str]:
    rng = random.Random(7)
    made: list[str] = []
    while len(made) < RANDOM:
        text = differential.random_text(rng).decode("utf-8", "replace")
        if 10 < len(text) < 60:
            made.append(text)
    return made


def encodings(folder: Path) -> None:
    import tiktoken

    lines = ["# encoding  ordinary|special  text  tokens"]
    for name in differential.ENCODINGS:
        encoding: Any = tiktoken.get_encoding(name)
        for text in TEXTS + random_texts():
            ids = encoding.encode_ordinary(text)
            lines.append(f"{name}\tordinary\t{quoted(text)}\t{' '.join(map(str, ids))}")
            if "<|" in text:
                ids = encoding.encode(text, allowed_special="all")
                lines.append(f"{name}\tspecial\t{quoted(text)}\t{' '.join(map(str, ids))}")
    write(folder / "encodings.txt", lines)


def invalid(folder: Path) -> None:
    rng = random.Random(8)
    lines = ["# bytes in hex  what Python's decode('utf-8', 'replace') makes of them"]
    fixed = [
        b"\xff",
        b"a\xc0\x80b",
        b"\xe2\x82",
        b"\xe2\x82x",
        b"\xed\xa0\x80",
        b"\xf0\x9f\x91",
        b"\xf4\x90\x80\x80",
        b"\xf0\x80\x80\x80",
    ]
    some = [
        b"\xe0\x80\x80",
        b"\xc3",
        b"\xc3\xc3\xa9",
        b"\xf0\x9f\x91\x8d\xf0\x9f",
        b"ab\x80\x80cd\xf8\x88",
        b"\xef\xbf\xbe",
    ]
    made = [
        bytes(rng.choice(b"a\x80\x9f\xa0\xbf\xc2\xe0\xe1\xed\xf0\xf1\xf4\xf5") for _ in range(8))
        for _ in range(40)
    ]
    for data in fixed + some + made:
        lines.append(f"{data.hex()}\t{quoted(data.decode('utf-8', 'replace'))}")
    write(folder / "invalid.txt", lines)


def files(folder: Path) -> None:
    import tokenizers
    from tokenizers import (
        AddedToken,
        Regex,
        decoders,
        models,
        normalizers,
        pre_tokenizers,
        trainers,
    )

    llama = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+"
    )
    deepseek = (
        r"\p{N}{1,3}",
        "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
        r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"""
        "|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
    )
    qwen = llama.replace("{1,3}", "")
    ways = {
        "gpt2": pre_tokenizers.ByteLevel(add_prefix_space=False),
        "llama": pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(llama), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        ),
        "qwen": pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(qwen), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        ),
        "deepseek": pre_tokenizers.Sequence(
            [
                *(pre_tokenizers.Split(Regex(one), "isolated") for one in deepseek),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        ),
    }
    lines = ["# file  text  tokens, special ones as tokens"]
    for name, way in ways.items():
        tokenizer: Any = tokenizers.Tokenizer(models.BPE(ignore_merges=name == "llama"))
        tokenizer.pre_tokenizer = way
        if name == "qwen":
            tokenizer.normalizer = normalizers.NFC()
        if name == "deepseek":
            tokenizer.normalizer = normalizers.Sequence([])
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=450,
            show_progress=False,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            special_tokens=["<s>", "</s>"],
        )
        tokenizer.train_from_iterator(CORPUS, trainer)
        tokenizer.add_tokens([AddedToken("<|pad|>", normalized=False)])
        if name == "qwen":
            tokenizer.add_tokens([AddedToken("\u00e9<tool>", normalized=True)])
        tokenizer.save(str(folder / f"{name}.json"), pretty=False)
        for text in TEXTS + SMALL_TEXTS + (MORE_TEXTS if name in ("qwen", "deepseek") else []):
            ids = tokenizer.encode(text, add_special_tokens=False).ids
            lines.append(f"{name}.json\t{quoted(text)}\t{' '.join(map(str, ids))}")
    write(folder / "files.txt", lines)


def write(path: Path, lines: list[str]) -> None:
    head = "# Written by tests/core/tokens/make_vectors.py; tab-separated, texts in double quotes as in JSON."
    path.write_text("\n".join([head, *lines]) + "\n")


def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as cache:
        differential.tiktoken_files(Path(cache))
        os.environ["TIKTOKEN_CACHE_DIR"] = cache
        encodings(folder)
    invalid(folder)
    files(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "tests" / "vectors" / "tokens")
