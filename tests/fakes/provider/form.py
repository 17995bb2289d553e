"""multipart/form-data, read by the standard library: what an upload's fields and files are."""

from __future__ import annotations

from email.parser import BytesParser
from email.policy import HTTP
from typing import Any


def read(content_type: str, raw: bytes) -> tuple[dict[str, Any], dict[str, list[bytes]]]:
    """Fields by name (the last one counts, "true" and whole numbers as JSON has them), and files."""
    head = f"content-type: {content_type}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + raw)
    fields: dict[str, Any] = {}
    files: dict[str, list[bytes]] = {}
    for part in message.iter_parts():
        name = str(part.get_param("name", header="content-disposition")).removesuffix("[]")
        content = part.get_payload(decode=True)
        data = content if isinstance(content, bytes) else b""
        if part.get_filename() is not None:
            files.setdefault(name, []).append(data)
        else:
            fields[name] = _value(data.decode())
    return fields, files


def _value(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.isdigit() else text
