"""The diagnostic zip of an instance: what somebody needs who was not there, and nothing that is secret."""

import json
import tempfile
import zipfile
from collections.abc import Iterator
from typing import IO, Any

from integrations.engine.masking import Patterns, patterns_of
from integrations.models import Instance, Payload
from integrations.services.audit import audit
from integrations.services.instance_story import story_of, story_text, versions_of
from integrations.services.payload_view import payload_seen

LARGEST = 1024 * 1024  # bytes of one payload
MOST_BYTES = 20 * 1024 * 1024  # of all of them
MOST_PAYLOADS = 200
IN_MEMORY = 2 * 1024 * 1024  # beyond, the zip is a temporary file
README = """An instance of Busbar, as it was when this file was made.

story.txt       what happened, line by line
story.json      the same as data, with attempts, steps, the error and resubmissions
versions.json   the hub, the flow, mappings, extensions, connections without secrets, lookups
payloads.json   which payload is what, and why one is missing
payloads/       the payloads kept, with masked fields as dots
"""


def instance_zip(*, instance: Instance, actor: str, address: str | None = None) -> IO[bytes]:
    """The zip, at its beginning; payloads are masked for everyone. The look at each is in the audit trail."""
    patterns = patterns_of(instance.flow)
    story = story_of(instance, patterns)
    made: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  (the answer closes it)
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README)
        archive.writestr("story.txt", story_text(story))
        archive.writestr("story.json", _json(story))
        archive.writestr("versions.json", _json(versions_of(instance)))
        listed = list(_put_payloads(archive, instance, patterns))
        archive.writestr("payloads.json", _json(listed))
    detail = {"masked": bool(patterns), "digests": [one["digest"] for one in listed if one["file"]]}
    audit(
        actor=actor, action="download_zip", subject=f"instance:{instance.pk}", detail=detail, address=address
    )
    made.seek(0)
    return made


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def _put_payloads(
    archive: zipfile.ZipFile, instance: Instance, patterns: Patterns
) -> Iterator[dict[str, Any]]:
    """Write each payload once; what each is, and why one was left out."""
    left, seen = MOST_BYTES, set[str]()
    for role, payload in _payloads(instance):
        if payload.digest in seen:
            continue
        seen.add(payload.digest)
        about = {"digest": payload.digest, "role": role, "size": payload.size, "type": payload.content_type}
        if payload.size > min(LARGEST, left):
            yield about | {"file": "", "left_out": "It is too large for this zip."}
            continue
        called = instance.attachment_name if payload.pk == instance.attachment_id else ""
        shown = payload_seen(payload=payload, patterns=patterns, name=called)
        if shown.trouble:
            yield about | {"file": "", "left_out": shown.trouble}
            continue
        left -= payload.size
        name = f"payloads/{len(seen):03}-{role}-{payload.digest[:12]}{_ending(payload)}"
        archive.writestr(name, shown.content)
        yield about | {"file": name, "left_out": ""}


def _payloads(instance: Instance) -> Iterator[tuple[str, Payload]]:
    for role in ("message_payload", "attachment", "answer"):
        if payload := getattr(instance, role):
            yield role.removesuffix("_payload"), payload
    lines = instance.activities.exclude(payload_in=None, payload_out=None)
    for line in lines.select_related("payload_in", "payload_out").order_by("pk")[:MOST_PAYLOADS]:
        for way, payload in (("out", line.payload_out), ("in", line.payload_in)):
            if payload is not None:
                yield f"{line.kind}-{way}", payload


def _ending(payload: Payload) -> str:
    kind = payload.content_type
    return next((f".{name}" for name in ("json", "xml", "csv") if name in kind), ".bin")
