"""Service delivery points from what the grid-edge system says of the network (seed 002, SP Network Location)."""

from collections.abc import Iterable, Iterator
from itertools import islice

from django.db import transaction

from crm.models import ServiceDeliveryPoint
from crm.services.import_rows import Imported
from crm.services.service_points_import import put_points
from integrations.models import NetworkLocation

AT_ONCE = 1000


def service_points_from_network(*, locations: Iterable[NetworkLocation]) -> Imported:
    """Make the service delivery points that are missing, and note where the others hang now.

    A location without a transformer leaves the one that is known. What is in the network's list alone stays: a point
    is not taken away because a file does not name it.
    """
    done = Imported()
    for batch in _batches(locations):
        _write(batch, done)
    return done


def _batches(locations: Iterable[NetworkLocation]) -> Iterator[dict[str, str]]:
    """Transformers by service point, some at a time."""
    left = iter(locations)
    while batch := list(islice(left, AT_ONCE)):
        yield {one.service_point_id: one.transformer_id for one in batch}


def _write(batch: dict[str, str], done: Imported) -> None:
    with transaction.atomic():
        points = ServiceDeliveryPoint.objects.filter(pk__in=batch)
        known = dict(points.values_list("mrid", "transformer_id"))
        missing = {key for key in batch if key not in known}
        moved = {key for key, now in known.items() if batch[key] and batch[key] != now}
        rows = [ServiceDeliveryPoint(mrid=key, transformer_id=batch[key]) for key in sorted(missing | moved)]
        put_points([row for row in rows if row.transformer_id], ["transformer_id"])
        # Of these nothing is known: where another was quicker to make one, it stays as that made it.
        ServiceDeliveryPoint.objects.bulk_create(
            [row for row in rows if not row.transformer_id], ignore_conflicts=True
        )
    done.added += len(missing)
    done.changed += len(moved)
    done.unchanged += len(batch) - len(missing) - len(moved)
