"""Replay stored messages through a draft before it goes live: what would be another, and what would fail.

Only the mapping is done: nothing is sent, no instance and no activity line is written, results stay on the page.
"""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from integrations.engine.faults import Busy, Fault
from integrations.engine.masking import DOTS
from integrations.mapping import Extension, apply_extensions
from integrations.mapping.changes import Change, changes, value_at
from integrations.models import MappingExtension
from integrations.services.audit import audit
from integrations.services.shadow_names import fields_named, names_in, names_typed, some_field
from integrations.services.shadow_report import Outcome, Shadow, Shown
from integrations.services.studio_seen import Sight
from integrations.services.studio_sources import Recorded, recorded, sources_of
from integrations.services.studio_trouble import trouble_of
from integrations.services.studio_try import EVALUATION, Draft, base_of, functions_of, line_up, named

MOST = 200
SECONDS = 15.0  # after which no further message is begun
FIELDS = 50  # of one message that are listed
_one_at_a_time = threading.Lock()


def shadow_run(
    *, draft: Draft, most: int, sight: Sight, actor: str, address: str | None = None, seconds: float = SECONDS
) -> Shadow:
    """The newest stored messages, at most `most` and for `seconds`, mapped as it is live and as the draft would.

    Busy where another shadow run is under way in this process. The run is in the audit trail, with the instances
    whose contents an expression worked on: totals and failures tell something of them, too.
    """
    if not _one_at_a_time.acquire(blocking=False):
        raise Busy("Another shadow run is under way here", hint="Try again in a quarter of a minute.")
    try:
        shadow = _Run(draft, sight).over(min(max(most, 1), MOST), seconds)
    finally:
        _one_at_a_time.release()
    _note(draft, shadow, sight, actor, address)
    return shadow


def _note(draft: Draft, shadow: Shadow, sight: Sight, actor: str, address: str | None) -> None:
    read = {str(one.instance.pk) for one in shadow.outcomes if sight.contents or one.kind != "unreadable"}
    detail = {
        "flow": draft.mapping.flow.identifier,
        "mapping": draft.mapping.name,
        "extension": draft.key,
        "looked": shadow.looked,
        **shadow.totals,
        "contents": sight.contents,
        "masked": bool(sight.patterns),
        "read": sorted(read),
    }
    subject = f"mapping:{draft.mapping.pk}"
    audit(actor=actor, action="shadow_run", subject=subject, detail=detail, address=address)


@dataclass(frozen=True, slots=True)
class _Pair:
    """The targets of one source: of the base alone, as it is live, as the draft would; None where one fails."""

    base: Any = None
    before: Any = None
    after: Any = None
    failed_before: Exception | None = None
    failed_after: Exception | None = None


@dataclass
class _Run:
    """One shadow run: the extensions as they are live, and as they would be."""

    draft: Draft
    sight: Sight
    live: list[Extension] = field(init=False)
    then: list[Extension] = field(init=False)
    typed: set[str] = field(init=False)  # the texts in their expressions

    def __post_init__(self) -> None:
        rows: list[MappingExtension] = list(self.draft.mapping.extensions.all())
        self.live = named([row for row in rows if row.active])
        first, last = line_up(self.draft, rows)
        self.then = [*first, *([self.draft.extension] if self.draft.active else []), *last]
        self.typed = names_typed(one.expression for one in (*self.live, *self.then))

    def over(self, most: int, seconds: float) -> Shadow:
        began = time.monotonic()
        found = recorded(self.draft.mapping, most)
        outcomes: list[Outcome] = []
        for outcome in self._outcomes(found.sources):
            outcomes.append(outcome)
            if len(outcomes) >= most or time.monotonic() - began > seconds:
                break
        took = time.monotonic() - began
        late = took > seconds and len(outcomes) < most
        return Shadow(outcomes, len(found.sources), most, took, late)

    def _outcomes(self, sources: list[Recorded]) -> Iterator[Outcome]:
        for one in sources:
            try:
                documents = sources_of(self.draft.mapping, one)
            except Fault as fault:
                plain = self.sight.contents and not self.sight.patterns
                text = fault.text if plain else fault.title  # the text may quote the message
                yield Outcome(one.key, one.instance, one.label, one.at, "unreadable", text=text)
                continue
            for document in documents:
                yield self._outcome(one, document)

    def _outcome(self, one: Recorded, document: Any) -> Outcome:
        pair = self._pair(document)
        if pair.failed_after is not None:
            kind = "failing" if pair.failed_before is not None else "fails"
            text = self._said(pair.failed_after, document)
            return Outcome(one.key, one.instance, one.label, one.at, kind, text=text)
        if pair.failed_before is not None:
            return Outcome(one.key, one.instance, one.label, one.at, "mended")
        found = changes(pair.before, pair.after, FIELDS)
        if not found:
            return Outcome(one.key, one.instance, one.label, one.at, "unchanged")
        shown = self._shown(found, pair, document)
        return Outcome(one.key, one.instance, one.label, one.at, "differs", shown)

    def _pair(self, document: Any) -> _Pair:
        functions = functions_of(self.draft.mapping.flow)
        try:
            target = base_of(self.draft.mapping, document, functions)
        except EVALUATION as error:
            return _Pair(failed_before=error, failed_after=error)
        before, failed_before = self._applied(target, document, self.live)
        after, failed_after = self._applied(target, document, self.then)
        return _Pair(target, before, after, failed_before, failed_after)

    def _applied(
        self, target: Any, document: Any, extensions: list[Extension]
    ) -> tuple[Any, Exception | None]:
        functions = functions_of(self.draft.mapping.flow)
        try:
            return apply_extensions(target, document, extensions, functions=functions), None
        except EVALUATION as error:
            return None, error

    def _said(self, error: Exception, document: Any) -> str:
        """Why it fails; without the sentence, which may quote the message, for who may not see all of that."""
        trouble = trouble_of(error, where="expression")
        if self.sight.contents and not self._hides(document):
            return f"{trouble.text} {trouble.hint}".strip()
        at = f" at line {', '.join(map(str, trouble.lines))}" if trouble.lines else ""
        return f"{trouble.kind}{at}. The sentence may quote the message, which you may not see in full."

    def _hides(self, document: Any) -> bool:
        return bool(self.sight.patterns) and self.sight.shown(document) != document

    def _shown(self, found: list[Change], pair: _Pair, document: Any) -> list[Shown]:
        """The fields that differ. What is shown of them where fields are masked is made from the masked message:
        an expression can put a masked field under another name, and make a name of it."""
        if not self.sight.contents:
            return fields_named(found, self.typed | names_in(pair.base))
        if not self._hides(document):
            return self._valued(found, pair)
        pair = self._pair(self.sight.shown(document))
        if pair.failed_before is not None or pair.failed_after is not None:
            return [some_field(DOTS)]
        masked = changes(pair.before, pair.after, FIELDS)
        return [*self._valued(masked, pair), *([some_field(DOTS)] if len(masked) < len(found) else [])]

    def _valued(self, found: list[Change], pair: _Pair) -> list[Shown]:
        before, after = self.sight.shown(pair.before), self.sight.shown(pair.after)
        return [
            Shown(one.pointer, one.field, one.kind, _value(before, one), _value(after, one)) for one in found
        ]


def _value(document: Any, change: Change) -> Any:
    return value_at(document, change.path)[1]
