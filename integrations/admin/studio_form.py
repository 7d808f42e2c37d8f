"""What a person has in the studio's form: the draft, the source it is tried on, and the reason."""

import json
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, QueryDict

from integrations.engine.faults import Fault, InvalidMessage
from integrations.models import Mapping, MappingExtension
from integrations.services.extension_save import version_of
from integrations.services.studio_sources import document_of
from integrations.services.studio_try import Draft

SAMPLE, PASTED = "sample", "pasted"
LARGEST_POSITION = 2**31 - 1


@dataclass
class StudioForm:
    """The fields as texts, so that what cannot be read is shown again as it was entered; `errors`: field → sentence."""

    mapping: Mapping
    row: MappingExtension | None = None
    pointer: str = ""
    expression: str = ""
    position: str = "0"
    active: bool = True
    sample: str = ""
    pasted: str = ""
    source: str = ""
    reason: str = ""
    seen: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_row(cls, mapping: Mapping, row: MappingExtension | None) -> "StudioForm":
        """As an extension is saved; an empty one for a new one."""
        if row is None:
            return cls(mapping)
        return cls(
            mapping,
            row,
            pointer=row.pointer,
            expression=row.expression,
            position=str(row.position),
            active=row.active,
            sample=json.dumps(row.sample, indent=2, ensure_ascii=False) if row.sample else "",
            seen=str(version_of(row)),
        )

    @classmethod
    def of_post(cls, mapping: Mapping, row: MappingExtension | None, given: QueryDict) -> "StudioForm":
        """As it was posted; a button of a tree that was pressed without JavaScript does its part first."""
        form = cls(
            mapping,
            row,
            pointer=given.get("pointer", "").strip(),
            expression=given.get("expression", "").replace("\r\n", "\n"),
            position=given.get("position", "").strip() or "0",
            active="active" in given,
            sample=given.get("sample", "").replace("\r\n", "\n"),
            pasted=given.get("pasted", "").replace("\r\n", "\n"),
            source=given.get("source", ""),
            reason=given.get("reason", "").strip(),
            seen=given.get("seen", ""),
        )
        form.pointer = given.get("point", form.pointer)
        if inserted := given.get("insert"):
            form.expression = f"{form.expression} {inserted}".strip()
        form.check()
        return form

    def check(self) -> None:
        """Note what cannot be read."""
        number = self.position
        if not (number.isascii() and number.isdigit() and int(number[:12]) <= LARGEST_POSITION):
            self.errors["position"] = f"The position is {number[:20]!r}; it is a whole number from 0"
        if len(self.pointer) > 300:  # noqa: PLR2004  (the column's length)
            self.errors["pointer"] = "A pointer has at most 300 characters"
        try:
            self.sample_document()
        except Fault as fault:
            self.errors["sample"] = fault.text

    @property
    def draft(self) -> Draft:
        """As it is tried; a position that cannot be read counts as 0."""
        return Draft(
            self.mapping,
            self.row.pk if self.row else None,
            self.pointer,
            self.expression,
            0 if "position" in self.errors else int(self.position),
            self.active,
        )

    def sample_document(self) -> Any:
        """The sample's JSON, {} where it is empty; InvalidMessage where it is none."""
        return document_of(self.sample.encode()) if self.sample.strip() else {}

    def pasted_document(self) -> Any:
        """The pasted JSON; InvalidMessage where there is none."""
        if not self.pasted.strip():
            raise InvalidMessage("Paste a source message as JSON to try the draft on")
        return document_of(self.pasted.encode())

    def filled(self) -> MappingExtension:
        """The extension with what was entered, not saved."""
        row = self.row or MappingExtension(mapping=self.mapping)
        draft = self.draft
        row.pointer, row.expression = draft.pointer, draft.expression
        row.position, row.active, row.reason = draft.position, draft.active, self.reason
        row.sample = self.sample_document()
        return row


def extension_in(request: HttpRequest, mapping: Mapping) -> MappingExtension | None:
    """The extension a page is about: `extension` is its number, "new", or empty for the first one."""
    rows = list(mapping.extensions.all())
    wanted = request.POST.get("extension", request.GET.get("extension", ""))
    if wanted == "new":
        return None
    chosen = next((row for row in rows if str(row.pk) == wanted), None)
    return chosen or (rows[0] if rows and not wanted else None)
