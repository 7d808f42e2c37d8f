"""What a flow does, step by step, as its declaration tells: the drawing and the words on its page say the same.

A body is code, so the order is that of flows of its pattern: what is named for an acknowledgement, an answer or a
response comes after the calls. Where an instance was run, its activity lines say how long each step took.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from integrations.admin.flow_parts import Parts, Side
from integrations.engine.spec import ASYNCHRONOUS, CHILD, FILE, LOCAL, FlowSpec

AFTERWARDS = ("ack", "response", "answer")


@dataclass(slots=True)
class Step:
    """One box of the drawing. `key`: what its activity lines are found by, e.g. ("called", operation)."""

    kind: str
    title: str
    detail: str = ""
    sides: list[Side] = field(default_factory=list)
    key: tuple[str, str] = ("", "")
    url: str = ""
    took: str = ""


def story_of(spec: FlowSpec, parts: Parts) -> list[Step]:
    """From what starts it to what becomes of a failure; never fewer than three steps."""
    own, told = _sorted(spec.mapping_names), _sorted_operations(spec)
    steps = [_source(spec, parts), *_taken(spec, parts), *_prepared(spec, parts)]
    steps += [_mapped(spec, parts, name) for name in own[0]]
    steps += _loose_lookups(spec, parts)
    steps += [_called(parts, connection, operation) for connection, operation in told[0]]
    steps += _moved(spec, parts)
    steps += [_mapped(spec, parts, name) for name in own[1]]
    steps += [_called(parts, connection, operation, acknowledges=True) for connection, operation in told[1]]
    return [*steps, *_ended(spec, parts)]


def _is_afterwards(name: str) -> bool:
    return any(word in name.lower() for word in AFTERWARDS)


def _sorted(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Those of the work itself and those afterwards; a flow that only acknowledges does that as its work."""
    work = [name for name in names if not _is_afterwards(name)]
    after = [name for name in names if _is_afterwards(name)]
    return (work, after) if work else (after, [])


def _sorted_operations(spec: FlowSpec) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    pairs = [(connection, name) for connection, names in spec.operations.items() for name in names]
    work = [pair for pair in pairs if not _is_afterwards(pair[1])]
    after = [pair for pair in pairs if _is_afterwards(pair[1])]
    return (work, after) if work else (after, [])


def _source(spec: FlowSpec, parts: Parts) -> Step:
    trigger = spec.trigger
    if trigger.kind == "inbound":
        sides = [parts.connection(trigger.source, "caller")] if trigger.source else []
        sides += parts.callers(spec)
        said = "with a file" if trigger.multipart else "with a JSON message"
        return Step("source", f"Called: POST …/{trigger.resource}", said, sides)
    if trigger.kind == "schedule":
        names = ", ".join(one.name for one in spec.parameters)
        return Step("source", "Started by a schedule or by hand", f"with {names}" if names else "")
    return Step("source", "Called inside the hub", "", parts.callers(spec))


def _taken(spec: FlowSpec, parts: Parts) -> list[Step]:
    """What happens to what came: checked, stored; or the files, listed."""
    if spec.pattern == FILE:
        source = parts.file_source(spec)
        if not source:
            return []
        by = ", ".join(one for one in spec.properties if one.endswith("filename.prefix"))
        by = by or ", ".join(one.name for one in spec.parameters)
        told = f"names that begin as {by} says" if by else ""
        sides = [parts.connection(source), parts.lookup(spec.package.config)]
        return [Step("files", "List the files", told, sides, ("listed", ""))]
    checked = ["its form" if spec.schema else "", f"{spec.message_id} once" if spec.message_id else ""]
    said = ", ".join(filter(None, checked))
    waits = "the caller waits" if spec.waits and not spec.accepts else "the caller is answered 202"
    waits = waits if spec.trigger.kind == "inbound" else ""
    detail = "; ".join(filter(None, (said, waits)))
    return [Step("check", "Check and store the message", detail, key=("received", ""))]


