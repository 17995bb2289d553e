"""A request, read: what is asked, of which model, how much at most. No answer is made here."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from . import form

JSON = dict[str, Any]

IMAGE_TOKENS_MAX = 85
IMAGES = ("image_url", "source", "inlineData")  # OpenAI's, Anthropic's, Gemini's

ENDPOINTS = {
    "chat/completions": "chat.completions",
    "responses": "responses",
    "responses/input_tokens": "responses.input_tokens",
    "embeddings": "embeddings",
    "completions": "completions",
    "moderations": "moderations",
    "images/generations": "images.generations",
    "images/edits": "images.edits",
    "images/variations": "images.variations",
    "audio/speech": "audio.speech",
    "audio/transcriptions": "audio.transcriptions",
    "audio/translations": "audio.translations",
    "videos": "videos",
    "messages": "messages",
    "messages/count_tokens": "messages.count_tokens",
}

# What Gemini's paths end with: /v1beta/models/NAME:generateContent
METHODS = {
    "generateContent": "generate_content",
    "streamGenerateContent": "generate_content",
    "countTokens": "count_tokens",
    "embedContent": "embed_content",
    "batchEmbedContents": "embed_content",
}

# Where a request's text is, per endpoint: what the model reads as input.
INPUTS = {
    "chat.completions": ("messages", "tools", "functions", "response_format"),
    "responses": ("input", "instructions", "tools", "text"),
    "responses.input_tokens": ("input", "instructions", "tools", "text"),
    "embeddings": ("input",),
    "completions": ("prompt",),
    "moderations": (),
    "images.generations": ("prompt",),
    "images.edits": ("prompt",),
    "images.variations": (),
    "audio.speech": ("input", "instructions"),
    "audio.transcriptions": ("prompt",),
    "audio.translations": ("prompt",),
    "videos": ("prompt",),
    "videos.remix": ("prompt",),
    "messages": ("system", "messages", "tools"),
    "messages.count_tokens": ("system", "messages", "tools"),
    "generate_content": ("systemInstruction", "contents", "tools"),
    "count_tokens": ("contents",),
    "embed_content": ("content", "requests"),
}

LIMITS = {
    "chat.completions": ("max_completion_tokens", "max_tokens"),
    "responses": ("max_output_tokens",),
    "completions": ("max_tokens",),
    "messages": ("max_tokens",),
    "generate_content": ("maxOutputTokens",),  # in generationConfig
}

KEYS = ("api-key", "x-api-key", "x-goog-api-key", "authorization")


@dataclass
class Ask:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    raw: bytes
    target: str = ""
    endpoint: str | None = None  # "chat.completions", ...; None: not one that is priced or known
    deployment: str | None = None  # Azure's
    azure: bool = False
    body: JSON = field(default_factory=dict)
    files: dict[str, list[bytes]] = field(default_factory=dict)  # of a form
    bad_json: bool = False
    model: str = ""
    stream: bool = False
    include_usage: bool = False
    limit: int | None = None
    limit_name: str = ""
    n: int = 1
    input_tokens: int = 0
    seed: int = 0  # the same for the same text, whatever limits or options were added

    @property
    def key_last4(self) -> str:
        """The last four characters of the API key; the rest is never kept."""
        given = next((self.headers[name] for name in KEYS if self.headers.get(name)), "")
        return given.rsplit(" ", 1)[-1][-4:]


def read(method: str, target: str, headers: dict[str, str], raw: bytes) -> Ask:
    path, _, query = target.partition("?")
    ask = Ask(method, path, parse_qs(query) if query else {}, headers, raw, target)
    ask.endpoint = _endpoint(ask)
    if method == "POST" and raw:
        _read_body(ask)
    return ask


def _endpoint(ask: Ask) -> str | None:
    path = ask.path
    if path.startswith("/v1/"):
        rest = path[4:]
    elif path.startswith("/openai/deployments/"):
        name, _, rest = path[20:].partition("/")
        ask.azure, ask.deployment = True, unquote(name)
    elif path.startswith("/openai/v1/"):
        ask.azure, rest = True, path[11:]
    else:
        rest = ""
    if rest.startswith("videos/") and rest.endswith("/remix"):
        return "videos.remix"
    return ENDPOINTS.get(rest.rstrip("/")) or _gemini(ask)


def _gemini(ask: Ask) -> str | None:
    """The model and whether it streams are in the path."""
    version, _, rest = ask.path[1:].partition("/models/")
    model, _, method = rest.partition(":")
    if not version.startswith("v1") or method not in METHODS:
        return None
    ask.model, ask.stream = unquote(model), method == "streamGenerateContent"
    return METHODS[method]


def _read_body(ask: Ask) -> None:
    kind = ask.headers.get("content-type", "")
    try:
        if kind.startswith("multipart/form-data"):
            body, ask.files = form.read(kind, ask.raw)
        else:
            body = json.loads(ask.raw)
    except ValueError:
        ask.bad_json = True
        return
    if not isinstance(body, dict):
        ask.bad_json = True
        return
    ask.body = body
    limits = body
    if ask.endpoint in METHODS.values():
        given = body.get("generationConfig")
        limits = given if isinstance(given, dict) else {}
        body = {**body, "n": limits.get("candidateCount")}
    else:
        model = body.get("model")
        ask.model = model if isinstance(model, str) else ""
        ask.stream = body.get("stream") is True or body.get("stream_format") == "sse"
    if ask.endpoint is None:
        return
    options = body.get("stream_options")
    ask.include_usage = isinstance(options, dict) and options.get("include_usage") is True
    for name in LIMITS.get(ask.endpoint, ()):
        limit = limits.get(name)
        if isinstance(limit, int):
            ask.limit, ask.limit_name = limit, name
            break
    n = body.get("n")
    ask.n = n if isinstance(n, int) and n > 0 else 1
    size, ask.seed = measure([body.get(name) for name in INPUTS[ask.endpoint]])
    ask.input_tokens = max(1, size // 4)


def measure(value: Any) -> tuple[int, int]:
    """The UTF-8 bytes of all text in a JSON value, and a hash of it. Token ids count four bytes each, an image
    at most 85 tokens: so a fourth of it never exceeds what a bound by bytes allows."""
    size = 0
    crc = 0
    stack = [value]
    while stack:
        item = stack.pop()
        if type(item) is str:
            data = item.encode("utf-8", "surrogatepass")
            crc = zlib.crc32(data, crc)
            size += len(data)
        elif type(item) is list:
            if item and type(item[0]) is int:  # token ids
                size += 4 * len(item)
                crc = zlib.crc32(repr(item).encode(), crc)
            else:
                stack.extend(reversed(item))
        elif type(item) is dict:
            image = next((item[name] for name in IMAGES if name in item), None)
            if image is not None:
                url = image.get("url", image.get("data", "")) if isinstance(image, dict) else image
                size += min(4 * IMAGE_TOKENS_MAX, len(url) if isinstance(url, str) else 0)
                crc = zlib.crc32(repr(url).encode(), crc)
            else:
                stack.extend(reversed(item.values()))
    return size, crc
