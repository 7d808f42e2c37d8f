"""Connections in packages: everything but their secrets, of which the names go along."""

from datetime import date
from typing import Any

from integrations.adapters import adapter_names
from integrations.models import AgentGroup, Connection, TrustCertificate
from integrations.services.connection_save import ConnectionProblems, connection_problems, connection_save
from integrations.services.package_format import CONNECTIONS, Entry, Who, differences

_PLAIN = {
    "adapter": "adapter",
    "role": "role",
    "package": "package",
    "description": "description",
    "settings": "settings",
    "hostKey": "host_key",
    "catalogUrl": "catalog_url",
    "connectTimeout": "connect_timeout",
    "readTimeout": "read_timeout",
    "retries": "retries",
    "parallel": "parallel",
}


def connection_exported(row: Connection) -> dict[str, Any]:
    """A connection as a package has it: of its secrets only which are set."""
    return {
        "name": row.name,
        **{name: getattr(row, column) for name, column in _PLAIN.items()},
        "secrets": sorted(name for name, value in row.secrets.items() if value),
        "secretsExpireOn": row.secrets_expire_on.isoformat() if row.secrets_expire_on else None,
        "trust": sorted(row.trust.values_list("alias", flat=True)),
        "agentGroup": row.agent_group.identifier if row.agent_group else None,
    }


def connection_planned(item: dict[str, Any]) -> Entry:
    """What importing it would change, and what is missing here."""
    entry = Entry(CONNECTIONS, item["name"])
    row = Connection.objects.filter(name=item["name"]).select_related("agent_group").first()
    if item["adapter"] not in adapter_names():
        entry.state = "refused"
        entry.problems.append(f"This hub has no adapter {item['adapter']!r}")
        return entry
    before = _compared(connection_exported(row)) if row else {}
    entry.changes = differences(before, _expected(item))
    entry.state = ("changed" if entry.changes else "unchanged") if row else "added"
    draft, trust = _filled(row or Connection(name=item["name"]), item)
    _say_lacks(entry, draft, item)
    if entry.state == "unchanged":  # nothing is saved, so nothing is checked, which takes long
        return entry
    problems = connection_problems(connection=draft, trust=trust)
    if problems and entry.state == "changed":
        entry.state = "refused"
        entry.problems += problems
    elif problems and entry.state == "added":
        entry.notes += [f"Before it can be used: {problem}" for problem in problems]
    if (
        entry.state == "changed"
        and draft.secrets
        and any(one[0].startswith("settings.") for one in entry.changes)
    ):
        entry.notes.append("Its stored secrets go to the new settings' address: is that meant?")
    return entry


def connection_written(item: dict[str, Any], who: Who) -> None:
    """Save it; its secrets stay as they are here, a new one has none yet. ConnectionProblems."""
    row = Connection.objects.filter(name=item["name"]).first()
    draft, trust = _filled(row or Connection(name=item["name"]), item)
    incomplete = row is None
    problems = connection_problems(connection=draft, trust=trust)
    if problems and not incomplete:
        raise ConnectionProblems(problems)
    connection_save(
        connection=draft, trust=trust, actor=who.actor, address=who.address, incomplete=incomplete
    )


def _compared(item: dict[str, Any]) -> dict[str, Any]:
    """Without the secrets' names: those are told as notes."""
    return {name: value for name, value in item.items() if name != "secrets"}


def _expected(item: dict[str, Any]) -> dict[str, Any]:
    """What the import can make of it: certificates and agent groups are not in packages."""
    group = item["agentGroup"]
    return _compared(item) | {
        "trust": sorted(_trusts(item["trust"])),
        "agentGroup": group if AgentGroup.objects.filter(identifier=group).exists() else None,
    }


def _trusts(aliases: list[str]) -> dict[str, TrustCertificate]:
    return {row.alias: row for row in TrustCertificate.objects.filter(alias__in=aliases)}


def _filled(row: Connection, item: dict[str, Any]) -> tuple[Connection, list[TrustCertificate]]:
    for name, column in _PLAIN.items():
        setattr(row, column, item[name])
    expires = item["secretsExpireOn"]
    row.secrets_expire_on = date.fromisoformat(expires) if expires else None
    row.agent_group = AgentGroup.objects.filter(identifier=item["agentGroup"]).first()
    return row, list(_trusts(item["trust"]).values())


def _say_lacks(entry: Entry, row: Connection, item: dict[str, Any]) -> None:
    missing = [name for name in item["secrets"] if not row.secrets.get(name)]
    if missing:
        entry.notes.append(f"Enter its secrets here: {', '.join(missing)}")
    known = _trusts(item["trust"])
    entry.notes += [
        f"Upload the trust certificate {alias!r} and choose it here"
        for alias in item["trust"]
        if alias not in known
    ]
    if item["agentGroup"] and row.agent_group is None:
        entry.notes.append(f"Make the agent group {item['agentGroup']!r} and choose it here")
