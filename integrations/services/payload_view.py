"""Looking at a payload: with its masked fields as dots but for who may read them, and never without a trace."""

from collections.abc import Sequence
from dataclasses import dataclass

from integrations.engine.masking import WITHHELD, CannotMask, Patterns, mask, patterns_of
from integrations.models import Instance, Payload
from integrations.services.audit import audit
from integrations.storage import StorageError, payload_bytes

READ_MASKED = "integrations.read_masked"
MASKED_UP_TO = 16 * 1024 * 1024  # bytes that are searched for masked fields in memory
TOO_LARGE = (
    "Withheld: fields of this flow are masked, and this content is too large to be searched for them. Who may read "
    "masked fields can download it."
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What may be shown. `masked`: masks were applied; `trouble`: why there is nothing, as a sentence."""

    content: bytes = b""
    cut: bool = False
    masked: bool = False
    trouble: str = ""


def payload_view(
    *,
    payload: Payload,
    instance: Instance,
    actor: str,
    unmasked: bool,
    address: str | None = None,
    action: str = "read_payload",
    limit: int | None = None,
) -> Seen:
    """An instance's payload as this person may see it, its first `limit` bytes; the look is in the audit trail.

    `unmasked`: whether they may read masked fields. Nothing is raised for bytes that cannot be read: `trouble` says it.
    """
    patterns = () if unmasked else patterns_of(instance.flow)
    payload_looked_at(
        payload=payload,
        instance=instance,
        actor=actor,
        address=address,
        action=action,
        masked=bool(patterns),
    )
    name = instance.attachment_name if payload.pk == instance.attachment_id else ""
    return payload_seen(payload=payload, patterns=patterns, limit=limit, name=name)


def payload_looked_at(
    *,
    payload: Payload | None,
    instance: Instance,
    actor: str,
    address: str | None,
    action: str,
    masked: bool,
    digests: Sequence[str] = (),
) -> None:
    """Note who looked at which payload of which instance, or at which several, and whether behind the masks."""
    which: dict[str, object] = {"digest": payload.digest} if payload else {"digests": list(digests)}
    detail = which | {"masked": masked}
    audit(actor=actor, action=action, subject=f"instance:{instance.pk}", detail=detail, address=address)


def payload_seen(*, payload: Payload, patterns: Patterns, limit: int | None = None, name: str = "") -> Seen:
    """The content with the fields of these names as dots; for callers that have noted the look themselves.

    `name`: of the file it is, if it is one.
    """
    try:
        if not patterns:
            return _plain(payload, limit)
        return _masked(payload, patterns, limit, name)
    except (OSError, StorageError) as error:
        return Seen(trouble=f"The payload cannot be read: {error}")


def bytes_read(payload: Payload, patterns: Patterns, limit: int) -> int:
    """How many bytes `payload_seen` takes into memory for the first `limit`: what is masked is read as a whole."""
    whole = bool(patterns) and payload.size <= MASKED_UP_TO
    return payload.size if whole else min(payload.size, limit)


def _plain(payload: Payload, limit: int | None) -> Seen:
    content = payload_bytes(payload, None if limit is None else limit + 1)
    cut = limit is not None and len(content) > limit
    return Seen(content[:limit] if cut else content, cut=cut)


def _masked(payload: Payload, patterns: Patterns, limit: int | None, name: str) -> Seen:
    """Masked as a whole, then cut: half a document cannot be searched. Of a large one, whole lines may do."""
    large = payload.size > MASKED_UP_TO
    if large and limit is None:
        return Seen(masked=True, trouble=TOO_LARGE)
    content = payload_bytes(payload, limit if large else None)
    if large:
        content = content[: content.rfind(b"\n") + 1]
    try:
        shown = mask(content, payload.content_type, patterns, name)
    except CannotMask:
        return Seen(masked=True, trouble=TOO_LARGE if large else WITHHELD)
    cut = large or (limit is not None and len(shown) > limit)
    return Seen(shown[:limit], cut=cut, masked=True)
