"""What a shadow run found: per message, per field, and in all."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from integrations.models import Instance

KINDS = {
    "unchanged": "unchanged",
    "differs": "differ",
    "fails": "fail with the draft only",
    "failing": "fail with and without the draft",
    "mended": "fail without the draft, not with it",
    "unreadable": "could not be read",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A field that differs, its values as far as the person may see them.

    `field` is the same for all items of a list. Both it and `pointer` are "a field" where the name may quote contents.
    """

    pointer: str
    field: str
    kind: str
    old: Any = None
    new: Any = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What would become of one message; `kind` is one of KINDS, `key` names its source in the studio."""

    key: str
    instance: Instance
    label: str
    at: datetime
    kind: str
    fields: list[Shown] = field(default_factory=list)
    text: str = ""

    @property
    def said(self) -> str:
        """Its kind in a word or two."""
        return {"failing": "fails already", "unreadable": "not read"}.get(self.kind, self.kind)


@dataclass(frozen=True, slots=True)
class FieldTotal:
    """A field over all messages: in how many it differs, how, and the first that does."""

    field: str
    kinds: str
    messages: int
    example: Shown


@dataclass(frozen=True, slots=True)
class Shadow:
    """A run: its outcomes, how many messages were on record and asked for, its seconds, whether time ended it."""

    outcomes: list[Outcome]
    on_record: int
    wanted: int
    seconds: float
    late: bool = False

    @property
    def looked(self) -> int:
        """How many messages were looked at."""
        return len(self.outcomes)

    @property
    def totals(self) -> dict[str, int]:
        """How many of each kind, those there are."""
        counted = Counter(one.kind for one in self.outcomes)
        return {kind: counted[kind] for kind in KINDS if counted[kind]}

    @property
    def fields(self) -> list[FieldTotal]:
        """The fields that differ anywhere, the most frequent first."""
        found: dict[str, list[Shown]] = {}
        met: Counter[str] = Counter()
        for one in self.outcomes:
            for shown in one.fields:
                found.setdefault(shown.field, []).append(shown)
            met.update({shown.field for shown in one.fields})
        return [
            FieldTotal(name, ", ".join(sorted({one.kind for one in found[name]})), messages, found[name][0])
            for name, messages in met.most_common()
        ]
