"""Save a connection once its settings can work, and say what is wrong where they cannot."""

from collections.abc import Sequence

from django.db import transaction

from integrations.adapters import adapter_class
from integrations.adapters.contract import Endpoint
from integrations.adapters.errors import Misconfigured
from integrations.engine.connections import connection_endpoint
from integrations.models import Connection, TrustCertificate
from integrations.services.audit import audit


class ConnectionProblems(Exception):
    """The settings cannot work; `problems` says why, a sentence each."""

    def __init__(self, problems: list[str]) -> None:
        """`problems`: never empty."""
        super().__init__("; ".join(problems))
        self.problems = problems


def draft_endpoint(connection: Connection, trust: Sequence[TrustCertificate]) -> Endpoint:
    """What an adapter would see of a connection that is not saved yet."""
    return connection_endpoint(connection, trust)


def connection_problems(*, connection: Connection, trust: Sequence[TrustCertificate]) -> list[str]:
    """What keeps these settings from working, a sentence each; [] if they can be saved.

    A connection that only calls the hub needs no address; with an agent group it is refused (seed 001
    chapter 5: "A REST trigger cannot be used if it has an agent configured").
    """
    found = _timeouts(connection)
    if connection.role != Connection.Role.INVOKE and connection.agent_group_id:
        found.append("A connection that calls the hub cannot have an agent group")
    try:
        adapter = adapter_class(connection.adapter)
        if connection.role != Connection.Role.TRIGGER:
            found += adapter.problems(draft_endpoint(connection, trust))
    except Misconfigured as error:
        found.append(error.text)
    return found


def _timeouts(connection: Connection) -> list[str]:
    named = {"Connect timeout": connection.connect_timeout, "Read timeout": connection.read_timeout}
    found = [f"{label} has to be more than 0 seconds" for label, seconds in named.items() if seconds <= 0]
    return found if connection.parallel != 0 else [*found, "Parallel has to be at least 1"]


def connection_save(
    *,
    connection: Connection,
    trust: Sequence[TrustCertificate],
    actor: str,
    address: str | None = None,
    incomplete: bool = False,
) -> Connection:
    """Check, save with history, set the certificates it trusts, audit; ConnectionProblems where it cannot work.

    What an earlier test found is kept only where nothing it depended on has changed. `incomplete`: save it all the
    same, as an imported one whose secrets are still to be entered; no flow that needs it goes on before.
    """
    problems = [] if incomplete else connection_problems(connection=connection, trust=trust)
    if problems:
        raise ConnectionProblems(problems)
    made = connection.pk is None
    with transaction.atomic():
        if _reached_otherwise(connection):
            connection.last_test_at, connection.last_test_ok, connection.last_test_report = None, None, []
        connection.save()
        connection.trust.set(trust)
        audit(
            actor=actor,
            action="connection_create" if made else "connection_change",
            subject=f"connection:{connection.pk}",
            detail={"name": connection.name, "adapter": connection.adapter},
            address=address,
        )
    return connection


def _reached_otherwise(connection: Connection) -> bool:
    """Whether what the row says of reaching the system differs from what is stored."""
    stored = Connection.objects.filter(pk=connection.pk).first()
    names = ("adapter", "settings", "secrets", "host_key", "catalog_url")
    return stored is not None and any(getattr(stored, name) != getattr(connection, name) for name in names)
