"""Mapping extensions in packages: those of one mapping together, matched by the point of the target."""

from collections import Counter
from typing import Any

from integrations.models import Mapping, MappingExtension
from integrations.services.extension_save import ExtensionProblems, extension_problems, extension_save
from integrations.services.package_format import EXTENSIONS, Entry, Who, differences

_PLAIN = ("pointer", "expression", "active", "position", "reason")
Pair = tuple[MappingExtension | None, dict[str, Any]]


def extensions_exported(mapping: Mapping, *, samples: bool) -> dict[str, Any]:
    """A mapping's extensions in their order; with their samples, which may hold customers' data, if asked."""
    names = [*_PLAIN, "sample"] if samples else _PLAIN
    return {
        "flow": mapping.flow.identifier,
        "mapping": mapping.name,
        "baseDigest": mapping.digest,
        "extensions": [
            {name: getattr(row, name) for name in names}
            for row in mapping.extensions.order_by("position", "pk")
        ],
    }


def _mapping(item: dict[str, Any]) -> Mapping | None:
    rows = Mapping.objects.select_related("flow")
    return rows.filter(flow__identifier=item["flow"], name=item["mapping"]).first()


def _pairs(mapping: Mapping, item: dict[str, Any]) -> list[Pair]:
    """Each with the one here of the same point; of several at one point the first with the first, and so on."""
    here: dict[str, list[MappingExtension]] = {}
    for row in mapping.extensions.order_by("position", "pk"):
        here.setdefault(row.pointer, []).append(row)
    return [
        (here[one["pointer"]].pop(0) if here.get(one["pointer"]) else None, one) for one in item["extensions"]
    ]


def extensions_planned(item: dict[str, Any], *, coming: frozenset[str] = frozenset()) -> Entry:
    """What importing them would change; `coming`: clones that the same package brings."""
    entry = Entry(EXTENSIONS, f"{item['flow']}: {item['mapping']}")
    mapping = _mapping(item)
    if mapping is None:
        if item["flow"] in coming:
            entry.state = "added"
            entry.changes = [
                (_place(one, Counter()), "", str(one["expression"])) for one in item["extensions"]
            ]
            return entry
        entry.state = "refused"
        entry.problems.append(f"Flow {item['flow']} has no mapping {item['mapping']!r} here")
        return entry
    seen: Counter[str] = Counter()
    made = False
    for row, one in _pairs(mapping, item):
        before = {name: getattr(row, name) for name in _PLAIN} if row else {}
        changes = differences(before, _compared(one), under=f"{_place(one, seen)}: ")
        made = made or row is None
        entry.changes += changes
        if changes:
            problems = extension_problems(_filled(row, mapping, one)).values()
            entry.notes += [f"{_place(one, Counter())} is left out: {problem}" for problem in problems]
    entry.state = "changed" if entry.changes else "unchanged"
    if made and not mapping.extensions.exists():
        entry.state = "added"
    if item["baseDigest"] != mapping.digest:
        entry.notes.append(
            "The base mapping here is not the one they were written for: look at them in the studio"
        )
    return entry


def _place(one: dict[str, Any], seen: Counter[str]) -> str:
    """Where it attaches, for people; with a number from the second at one point on."""
    seen[one["pointer"]] += 1
    number = f" ({seen[one['pointer']]})" if seen[one["pointer"]] > 1 else ""
    return f"at {one['pointer'] or 'the whole'}{number}"


def _compared(one: dict[str, Any]) -> dict[str, Any]:
    return {name: one[name] for name in _PLAIN}


def _filled(row: MappingExtension | None, mapping: Mapping, one: dict[str, Any]) -> MappingExtension:
    """The row as it would be; its sample stays where the package has none."""
    made = row or MappingExtension(mapping=mapping)
    for name in _PLAIN:
        setattr(made, name, one[name])
    made.sample = one.get("sample", made.sample)
    return made


def extensions_written(item: dict[str, Any], who: Who) -> list[str]:
    """Save those that are new or differ and work; the others, a sentence each."""
    mapping = _mapping(item)
    if mapping is None:
        return [f"Flow {item['flow']} has no mapping {item['mapping']!r} here"]
    said: list[str] = []
    for row, one in _pairs(mapping, item):
        if row is not None and {name: getattr(row, name) for name in _PLAIN} == _compared(one):
            continue
        try:
            extension_save(extension=_filled(row, mapping, one), actor=who.actor, address=who.address)
        except ExtensionProblems as error:
            said.append(f"{_place(one, Counter())} is left out: {error}")
    return said
