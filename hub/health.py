"""Whether the process is up (`/healthz`) and whether the hub can do its work (`/readyz`)."""

import os
import socket
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import structlog
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from integrations.models import Heartbeat
from integrations.storage.backend import current_backend
from integrations.storage.errors import StorageError

log = structlog.get_logger(__name__)
QUIET_AFTER = timedelta(seconds=60)


class NotReady(Exception):
    """One sentence for whoever watches the hub: what is missing and what to do."""


def _database() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        log.exception("the database does not answer")
        raise NotReady(f"The database does not answer ({type(error).__name__})") from error


def _migrations() -> None:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        raise NotReady(f"{len(missing)} migrations are not applied: run `python manage.py migrate`")


def _payload_store() -> None:
    """A small object can be written and removed, wherever payloads go."""
    key = f"health/{socket.gethostname()}-{os.getpid()}-{threading.get_ident()}"
    try:
        backend = current_backend()
        with backend.scratch() as scratch:
            scratch.write(b"ready?")
            backend.keep(scratch, key)
        backend.delete(key)
    except StorageError as error:
        log.exception("the payload store cannot be written")
        raise NotReady(
            f"The payload store cannot be written ({type(error).__name__}); see the log"
        ) from error


def _processes() -> None:
    """Some `hub_beat` (tick, sweep and cluster depend on it) has shown life in the last minute."""
    latest = Heartbeat.objects.filter(role="beat").order_by("-at").values_list("at", flat=True).first()
    if latest is None:
        raise NotReady("No worker has reported yet: start `python manage.py hub_beat`")
    age = timezone.now() - latest
    if age > QUIET_AFTER:
        raise NotReady(f"No worker has reported for {int(age.total_seconds())} s: is hub_beat running?")


# What answering requests takes. Without a worker, work waits but none is lost: ?for=web leaves it out.
WEB: dict[str, Callable[[], None]] = {
    "database": _database,
    "migrations": _migrations,
    "payload store": _payload_store,
}
ALL = {**WEB, "worker": _processes}


def _outcome(check: Callable[[], None]) -> str:
    try:
        check()
    except NotReady as reason:
        return str(reason)
    except DatabaseError as error:
        return f"The database does not answer ({type(error).__name__})"
    return "ok"


def readiness(checks: dict[str, Callable[[], None]]) -> dict[str, Any]:
    """`{"ready": bool, "checks": {name: "ok" or the reason}}`."""
    outcomes = {name: _outcome(check) for name, check in checks.items()}
    return {"ready": set(outcomes.values()) == {"ok"}, "checks": outcomes}


@require_safe
def healthz(_request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers at all; touches nothing else."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 if everything works, else 503 with the reasons; `?for=web` is the question of a load balancer."""
    answer = readiness(WEB if request.GET.get("for") == "web" else ALL)
    return JsonResponse(answer, status=200 if answer["ready"] else 503)
