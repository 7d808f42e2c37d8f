"""What the studio shows: the source as a person may see it, the target it becomes, and what differs."""

import json
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from integrations.admin.base import actor_of, address_of
from integrations.admin.studio_code import code_lines
from integrations.admin.studio_form import PASTED, SAMPLE, StudioForm
from integrations.admin.studio_tree import source_tree, target_tree
from integrations.engine.faults import Fault
from integrations.models import Mapping
from integrations.present import short
from integrations.services.payload_view import READ_MASKED
from integrations.services.studio_seen import Sight, sight_of, studio_seen
from integrations.services.studio_sources import (
    Recorded,
    find_recorded,
    how_to_record,
    needs_debug,
    recorded,
    sources_of,
)
from integrations.services.studio_trouble import BASE, EXPRESSION, POINTER
from integrations.services.studio_try import Tried, draft_check, studio_try

OFFERED = 20  # recorded messages to choose from
LISTED = 100  # differences in the table
CHOOSE = "Choose a source message to see what the mapping makes of it."
NEEDS_READING = (
    "Messages are shown to who may read payloads; who edits extensions can paste one, or use a sample."
)


@dataclass(frozen=True, slots=True)
class Bench:
    """The source on the bench; `note` says why there is none, or what is peculiar about it."""

    document: Any = None
    there: bool = False
    note: str = ""
    masked: bool = False


def sight(request: HttpRequest, mapping: Mapping) -> Sight:
    """What this person may see of recorded messages."""
    may = request.user.has_perm
    return sight_of(flow=mapping.flow, contents=may("integrations.read_payload"), unmasked=may(READ_MASKED))


def may_edit(request: HttpRequest) -> bool:
    """Whether this person may write extensions, and so try them."""
    may = request.user.has_perm
    return may("integrations.change_mappingextension") and may("integrations.add_mappingextension")


def offered(request: HttpRequest, mapping: Mapping) -> list[Recorded]:
    """The recorded messages to choose from; none for who may not read payloads."""
    may_read = request.user.has_perm("integrations.read_payload")
    return recorded(mapping, OFFERED).sources if may_read else []


def bench_of(request: HttpRequest, form: StudioForm) -> Bench:
    """The source the form names; a look at a recorded one goes to the audit trail."""
    try:
        if form.source == SAMPLE and (
            may_edit(request) or request.user.has_perm("integrations.read_payload")
        ):
            sample = form.sample_document()
            return Bench(sample, True) if sample else Bench(note="There is no sample yet.")
        if form.source == PASTED and may_edit(request):
            return Bench(form.pasted_document(), True)
        if form.source not in ("", SAMPLE, PASTED):
            return _recorded(request, form)
    except Fault as fault:
        return Bench(note=f"{fault.text} {fault.hint}".strip())
    may_look = may_edit(request) or request.user.has_perm("integrations.read_payload")
    return Bench(note=CHOOSE if may_look else NEEDS_READING)


def _recorded(request: HttpRequest, form: StudioForm) -> Bench:
    seen = sight(request, form.mapping)
    if not seen.contents:
        return Bench(note=NEEDS_READING)
    found = find_recorded(form.mapping, form.source)
    studio_seen(found=found, sight=seen, actor=actor_of(request), address=address_of(request))
    documents = sources_of(form.mapping, found)
    if not documents:
        return Bench(note="This message gives the mapping nothing to work on.")
    shown = seen.shown(documents[0])
    note = f"The first of {len(documents)} that this message is mapped as." if len(documents) > 1 else ""
    return Bench(shown, True, note, masked=shown != documents[0])


def result_context(request: HttpRequest, form: StudioForm) -> dict[str, Any]:
    """All of the live part: trees, differences, trouble, and one line that is read out."""
    bench = bench_of(request, form)
    tried = studio_try(draft=form.draft, source=bench.document) if bench.there else _untried(form)
    pick = may_edit(request)
    trouble = tried.trouble
    failed = trouble is not None and trouble.where == BASE
    return {
        "bench": bench,
        "may_edit": pick,
        "tried": tried,
        "trouble": trouble,
        "excerpt": _excerpt(form, tried),
        "nearest": trouble.nearest if trouble is not None and trouble.where == POINTER else None,
        "said": _said(bench, tried, form),
        "source_tree": source_tree(bench.document, pick=pick) if bench.there else "",
        "target_tree": _target(tried, pick=pick) if bench.there and not failed else "",
        "rows": [
            (
                one.pointer,
                one.kind,
                _json(one.old, one.kind != "added"),
                _json(one.new, one.kind != "removed"),
            )
            for one in tried.changes[:LISTED]
        ],
        "more_rows": len(tried.changes) - LISTED,
        "without": _pretty(tried.before),
        "with_it": _pretty(tried.after),
        "draft_empty": not form.expression.strip(),
    }


def _target(tried: Tried, *, pick: bool) -> str:
    after = tried.before if tried.after is None else tried.after
    return target_tree(tried.before, after, pick=pick)


def _untried(form: StudioForm) -> Tried:
    """Without a source the draft is at least read."""
    return Tried(trouble=draft_check(form.draft) if form.expression.strip() else None)


def _excerpt(form: StudioForm, tried: Tried) -> list[dict[str, Any]]:
    trouble = tried.trouble
    if trouble is None or trouble.where not in (EXPRESSION, BASE):
        return []
    return trouble.excerpt(form.expression if trouble.where == EXPRESSION else form.mapping.expression)


def _said(bench: Bench, tried: Tried, form: StudioForm) -> str:
    """The result in one line, for the page's live region."""
    trouble = tried.trouble
    if trouble is not None:
        at = f" at line {', '.join(map(str, trouble.lines))}" if trouble.lines else ""
        return f"It fails{at}; the reason is below."
    if not bench.there:
        return bench.note
    if not form.expression.strip():
        return "This is what the base makes, with the extensions that are active. Write an expression to change it."
    if not tried.items:
        return "The pointer meets an empty list in this message, so nothing was tried."
    counted = {
        kind: sum(one.kind == kind for one in tried.changes) for kind in ("added", "changed", "removed")
    }
    parts = [f"{number} {kind}" for kind, number in counted.items() if number]
    where = f" at {tried.items} points" if tried.items > 1 else ""
    return f"Fields: {', '.join(parts) or 'none differ'}{where}. Tried in {tried.milliseconds:.0f} ms."


def _json(value: Any, there: bool) -> str:
    return short(json.dumps(value, ensure_ascii=False), 200) if there else ""


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def base_context(form: StudioForm, result: dict[str, Any]) -> dict[str, Any]:
    """The base with its lines marked where it fails, and whether it has changed since the extension was saved."""
    trouble = result["trouble"]
    marked = trouble.lines if trouble is not None and trouble.where == BASE else ()
    return {"base_code": code_lines(form.mapping.expression, marked)}


def recording_context(request: HttpRequest, mapping: Mapping) -> dict[str, Any]:
    """How messages of this mapping come to be on record, and whether this person may switch that on."""
    return {
        "how_to_record": how_to_record(mapping),
        "may_trace": needs_debug(mapping) and request.user.has_perm("integrations.trace_flow"),
    }
