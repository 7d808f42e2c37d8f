"""Mapping extensions in packages: those of one mapping together, matched by the point of the target."""

from collections import Counter
from collections.abc import Mapping as Known
from typing import Any

from integrations.models import Flow, Mapping, MappingExtension
from integrations.services.extension_save import extension_problems, extension_save
from integrations.services.package_format import EXTENSIONS, Entry, Who, differences

_PLAIN = ("pointer", "expression", "active", "position", "reason")
_NOT_STORED = 2**40  # the keys that new extensions are lined up by while they are tried, above any real one
Pair = tuple[MappingExtension | None, dict[str, Any]]
Checked = dict[
    int, list[str]
]  # place in the package's list → what is wrong with it; only of what would be saved


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


def _pairs(rows: list[MappingExtension], item: dict[str, Any]) -> list[Pair]:
    """Each with the one here of the same point; of several at one point the first with the first, and so on."""
    here: dict[str, list[MappingExtension]] = {}
    for row in rows:
        here.setdefault(row.pointer, []).append(row)
    return [
        (here[one["pointer"]].pop(0) if here.get(one["pointer"]) else None, one) for one in item["extensions"]
    ]


def _stored(mapping: Mapping) -> list[MappingExtension]:
    """As they are now; read anew, because what is made of them is changed."""
    return list(mapping.extensions.order_by("position", "pk")) if mapping.pk else []


def _of_clone(item: dict[str, Any], flow: dict[str, Any]) -> Mapping | None:
    """The mapping that a clone of the same package will have: its original's."""
    base = Mapping.objects.filter(flow__identifier=flow["cloneOf"], name=item["mapping"]).first()
    if base is None:
        return None
    clone = Flow(identifier=flow["identifier"], stands_for=flow["standsFor"])
    return Mapping(flow=clone, name=base.name, expression=base.expression, digest=base.digest)


def extensions_checked(item: dict[str, Any], *, coming: Known[str, dict[str, Any]]) -> Checked:
    """What is wrong with each that would be saved, tried one after the other as they would be stored.

    It runs expressions in the sandbox, which may take seconds: not to be called within a transaction.
    `coming`: the flows that the same package brings, by identifier.
    """
    mapping = _mapping(item)
    if mapping is None and item["flow"] in coming:
        mapping = _of_clone(item, coming[item["flow"]])
    if mapping is None:
        return {}
    rows, found = _stored(mapping), Checked()
    for place, (row, one) in enumerate(_pairs(_stored(mapping), item)):
        if _is_same(row, one):
            continue
        made = _filled(row, mapping, one)
        found[place] = list(extension_problems(made, among=rows).values())
        if not found[place]:
            made.pk = made.pk or _NOT_STORED + place
            rows = [*(other for other in rows if other.pk != made.pk), made]
            rows.sort(key=lambda other: (other.position, other.pk))
    return found


def extensions_planned(
    item: dict[str, Any], *, checked: Checked, coming: Known[str, dict[str, Any]]
) -> Entry:
    """What importing them would change; `checked`: as `extensions_checked` has found."""
    entry = Entry(EXTENSIONS, f"{item['flow']}: {item['mapping']}")
    mapping = _mapping(item)
    if mapping is None:
        if item["flow"] in coming:
            entry.state = "added"
            entry.changes = [
                (_place(one, Counter()), "", str(one["expression"])) for one in item["extensions"]
            ]
            entry.notes = _left_out(item, checked)
            return entry
        entry.state = "refused"
        entry.problems.append(_no_mapping(item))
        return entry
    seen: Counter[str] = Counter()
    pairs = _pairs(_stored(mapping), item)
    for row, one in pairs:
        before = {name: getattr(row, name) for name in _PLAIN} if row else {}
        entry.changes += differences(before, _compared(one), under=f"{_place(one, seen)}: ")
    entry.notes = _left_out(item, checked)
    entry.state = "changed" if entry.changes else "unchanged"
    if any(row is None for row, _ in pairs) and not mapping.extensions.exists():
        entry.state = "added"
    if item["baseDigest"] != mapping.digest:
        entry.notes.append(
            "The base mapping here is not the one they were written for: look at them in the studio"
        )
    return entry


def _left_out(item: dict[str, Any], checked: Checked) -> list[str]:
    return [
        f"{_place(item['extensions'][place], Counter())} is left out: {problem}"
        for place, problems in checked.items()
        for problem in problems
    ]


def _no_mapping(item: dict[str, Any]) -> str:
    return f"Flow {item['flow']} has no mapping {item['mapping']!r} here"


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


def _is_same(row: MappingExtension | None, one: dict[str, Any]) -> bool:
    return row is not None and {name: getattr(row, name) for name in _PLAIN} == _compared(one)


def extensions_written(item: dict[str, Any], who: Who, *, checked: Checked) -> list[str]:
    """Save those that were checked, before the transaction began, and work; the others, a sentence each."""
    mapping = _mapping(item)
    if mapping is None:
        return [_no_mapping(item)]
    for place, (row, one) in enumerate(_pairs(_stored(mapping), item)):
        if checked.get(place) == [] and not _is_same(row, one):
            extension = _filled(row, mapping, one)
            extension_save(extension=extension, actor=who.actor, address=who.address, checked=True)
    return _left_out(item, checked)
