"""How a flow says what it is: package, trigger, pattern, keys, and the decorator that registers it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from integrations.engine.stands import NOTHING, Stands
from integrations.mapping import load_base
from integrations.models import Flow

SYNCHRONOUS = Flow.Pattern.SYNCHRONOUS
ASYNCHRONOUS = Flow.Pattern.ASYNCHRONOUS
FILE = Flow.Pattern.FILE
CHILD = Flow.Pattern.CHILD
LOCAL = Flow.Pattern.LOCAL
WAITED_FOR = (SYNCHRONOUS, CHILD, LOCAL)  # patterns whose caller waits for the end

# What becomes of a step found half done after a crash (design section 4 rule 3).
RESEND, HOLD = "resend", "hold"

Body = Callable[[Any, Any], Any]
Paths = str | tuple[str, ...]  # where a message has a value; several where it may be in one place or another


@dataclass(frozen=True, slots=True)
class Package:
    """Flows, connections and lookups that ship together, and the property lists they share."""

    name: str
    version: str
    source: str
    config: str
    emails: str
    error_handler: str
    project: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a flow that is scheduled or run by hand."""

    name: str
    label: str
    required: bool = True


@dataclass(frozen=True, slots=True)
class Inbound:
    """Started by a call: `resource` ends the URL, `source` is the connection that calls.

    `accepts`: a caller that waits is answered as an asynchronous one, 202, once all went well; a fault it gets at once.
    """

    resource: str
    source: str = ""
    also: tuple[str, ...] = ()
    multipart: bool = False
    accepts: bool = False
    kind: str = "inbound"


@dataclass(frozen=True, slots=True)
class Scheduled:
    """Started by a schedule or by hand, with these parameters."""

    parameters: tuple[Parameter, ...] = ()
    resource: str = ""
    source: str = ""
    kind: str = "schedule"
    also: tuple[str, ...] = ()
    multipart: bool = False


@dataclass(frozen=True, slots=True)
class Local:
    """Called inside the hub only."""

    resource: str
    source: str = ""
    kind: str = "local"
    also: tuple[str, ...] = ()
    multipart: bool = False


Trigger = Inbound | Scheduled | Local


@dataclass(frozen=True)
class FlowSpec:
    """All the engine and the console know of a flow's code."""

    identifier: str
    name: str
    package: Package
    pattern: str
    trigger: Trigger
    body: Body
    aliases: tuple[str, ...] = ()
    connections: tuple[str, ...] = ()
    operations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    calls: tuple[str, ...] = ()
    mapping_names: tuple[str, ...] = ()
    keys: Mapping[str, Paths] = field(default_factory=dict)
    message_id: str = ""
    schema: Mapping[str, Any] | None = None
    properties: tuple[str, ...] = ()
    source: str = ""
    when_unknown: str = RESEND
    tables: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    folder: Path = Path()
    clone_of: str = ""
    stands: Stands = NOTHING

    @property
    def description(self) -> str:
        """The flow's docstring: what it does, in words."""
        return (self.body.__doc__ or "").strip()

    @property
    def version(self) -> str:
        """The package's version, e.g. 01.23.3000."""
        return self.package.version

    def lists_under(self, parent: "FlowSpec | None") -> Package:
        """Whose property lists it reads when called: its own; an error handler those of the flow that failed."""
        called_for = parent is not None and parent.package.error_handler == self.identifier
        return parent.package if parent is not None and called_for else self.package

    @property
    def lookups(self) -> tuple[str, ...]:
        """The lookups it reads: the package's property lists, and the tables its mappings translate by."""
        return (self.package.config, self.package.emails, *self.tables)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What it is run with, where it is scheduled."""
        return self.trigger.parameters if isinstance(self.trigger, Scheduled) else ()

    @cached_property
    def mappings(self) -> dict[str, str]:
        """Name → base expression, from the `*.jsonata` files beside the flow."""
        return {name: load_base(self.folder, name) for name in self.mapping_names}

    @cached_property
    def listed_keys(self) -> frozenset[str]:
        """Names of the business keys that one message may have many of."""
        return frozenset(name for name, paths in self.keys.items() if is_listed(paths))

    @property
    def waits(self) -> bool:
        """Whether a caller waits for its end, so that it is never retried by itself."""
        return self.pattern in WAITED_FOR

    @property
    def accepts(self) -> bool:
        """Whether a caller that waited is answered 202 all the same."""
        return isinstance(self.trigger, Inbound) and self.trigger.accepts

    def answers_at(self, resource: str, version: str) -> bool:
        """Whether a URL's resource and version are this flow's (1.0 stands for any 01.xx)."""
        return resource in (self.trigger.resource, *self.trigger.also) and version in ("1.0", self.version)


def is_listed(paths: Paths) -> bool:
    """Whether a business key's path leads into a list, or there are several."""
    return not isinstance(paths, str) or "*" in paths


