"""Measures hidden prompts in the recorded traffic: how far do input tokens exceed the request's bytes?

    python tests/core/wire/measure_overheads.py

One line per provider and model, largest excess first. The table in core/src/wire/overheads.cpp is twice the largest
excess of a profile, at least 64 (R31); a negative one says how far the bytes are from being exceeded. Calls with media,
remote input or tools of the provider are left out: there bytes are no bound.
"""

import gzip
import json
import pathlib

RECORDED = pathlib.Path(__file__).parents[2] / "recorded"
ENDPOINTS = {"chat.completions", "responses", "embeddings", "completions", "messages"}
CLIENT_TOOLS = {None, "function", "custom", "local_shell", "apply_patch", "shell"}
UNSEEN = ('"image_url"', '"file_id"', '"input_audio"', '"file_data"', '"previous_response_id": "', '"conversation": "',
          '"type": "image"', '"type": "document"')  # fmt: skip


def usage_of(call):
    """The last usage told, Anthropic's parts of input added up."""
    bodies = [call["response"]]
    if call["sse"]:
        bodies = [line[5:] for line in call["response"].splitlines() if line.startswith("data:")]
    found = None
    for text in bodies:
        try:
            body = json.loads(text)
        except ValueError:
            continue
        for place in (body, body.get("response"), body.get("message"), body.get("x_groq")):
            usage = place.get("usage") if isinstance(place, dict) else None
            if usage and (usage.get("prompt_tokens") or usage.get("input_tokens")):
                found = usage
    if found is None:
        return None
    cached = sum(
        found.get(name) or 0 for name in ("cache_read_input_tokens", "cache_creation_input_tokens")
    )
    return (found.get("prompt_tokens") or found.get("input_tokens")) + cached


def main():
    worst = {}
    for file in sorted(RECORDED.glob("*.jsonl.gz")):
        for line in gzip.open(file, "rt", encoding="utf-8"):
            call = json.loads(line)
            if call["endpoint"] not in ENDPOINTS:
                continue
            body = json.loads(call["request"])
            tokens = usage_of(call)
            if tokens is None or any(word in json.dumps(body) for word in UNSEEN):
                continue
            if any(tool.get("type") not in CLIENT_TOOLS for tool in body.get("tools") or []):
                continue
            excess = tokens - len(call["request"].encode())
            with_what = ("tools" if body.get("tools") else "") + (
                " schema" if "json_schema" in call["request"] else ""
            )
            key = (call["provider"], body.get("model", "-"), with_what)
            worst[key] = max(worst.get(key, -(10**9)), excess)
    for key, excess in sorted(worst.items(), key=lambda entry: -entry[1]):
        print(f"{excess:8d}  {' '.join(key)}")


if __name__ == "__main__":
    main()
