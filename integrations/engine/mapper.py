"""Mapping a message: the flow's base expression, then the site's extensions, with lookups to hand."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hub.asked import Asked
from integrations.engine.faults import TechnicalFault
from integrations.engine.stands import NOTHING, Stands
from integrations.engine.stream import Kind
from integrations.mapping import Extension, apply_extensions, evaluate
from integrations.models import MappingExtension
from lookups.errors import LookupFault
from lookups.properties import Properties
from lookups.resolve import lookup_value

if TYPE_CHECKING:
    from integrations.engine.context import Run


_extensions = Asked(
    lambda flow_id, name: MappingExtension.objects.filter(
        mapping__flow_id=flow_id, mapping__name=name, active=True
    ),
    int,
    str,
)


def mapping_functions(stands: Stands = NOTHING) -> dict[str, Callable[..., Any]]:
    """What expressions may call besides JSONata's own: $lookupValue and $property, asked of a clone's own lookups."""
    return {"lookupValue": stands.asking(_lookup_value), "property": stands.asking(_property)}


def _lookup_value(lookup: str, source: str, value: Any, target: str, *default: str) -> str:
    """A field the source lacks reaches a function as None: the default, else a fault that says so."""
    if value is not None:
        return lookup_value(lookup, source, str(value), target, *default)
    if default:
        return default[0]
    raise LookupFault(
        f"Lookup {lookup} was asked for {target} of no value in {source}: the message has no such field",
        lookup=lookup,
        column=source,
        hint="Give the mapping's $lookupValue a default, or ask only where the field is there.",
    )


def _property(lookup: str, name: str, *default: str) -> str:
    return Properties(lookup).text(name, *default)


def expression_of(run: "Run", name: str) -> str:
    """The flow's mapping of this name; TechnicalFault where it declares none."""
    if name not in run.spec.mappings:
        raise TechnicalFault(f"{run.spec.identifier} has no mapping {name!r}", code="HUB-MAPPING")
    return run.spec.mappings[name]


def record_mapper(run: "Run", name: str) -> Callable[[Any], Any]:
    """As `map_message`, for many small records: the site's extensions as they are now, and no line for each."""
    expression, functions = expression_of(run, name), mapping_functions(run.spec.stands)
    extensions = site_extensions(run.instance.flow_id, name)

    def mapped(source: Any) -> Any:
        target = evaluate(expression, source, functions=functions, name=name)
        return apply_extensions(target, source, extensions, functions=functions)

    return mapped


def map_message(run: "Run", name: str, source: Any) -> Any:
    """The mapping's result; MappingFailed or LookupMissing with the place where it cannot be made."""
    expression, functions = expression_of(run, name), mapping_functions(run.spec.stands)
    with run.stream.timed(Kind.MAPPED, f"Mapped with {name}") as line:
        line.payload_out = run.stream.kept(source, debug=True)
        target = evaluate(expression, source, functions=functions, name=name)
        extensions = site_extensions(run.instance.flow_id, name)
        if extensions:
            target = apply_extensions(target, source, extensions, functions=functions)
            line.text += f", {len(extensions)} extension(s)"
        line.payload_in = run.stream.kept(target, debug=True)
    return target


def site_extensions(flow_id: int, name: str) -> list[Extension]:
    """The site's active extensions of a flow's mapping, in their order."""
    rows = _extensions(flow_id, name)
    return [
        Extension(pointer=row.pointer, expression=row.expression, name=f"{name} extension {row.pk}")
        for row in rows
    ]
