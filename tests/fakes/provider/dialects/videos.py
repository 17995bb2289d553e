"""/v1/videos and /v1/videos/ID/remix: the job, as it is answered at first."""

from __future__ import annotations

from .. import pieces
from ..ask import JSON, Ask
from ..behaviour import Behaviour
from ..compose import Reply


def plain(ask: Ask, do: Behaviour, reply: Reply) -> JSON:
    video = pieces.video(ask)
    return {
        "id": reply.id,
        "object": "video",
        "created_at": reply.created,
        "completed_at": None,
        "error": None,
        "expires_at": None,
        "model": reply.model,
        "progress": 0,
        "prompt": ask.body.get("prompt"),
        "remixed_from_video_id": ask.body.get("remixed_from_video_id"),
        "seconds": video["seconds"],
        "size": video["size"],
        "status": "queued",
    }
