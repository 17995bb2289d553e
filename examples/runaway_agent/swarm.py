"""One of several processes of the demo's second part: eight threads that call until the cap refuses them."""

from __future__ import annotations

import sys
import threading

from openai import OpenAI

import farthing

THREADS = 8


def main(policy: str, url: str) -> None:
    guard = farthing.Guard(policy)
    client = guard.wrap(OpenAI(base_url=url), project="assistant", task="swarm")

    def call_until_refused() -> None:
        while True:
            try:
                client.chat.completions.create(
                    model="gpt-5-mini",
                    messages=[{"role": "user", "content": "Summarise the build log."}],
                    max_completion_tokens=300,
                )
            except farthing.CapExceeded:
                return

    threads = [threading.Thread(target=call_until_refused) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    guard.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
