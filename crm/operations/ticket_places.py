"""Where a ticket is, as far as its Location elements say (seed 004 table 10.3)."""

from crm.config import Config
from crm.operations.problems import Problems
from crm.outage.draft import Draft, Plain, Search
from crm.outage.positions import BadPosition, Projector
from crm.wire.values import text_of


def check_place(draft: Draft, settings: Config, problems: Problems, projector: Projector) -> None:
    """Set the draft's landbase search, or its point; a search beats a point (table 5.1). What is wrong is noted."""
    locations = draft.given["Location"]
    if any(_is_search(one) for one in locations):
        draft.search = _search(locations, settings, problems)
        return
    point = next((one["PositionPoint"] for one in locations if one.get("PositionPoint")), None)
    if point is not None:
        draft.point = _point(point, problems, projector)


def _is_search(location: Plain) -> bool:
    return any(location.get(name) for name in ("type", "description", "name"))


def _search(locations: list[Plain], settings: Config, problems: Problems) -> Search | None:
    """The search that all Location elements together are; None where it is none, and the call is unlocated."""
    parts = [one for one in locations if _is_search(one)]
    types = list(dict.fromkeys(text_of(one.get("type")) for one in parts))
    unknown = [one for one in types if one.casefold() not in settings.searches]
    for one in unknown:
        problems.add("LocationTypeNotSupported", value=one or "(none)")
    if unknown:
        return None
    name, wanted = settings.searches[types[0].casefold()]
    given = {text_of(one.get("description")): text_of(one.get("name")) for one in parts}
    parameters = {key.casefold(): value for key, value in given.items()}
    complete = all(given.values()) and len(parameters) == len(parts)
    same_type = len({one.casefold() for one in types}) == 1
    if not same_type or set(parameters) != wanted or not complete:
        problems.add("InvalidSearchTypeParamsNames")
        return None
    return Search(name, parameters, given)


def _point(point: Plain, problems: Problems, projector: Projector) -> tuple[float, float] | None:
    """The point in the model's projection; None where a coordinate is not valid."""
    x, y = text_of(point.get("xPosition")), text_of(point.get("yPosition"))
    try:
        return projector.convert(x, y)
    except BadPosition as bad:
        for axis in bad.axes:
            problems.add("InvalidPositionPoint", value=axis, named=f"({x}, {y})")
        return None
