"""/v1/embeddings, as floats and as base64. Vectors are made once per size: only their shape matters here."""

from __future__ import annotations

import base64
import math
from array import array
from functools import lru_cache

from .. import models
from ..ask import JSON, Ask, measure
from ..behaviour import Behaviour
from ..compose import Reply
from . import usage as usages

VARIANTS = 8


@lru_cache(maxsize=64)
def vector(dimensions: int, variant: int) -> tuple[list[float], str]:
    """A unit vector as numbers and as the base64 of its 32-bit floats."""
    numbers = array("f", (math.sin((index + 1) * (variant + 2)) for index in range(dimensions)))
    length = math.sqrt(sum(number * number for number in numbers)) or 1.0
    numbers = array("f", (number / length for number in numbers))
    return list(numbers), base64.b64encode(numbers.tobytes()).decode()


def plain(ask: Ask, do: Behaviour, reply: Reply) -> JSON:
    given = ask.body.get("input")
    inputs = (
        given if isinstance(given, list) and given and not isinstance(given[0], int) else [given]
    )
    wanted = ask.body.get("dimensions")
    dimensions = wanted if isinstance(wanted, int) else models.find(ask.model).dimensions or 1536
    form = 1 if ask.body.get("encoding_format") == "base64" else 0
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": vector(dimensions, measure(one)[1] % VARIANTS)[form],
        }
        for index, one in enumerate(inputs)
    ]
    body: JSON = {"object": "list", "data": data, "model": reply.model}
    return usages.put(body, usages.shown(usages.embeddings(reply.usage), do))
