"""Breakers: after five passing faults in a row a connection is left alone for 30 s; instances wait meanwhile."""

from datetime import timedelta

from django.db.models import F

from hub.asked import Asked
from integrations.engine.clock import db_now
from integrations.engine.faults import Fault, RemoteFault
from integrations.engine.rows import change_rows
from integrations.models import Breaker, Connection

FAULTS_THAT_OPEN = 5
OPEN_SECONDS = 30
_breakers = Asked(lambda pk: Breaker.objects.filter(connection=pk), int)


def breaker_check(connection: Connection) -> bool:
    """Raise a passing fault while the breaker is open; after that one call, whoever is first, may try.

    Says whether there are faults that a call which goes through would put an end to.
    """
    breaker = _breakers.first(connection.pk)
    if breaker is None or breaker.open_until is None:
        return breaker is not None and breaker.failures > 0
    now = db_now()
    left = (breaker.open_until - now).total_seconds()
    trial = left <= 0 and Breaker.objects.filter(pk=breaker.pk, open_until=breaker.open_until).update(
        open_until=now + timedelta(seconds=OPEN_SECONDS)
    )
    if not trial:
        left = left if left > 0 else OPEN_SECONDS
        raise RemoteFault(
            f"{connection.name} failed {breaker.failures} times in a row and is left alone for {left:.0f} s more"
            f" (last: {breaker.last_fault})",
            code="HUB-BREAKER-OPEN",
            status=503,
            passing=True,
            retry_after=left,
            connection=connection.name,
            hint="What waits for it goes on by itself, a caller sends again; the connection's Test says what is wrong.",
        )
    return True


def breaker_failed(connection: Connection, fault: Fault) -> None:
    """Count a passing fault; the fifth in a row opens the breaker."""
    if not fault.passing or fault.code == "HUB-BREAKER-OPEN":
        return
    breaker, _ = Breaker.objects.get_or_create(connection=connection)
    until = db_now() + timedelta(seconds=OPEN_SECONDS)
    Breaker.objects.filter(pk=breaker.pk).update(failures=F("failures") + 1, last_fault=fault.text)
    Breaker.objects.filter(pk=breaker.pk, failures__gte=FAULTS_THAT_OPEN).update(open_until=until)


def breaker_worked(connection: Connection) -> None:
    """A call that went through closes the breaker; costs a write only where there was a fault before."""
    breaker = _breakers.first(connection.pk)
    if (
        breaker is not None and breaker.failures
    ):  # an UPDATE of no row would still wait for SQLite's one writer
        change_rows(Breaker, {"connection": connection.pk}, failures=0, open_until=None, last_fault="")
