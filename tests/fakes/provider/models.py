"""What the fake knows of each model: the dated name it serves, and the limits it enforces as the real one does."""

from __future__ import annotations

from typing import NamedTuple


class Model(NamedTuple):
    served: str  # the dated name in the answer
    context: int  # tokens
    output_max: int  # tokens
    reasoning: bool = False
    dimensions: int = 0  # of embeddings


def _model(served: str, context: int, output_max: int, reasoning: bool = False) -> Model:
    return Model(served, context, output_max, reasoning)


MODELS: dict[str, Model] = {
    "gpt-5": _model("gpt-5-2025-08-07", 400_000, 128_000, True),
    "gpt-5-mini": _model("gpt-5-mini-2025-08-07", 400_000, 128_000, True),
    "gpt-5-nano": _model("gpt-5-nano-2025-08-07", 400_000, 128_000, True),
    "o3": _model("o3-2025-04-16", 200_000, 100_000, True),
    "o4-mini": _model("o4-mini-2025-04-16", 200_000, 100_000, True),
    "gpt-4.1": _model("gpt-4.1-2025-04-14", 1_047_576, 32_768),
    "gpt-4.1-mini": _model("gpt-4.1-mini-2025-04-14", 1_047_576, 32_768),
    "gpt-4.1-nano": _model("gpt-4.1-nano-2025-04-14", 1_047_576, 32_768),
    "gpt-4o": _model("gpt-4o-2024-08-06", 128_000, 16_384),
    "gpt-4o-mini": _model("gpt-4o-mini-2024-07-18", 128_000, 16_384),
    "gpt-3.5-turbo": _model("gpt-3.5-turbo-0125", 16_385, 4_096),
    "gpt-3.5-turbo-instruct": _model("gpt-3.5-turbo-instruct", 4_096, 4_096),
    "davinci-002": _model("davinci-002", 16_384, 16_384),
    "text-embedding-3-small": Model("text-embedding-3-small", 8_192, 0, dimensions=1536),
    "text-embedding-3-large": Model("text-embedding-3-large", 8_192, 0, dimensions=3072),
    "text-embedding-ada-002": Model("text-embedding-ada-002-v2", 8_192, 0, dimensions=1536),
}

# Of videos: asked for by name, listed nowhere.
VIDEOS: dict[str, Model] = {
    "sora-2": _model("sora-2-2025-12-08", 4_000, 0),
    "sora-2-pro": _model("sora-2-pro-2025-10-06", 4_000, 0),
}

# Of other providers, which `GET /v1/models` of this one does not list.
OTHERS: dict[str, Model] = {
    "claude-haiku-4-5": _model("claude-haiku-4-5-20251001", 200_000, 64_000),
    "claude-sonnet-4-5": _model("claude-sonnet-4-5-20250929", 200_000, 64_000),
    "gemini-2.5-flash": _model("gemini-2.5-flash", 1_048_576, 65_536, True),
    "gemini-2.5-flash-lite": _model("gemini-2.5-flash-lite", 1_048_576, 65_536),
}

_BY_SERVED = {
    model.served: model for model in (*MODELS.values(), *VIDEOS.values(), *OTHERS.values())
}


def find(name: str) -> Model:
    """The model of that name or dated name; any other name is served as it is, with wide limits."""
    known = MODELS.get(name) or VIDEOS.get(name) or OTHERS.get(name) or _BY_SERVED.get(name)
    if known is not None:
        return known
    for family, model in MODELS.items():  # another date of a known model: gpt-4o-2024-05-13
        if name.startswith(family + "-20"):
            return model._replace(served=name)
    return Model(name, 10_000_000, 10_000_000, dimensions=1536)
