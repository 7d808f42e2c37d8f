"""Who uses a lookup: whatever is built on lookups says so here, as this app imports nothing of it."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from lookups.names import fold_name


class User(NamedTuple):
    """What uses a lookup: its name, and its page ("" where it has none)."""

    name: str
    url: str = ""


Usage = Callable[[], Mapping[str, Iterable[str | User]]]
_sources: list[Usage] = []


def usage_from(source: Usage) -> None:
    """Register a function that gives lookup name → names (or `User`s, with links) of what uses it."""
    if source not in _sources:
        _sources.append(source)


def users_by_lookup() -> dict[str, list[User]]:
    """Folded lookup name → its users, sorted; asked for once a page."""
    found: dict[str, set[User]] = {}
    for source in _sources:
        for lookup, users in source().items():
            whole = {User(user) if isinstance(user, str) else user for user in users}
            found.setdefault(fold_name(lookup), set()).update(whole)
    return {name: sorted(users) for name, users in found.items()}


def users_of(name: str) -> list[User]:
    """What uses one lookup."""
    return users_by_lookup().get(fold_name(name), [])
