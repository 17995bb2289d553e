"""/v1beta/models/NAME:embedContent and :batchEmbedContents. Older models tell no usage."""

from __future__ import annotations

from ..ask import JSON, Ask
from ..behaviour import Behaviour
from ..compose import Reply
from . import usage as usages
from .embeddings import vector

TELLING = "gemini-embedding-2"


def plain(ask: Ask, do: Behaviour, reply: Reply) -> JSON:
    values = {"values": vector(8, 0)[0]}
    batch = ask.path.endswith(":batchEmbedContents")
    body: JSON = (
        {"embeddings": [values for _ in ask.body.get("requests", [])]}
        if batch
        else {"embedding": values}
    )
    if not ask.model.startswith(TELLING):
        return body
    count = reply.usage.input_tokens
    told = {
        "promptTokenCount": count,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": count}],
    }
    return usages.put(body, usages.shown(told, do), "usageMetadata")
