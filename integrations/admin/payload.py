"""Payloads as the console shows them: escaped text up to a bound, or a file the browser does not open."""

import re
from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

from integrations.adapters.contract import CHUNK
from integrations.differences import readable
from integrations.models import Payload
from integrations.services.payload_view import Seen
from integrations.storage import payload_open

SHOWN = 256 * 1024  # bytes of a payload on a page
EDITED_UP_TO = 256 * 1024  # bytes of a message that can be edited in a page
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_ENDINGS = {"application/json": ".json", "text/csv": ".csv", "text/xml": ".xml", "application/xml": ".xml"}


def text_of(seen: Seen) -> str:
    """What was seen, indented where it is whole."""
    text = seen.content.decode("utf-8", "replace") if seen.cut else readable(seen.content)
    return text.replace("\x00", "␀")


def preview(seen: Seen) -> dict[str, Any]:
    """`text`, whether it was `cut` or `masked`; `trouble` where there is nothing to show."""
    return {"text": text_of(seen), "cut": seen.cut, "masked": seen.masked, "trouble": seen.trouble}


def _chunks(payload: Payload) -> Iterator[bytes]:
    with payload_open(payload) as reader:
        while chunk := reader.read(CHUNK):
            yield chunk


def download(payload: Payload, name: str = "") -> HttpResponseBase:
    """The bytes as an attachment under a safe name; no browser renders it (docs/security.md, S15)."""
    headers = _headers(name or _name_of(payload), payload.size)
    return StreamingHttpResponse(_chunks(payload), content_type="application/octet-stream", headers=headers)


def download_masked(payload: Payload, seen: Seen, name: str = "") -> HttpResponseBase:
    """What may be seen of it, as such an attachment."""
    headers = _headers(f"masked-{name or _name_of(payload)}", len(seen.content))
    return HttpResponse(seen.content, content_type="application/octet-stream", headers=headers)


def _headers(name: str, size: int) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="{safe_name(name)}"',
        "Content-Length": str(size),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "no-store",
    }


def safe_name(name: str) -> str:
    """A file's name that no header and no file system trips over."""
    return _UNSAFE.sub("_", name).lstrip(".")[:150] or "payload"


def _name_of(payload: Payload) -> str:
    kind = payload.content_type.partition(";")[0].strip()
    return f"{payload.digest[:16]}{_ENDINGS.get(kind, '.bin')}"
