"""Who uses a lookup: whatever is built on lookups says so here, as this app imports nothing of it."""

from collections.abc import Callable, Iterable, Mapping

from lookups.names import fold_name

Usage = Callable[[], Mapping[str, Iterable[str]]]
_sources: list[Usage] = []


def usage_from(source: Usage) -> None:
    """Register a function that gives lookup name → names of what uses it (flows, say)."""
    if source not in _sources:
        _sources.append(source)


def users_by_lookup() -> dict[str, list[str]]:
    """Folded lookup name → sorted names of its users."""
    found: dict[str, set[str]] = {}
    for source in _sources:
        for lookup, users in source().items():
            found.setdefault(fold_name(lookup), set()).update(users)
    return {name: sorted(users) for name, users in found.items()}
