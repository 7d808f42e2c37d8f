"""The texts of payloads in one answer: so many bytes and no more, and all that were shown in one audit entry."""

from integrations.engine.masking import Patterns, patterns_of
from integrations.models import Instance, Payload
from integrations.services.payload_view import bytes_read, payload_looked_at, payload_seen

SHOWN_BYTES = 64 * 1024  # of one payload; the console has the whole
ANSWER_BYTES = 20 * 1024 * 1024  # read for one answer
LEFT_OUT = "Left out: too much for one page. Ask for fewer lines, with limit and offset."


class PayloadTexts:
    """What one answer shows of an instance's payloads."""

    def __init__(self, instance: Instance, *, unmasked: bool) -> None:
        """`unmasked`: whether the caller may read masked fields."""
        self.instance = instance
        self.patterns: Patterns = () if unmasked else patterns_of(instance.flow)
        self.left = ANSWER_BYTES
        self.shown: dict[str, None] = {}  # digests, each once, in order

    def text_of(self, payload: Payload) -> str:
        """Its text, masked, cut after SHOWN_BYTES; why there is none, where it cannot be shown."""
        needed = bytes_read(payload, self.patterns, SHOWN_BYTES)
        if needed > self.left:
            return LEFT_OUT
        self.left -= needed
        seen = payload_seen(payload=payload, patterns=self.patterns, limit=SHOWN_BYTES)
        if seen.trouble:
            return seen.trouble
        self.shown[payload.digest] = None
        return seen.content.decode(errors="replace")

    def note(self, *, actor: str, address: str | None) -> None:
        """Write down who is shown which of them; before the answer goes out."""
        payload_looked_at(
            payload=None,
            instance=self.instance,
            actor=actor,
            address=address,
            action="payload_read",
            masked=bool(self.patterns),
            digests=list(self.shown),
        )
