"""Payloads as the console shows them: escaped text up to a bound, or a file the browser does not open."""

import re
from collections.abc import Iterator
from typing import Any

from django.http import HttpResponseBase, StreamingHttpResponse

from integrations.adapters.contract import CHUNK
from integrations.models import Payload
from integrations.present import pretty_json
from integrations.storage import payload_bytes, payload_open

SHOWN = 256 * 1024  # bytes of a payload on a page
EDITED_UP_TO = 256 * 1024  # bytes of a message that can be edited in a page
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


def payload_text(payload: Payload) -> str:
    """A message as it is edited: JSON indented."""
    return pretty_json(payload_bytes(payload))


def preview(payload: Payload) -> dict[str, Any]:
    """`text` and whether it was `cut`; `trouble` where the bytes cannot be read."""
    try:
        content = payload_bytes(payload, SHOWN + 1)
    except OSError as error:
        return {"text": "", "cut": False, "trouble": f"The payload cannot be read: {error}"}
    cut = len(content) > SHOWN
    text = content[:SHOWN].decode("utf-8", "replace") if cut else pretty_json(content)
    return {"text": text.replace("\x00", "␀"), "cut": cut, "trouble": ""}


def _chunks(payload: Payload) -> Iterator[bytes]:
    with payload_open(payload) as reader:
        while chunk := reader.read(CHUNK):
            yield chunk


def download(payload: Payload, name: str = "") -> HttpResponseBase:
    """The bytes as an attachment under a safe name; no browser renders it (docs/security.md, S15)."""
    safe = _UNSAFE.sub("_", name).lstrip(".")[:150] or f"{payload.digest[:16]}{_ending(payload.content_type)}"
    return StreamingHttpResponse(
        _chunks(payload),
        content_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="{safe}"',
            "Content-Length": str(payload.size),
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Cache-Control": "no-store",
        },
    )


def _ending(content_type: str) -> str:
    known = {"application/json": ".json", "text/csv": ".csv", "text/xml": ".xml", "application/xml": ".xml"}
    return known.get(content_type.partition(";")[0].strip(), ".bin")
