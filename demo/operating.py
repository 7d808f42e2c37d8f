"""What operators and business admins do inside the hub for the call centre, through its services."""

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db import connections

from crm.config import PACKAGE
from crm.models import Callback, Incident
from crm.operations.registry import operation_named
from crm.services.callbacks_automatic import callbacks_automatic
from crm.services.caller import caller_allow
from crm.services.import_rows import Imported
from crm.services.incident_restore import incident_restore
from crm.services.landbase_import import landbase_import
from crm.services.service_points_import import service_points_import
from demo.calls import NYC, NYC_PROJECTION, landbase_rows, service_point_rows
from demo.stage import CannotStartError
from integrations.models import Client
from lookups.models import Lookup, Row
from lookups.services import row_save

OPERATOR, BUSINESS_ADMIN = "operator", "business.admin"
DEGREES = "EPSG:4326"


def crm_set() -> None:
    """The outage model of the calls: service delivery points, landbase, and how New York gives coordinates.

    CannotStartError where a row of them is not taken.
    """
    for done in (
        service_points_import(rows=service_point_rows(), actor=OPERATOR, projection=DEGREES),
        landbase_import(rows=landbase_rows(), actor=OPERATOR, projection=DEGREES),
    ):
        _expect_whole(done)
    _projection_set(NYC, NYC_PROJECTION)


def _expect_whole(done: Imported) -> None:
    if done.problems:
        raise CannotStartError("; ".join(done.problems[:5]))


def _projection_set(source: str, projection: str) -> None:
    """A row of the projections, as a business admin adds it; one that is there stays as it is."""
    lookup = Lookup.objects.get(name=f"{PACKAGE}_Projections")
    if any(row.cells[0] == source for row in lookup.rows.all()):
        return
    row_save(
        row=Row(lookup=lookup, cells=[source, projection]), person=User.objects.get(username=BUSINESS_ADMIN)
    )


def operations_allow(client: Client, names: Sequence[str], actor: str) -> None:
    """Let the client call those of the names that are operations of the call centre's interface."""
    operations = sorted(name for name in names if operation_named(name))
    if operations:
        caller_allow(client=client, operations=operations, actor=actor)


def restore_incident(incident: str, automatic: Sequence[str]) -> set[str]:
    """An operator restores an incident, and leaves the callbacks of these service delivery points to the IVR.

    The service delivery points that are called back.
    """
    try:
        row = Incident.objects.get(pk=incident)
        incident_restore(incident=row, actor=OPERATOR)
        made = Callback.objects.filter(incident=row).select_related("ticket")
        points = {row.pk: row.ticket.service_point_id or "" for row in made}
        wanted = [key for key, point in points.items() if point in automatic]
        callbacks_automatic(callbacks=wanted, automatic=True, actor=OPERATOR)
        return set(points.values())
    finally:
        connections.close_all()