def _in_order(identifier: str, keys: Mapping[str, Paths]) -> Mapping[str, Paths]:
    """These keys; ValueError where one of a list comes first or before a single one, and so might be the primary."""
    listed = [is_listed(paths) for paths in keys.values()]
    if listed[:1] == [True] or listed != sorted(listed):
        raise ValueError(f"{identifier}: business keys of lists come behind the single ones")
    return keys


def _told(pattern: str) -> tuple[str, ...]:
    return ("to.process.notification",) if pattern == FILE else ()


_registered: dict[str, FlowSpec] = {}


def flow(
    identifier: str,
    *,
    name: str,
    package: Package,
    pattern: str,
    trigger: Trigger,
    aliases: Sequence[str] = (),
    connections: Sequence[str] = (),
    operations: Mapping[str, tuple[str, ...]] | None = None,
    calls: Sequence[str] = (),
    mappings: Sequence[str] = (),
    keys: Mapping[str, Paths] | None = None,
    message_id: str = "",
    schema: Mapping[str, Any] | None = None,
    properties: Sequence[str] = (),
    source: str = "",
    when_unknown: str = RESEND,
    tables: Sequence[str] = (),
    recipients: Sequence[str] | None = None,
) -> Callable[[Body], Body]:
    """Register a flow. Its body takes (run, message): a file flow's message is its parameters.

    `keys`: business key → dotted path into the message, the first the primary one; a step `*` is each item of a list
    (the first 100 values), a tuple several places to look in, and such keys come last; `message_id`: dotted path of
    the field that names a message; `operations`: connection → operations it must know; `calls`: flows it
    calls or hands messages on to; `properties`: properties that must be set before it is switched on; `tables`:
    lookups its mappings translate by; `recipients`: properties of the Email_ID list beside `from` and `to` that it
    mails to (a file flow: `to.process.notification`, if nothing is said); `source`: seed and section.
    """

    def register(body: Body) -> Body:
        known = _registered.get(identifier)
        if known and known.body.__module__ != body.__module__:
            raise ValueError(
                f"Two flows call themselves {identifier}: {known.body.__module__}, {body.__module__}"
            )
        _registered[identifier] = FlowSpec(
            identifier=identifier,
            name=name,
            package=package,
            pattern=pattern,
            trigger=trigger,
            body=body,
            aliases=tuple(aliases),
            connections=tuple(connections),
            operations=operations or {},
            calls=tuple(calls),
            mapping_names=tuple(mappings),
            keys=_in_order(identifier, keys or {}),
            message_id=message_id,
            schema=schema,
            properties=tuple(properties),
            source=source or package.source,
            when_unknown=when_unknown,
            tables=tuple(tables),
            recipients=tuple(_told(pattern) if recipients is None else recipients),
            folder=Path(body.__code__.co_filename).parent,
        )
        return body

    return register


def registered() -> dict[str, FlowSpec]:
    """All flows whose modules were imported, by identifier (the registry imports them)."""
    return _registered
