"""What a flow is sent: one JSON message, with a file where it comes as multipart."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from integrations.adapters.contract import Reader
from integrations.api.body import BodyStream, read_bounded
from integrations.api.errors import BadMultipart, WrongMediaType
from integrations.api.json import strict_loads, without_mark
from integrations.api.multipart import Part, Parts, boundary_of, header_parameters
from integrations.models import Payload
from integrations.storage import payload_put

REQUEST_PART, FILE_PART = "request", "file"
_CHARSETS = ("", "utf-8", "utf8", "us-ascii")
_LONGEST_TYPE = 100  # as Payload keeps it


@dataclass(frozen=True)
class InboundMessage:
    """A checked message: `content` is the JSON as it came, without a byte order mark."""

    content: bytes
    attachment: Payload | None = None
    attachment_name: str = ""


def body_limit(identifier: str) -> int:
    """How many bytes of JSON this flow takes: its own limit, else HUB_MAX_BODY."""
    limits: dict[str, int] = settings.HUB_MAX_BODY_BY_FLOW
    default: int = settings.HUB_MAX_BODY
    return limits.get(identifier, default)


def read_message(request: HttpRequest, *, multipart: bool, limit: int) -> InboundMessage:
    """The call's message. `multipart`: whether the flow takes a file; `limit`: bytes of JSON.

    Raises WrongMediaType, TooLarge, BadJson, BadMultipart or BodyCut; a file stored before the fault was found
    belongs to no instance and is swept.
    """
    content_type = request.META.get("CONTENT_TYPE", "")
    kind, _ = header_parameters(content_type)
    stream = BodyStream(request)
    if kind in ("multipart/form-data", "multipart/mixed") and multipart:
        return _from_parts(Parts(stream, boundary_of(content_type)), limit)
    _refuse_other_than_json(content_type, " or multipart/form-data" if multipart else "")
    return InboundMessage(_checked(stream, limit, "The body"))


def optional_json(request: HttpRequest) -> Any:
    """The JSON of a call whose body may be left out: {} then. Raises as `read_message` does."""
    content = read_bounded(BodyStream(request), settings.HUB_MAX_BODY)
    if not content.strip():
        return {}
    _refuse_other_than_json(request.META.get("CONTENT_TYPE", ""))
    return strict_loads(content)


def _refuse_other_than_json(content_type: str, also: str = "") -> None:
    kind, parameters = header_parameters(content_type)
    is_json = kind in ("", "application/json") or (kind.startswith("application/") and kind.endswith("+json"))
    if not is_json or parameters.get("charset", "").lower() not in _CHARSETS:
        raise WrongMediaType(
            f"The content type {content_type[:100]!r} is not read here",
            hint=f"Send application/json in UTF-8{also}.",
        )


def _from_parts(parts: Parts, limit: int) -> InboundMessage:
    """Part `request` and part `file`, in any order, others ignored. The file goes straight to the store."""
    content: bytes | None = None
    attachment: Payload | None = None
    name = ""
    for part in parts:
        if part.name == REQUEST_PART:
            _refuse_second(content, part)
            content = _checked(part, limit, "The part `request`")
        elif part.name == FILE_PART:
            _refuse_second(attachment, part)
            attachment, name = _stored(part), part.file_name
    if content is None:
        raise BadMultipart(
            "The part `request` is missing", hint="It holds the JSON message; `file` the file."
        )
    return InboundMessage(content, attachment, name)


def _refuse_second(first: object, part: Part) -> None:
    if first is not None:
        raise BadMultipart(f"There are two parts `{part.name}`")


def _stored(part: Part) -> Payload:
    kind, _ = header_parameters(part.content_type)
    return payload_put(part, content_type=kind[:_LONGEST_TYPE] or "application/octet-stream")


def _checked(stream: Reader, limit: int, what: str) -> bytes:
    content = read_bounded(stream, limit, what=what)
    strict_loads(content)
    return without_mark(content)