def _prepared(spec: FlowSpec, parts: Parts) -> list[Step]:
    steps = []
    if spec.properties and spec.pattern not in (FILE, CHILD):
        named = ", ".join(spec.properties[:3]) + (" …" if len(spec.properties) > 3 else "")  # noqa: PLR2004
        steps.append(Step("lookup", "Read the settings", named, [parts.lookup(spec.package.config)]))
    routing = [name for name in spec.tables if "routing" in name.lower()]
    if routing:
        steps.append(Step("lookup", "Find the target", "by instance or division", parts.lookups(routing)))
    return steps


def _mapped(spec: FlowSpec, parts: Parts, name: str) -> Step:
    found = parts.lookups_in(spec, name)
    said = "and the site's extensions" if parts.extensions(name) else ""
    return Step("map", f"Map with {name}", said, found, ("mapped", name), parts.mapping_url(name))


def _loose_lookups(spec: FlowSpec, parts: Parts) -> list[Step]:
    """Tables that no mapping names in its text."""
    named = {side.name for name in spec.mapping_names for side in parts.lookups_in(spec, name)}
    loose = [name for name in spec.tables if name not in named and "routing" not in name.lower()]
    return [Step("lookup", "Translate codes", "", parts.lookups(loose))] if loose else []


def _called(parts: Parts, connection: str, operation: str, *, acknowledges: bool = False) -> Step:
    title = f"Acknowledge: {operation}" if acknowledges else f"Call {operation}"
    return Step("call", title, "", [parts.connection(connection)], ("called", operation))


def _moved(spec: FlowSpec, parts: Parts) -> list[Step]:
    """Files that are handed to other flows, written or sent; messages that are handed on."""
    steps = []
    later = [name for name in spec.calls if parts.pattern(name) in (ASYNCHRONOUS,)]
    children = [name for name in spec.calls if name not in later]
    if children:
        choice = next((one for one in spec.properties if one.endswith("transfer.pref")), "")
        many = len(children) > 1
        said = f"one of them, as {choice} says" if many and choice else "one of them" if many else ""
        what = "Hand each file to a flow" if spec.pattern == FILE else "Hand the file to a flow"
        steps.append(Step("child", what, said, parts.flows(children), ("child", "")))
    if rest := parts.plain_targets(spec):
        title = "Write the file" if spec.pattern == CHILD else "Use the connection"
        said = (
            "under another name first, then renamed; size and checksum compared"
            if spec.pattern == CHILD
            else ""
        )
        steps.append(Step("files", title, said, [parts.connection(name) for name in rest], ("moved", "")))
    if any("prefixtag" in name for name in spec.properties) and spec.pattern == FILE:
        steps.append(
            Step("files", "Rename at the source", "so that no file is taken twice", [], ("renamed", ""))
        )
    if later:
        said = "as an instance of its own, queued"
        steps.append(Step("child", "Hand the message on", said, parts.flows(later)))
    return steps


def _ended(spec: FlowSpec, parts: Parts) -> list[Step]:
    """What the caller hears, who gets mail, and what becomes of a failure."""
    steps = []
    if spec.trigger.kind == "inbound" and spec.waits:
        steps.append(
            Step("answer", "Answer the caller", "202" if spec.accepts else "200 with the flow's answer")
        )
    if spec.recipients:
        said = f"to {', '.join(spec.recipients)}"
        steps.append(
            Step("mail", "Mail that it is done", said, [parts.lookup(spec.package.emails)], ("mailed", ""))
        )
    if spec.identifier == spec.package.error_handler:
        lists = [parts.lookup(spec.package.emails)]
        steps.append(Step("mail", "Mail the error", "when both flags are on", lists, ("mailed", "")))
    else:
        handler = parts.flows([spec.package.error_handler]) if spec.package.error_handler else []
        lists = parts.lookups([spec.package.config, spec.package.emails])
        said = "tried again where that helps" if spec.pattern not in (CHILD, LOCAL) and not spec.waits else ""
        said = "; ".join(filter(None, (said, "then an error for an operator, and a mail")))
        steps.append(Step("failure", "If something fails", said, [*handler, *lists]))
    return steps
