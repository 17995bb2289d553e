"""A text read aloud, sentence by sentence, until the cap on speech is used up: one cent a day.

OPENAI_API_KEY=sk-... python -m examples.speech     writes speech-1.mp3, speech-2.mp3, ...
"""

from __future__ import annotations

import sys
from pathlib import Path

from openai import OpenAI

import farthing

POLICY = Path(__file__).parents[1] / "farthing.toml"
SENTENCES = [
    "A farthing was a quarter of a penny, and the smallest coin of the realm for seven hundred years. "
    "It bought little, but it had to be counted all the same.",
] * 8


def main(folder: Path) -> None:
    guard = farthing.Guard(POLICY)
    client = guard.wrap(OpenAI())
    try:
        for number, sentence in enumerate(SENTENCES, 1):
            spoken = client.audio.speech.create(model="tts-1", voice="alloy", input=sentence)
            file = folder / f"speech-{number}.mp3"
            file.write_bytes(spoken.content)
            receipt = guard.receipt(spoken)
            assert receipt is not None
            characters = receipt.quantities["characters"]
            print(f"{file.name}   {characters} characters, {receipt.cost_usd} USD")
    except farthing.CapExceeded as refused:
        print(f"stopped before sentence {number}:\n{refused}")
    guard.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path.cwd())
