"""Try a connection as a flow would use it, and keep what was found."""

import time
from collections.abc import Sequence
from dataclasses import asdict

from django.utils import timezone

from integrations.adapters import open_adapter
from integrations.adapters.contract import Endpoint, TestStep
from integrations.adapters.errors import AdapterError, HostKeyRefused
from integrations.crypto import SecretUnreadable
from integrations.engine.breakers import breaker_worked
from integrations.engine.connections import connection_endpoint
from integrations.models import Connection, TrustCertificate
from integrations.services.audit import audit
from integrations.services.connection_save import draft_endpoint


def connection_test(*, connection: Connection, actor: str, address: str | None = None) -> list[TestStep]:
    """Test the stored connection, step by step; the report stays on its row. Never raises for a fault at the edge.

    A test that went through closes the connection's breaker, as a flow's call would.
    """
    if connection.role == Connection.Role.TRIGGER:
        steps = [_trigger_step()]
    else:
        steps = [*_agent_steps(connection), *endpoint_test(connection_endpoint(connection))]
    passed = all(step.ok for step in steps)
    Connection.objects.filter(pk=connection.pk).update(
        last_test_at=timezone.now(), last_test_ok=passed, last_test_report=[asdict(step) for step in steps]
    )
    if passed:
        breaker_worked(connection)
    _audit(connection, steps, actor=actor, address=address, draft=False)
    return steps


def connection_test_draft(
    *, connection: Connection, trust: Sequence[TrustCertificate], actor: str, address: str | None = None
) -> list[TestStep]:
    """Test what a form holds before it is saved; nothing is kept but the audit entry."""
    steps = [*_agent_steps(connection), *endpoint_test(draft_endpoint(connection, trust))]
    _audit(connection, steps, actor=actor, address=address, draft=True)
    return steps


def endpoint_test(endpoint: Endpoint) -> list[TestStep]:
    """The adapter's own test; settings it cannot even start with become a failed step."""
    began = time.perf_counter()
    try:
        with open_adapter(endpoint) as adapter:
            return adapter.test()
    except (AdapterError, SecretUnreadable) as error:
        return [_failed("Read the settings", error, (time.perf_counter() - began) * 1000)]


def _failed(what: str, error: Exception, milliseconds: float) -> TestStep:
    return TestStep(
        what,
        ok=False,
        milliseconds=milliseconds,
        detail=str(error),
        hint=getattr(error, "hint", ""),
        offered_host_key=error.offered if isinstance(error, HostKeyRefused) else "",
    )


def _trigger_step() -> TestStep:
    return TestStep(
        "Look at its role",
        ok=True,
        milliseconds=0.0,
        detail="This system calls the hub; there is nothing to reach.",
        hint="Its log-in is a client: see Clients for the id, the secret and the flows it may call.",
    )


def _agent_steps(connection: Connection) -> list[TestStep]:
    if connection.agent_group is None:
        return []
    detail = f"Agent group {connection.agent_group.identifier} has no agent yet; tried from the hub itself."
    return [TestStep("Look for an agent", ok=True, milliseconds=0.0, detail=detail)]


def _audit(
    connection: Connection, steps: list[TestStep], *, actor: str, address: str | None, draft: bool
) -> None:
    failed = next((step for step in steps if not step.ok), None)
    audit(
        actor=actor,
        action="connection_test",
        subject=f"connection:{connection.pk or 'new'}",
        detail={
            "name": connection.name,
            "passed": failed is None,
            "unsaved_settings": draft,
            "failed": f"{failed.what}: {failed.detail}"[:500] if failed else "",
        },
        address=address,
    )
