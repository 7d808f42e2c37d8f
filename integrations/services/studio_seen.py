"""Recorded messages in the studio: what a person may see of one, and the audit trail's line that they saw it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from integrations.engine.masking import Patterns, mask_value, patterns_of
from integrations.models import AuditEntry, Flow
from integrations.services.payload_view import payload_looked_at
from integrations.services.studio_sources import Recorded

AGAIN = timedelta(minutes=10)  # a live preview asks with each key pressed: one line counts for so long
READ = "read_payload"


@dataclass(frozen=True, slots=True)
class Sight:
    """What a person may see: `contents` of recorded messages at all, but for the fields of these names."""

    contents: bool
    patterns: Patterns = ()

    def shown(self, document: Any) -> Any:
        """A document with its masked fields as dots."""
        return mask_value(document, self.patterns)


def sight_of(*, flow: Flow, contents: bool, unmasked: bool) -> Sight:
    """`contents`: they may read payloads; `unmasked`: masked fields, too."""
    return Sight(contents, () if unmasked else patterns_of(flow))


def studio_seen(*, found: Recorded, sight: Sight, actor: str, address: str | None) -> None:
    """Note that a recorded message was shown to somebody; once in AGAIN for one message and person."""
    lately = AuditEntry.objects.filter(
        subject=f"instance:{found.instance.pk}", at__gte=timezone.now() - AGAIN, actor=actor, action=READ
    )
    masked = bool(sight.patterns)
    if not lately.filter(detail__digest=found.payload.pk, detail__masked=masked).exists():
        payload_looked_at(
            payload=found.payload,
            instance=found.instance,
            actor=actor,
            address=address,
            action=READ,
            masked=masked,
        )
