"""Whether what an instance was to do has been done by another since: to send the older again may undo the newer.

A message that its caller repeats revives its own instance, so a later success is one with the same business key, or
a replay.
"""

import time
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from integrations.models import Instance

CHECKED, CHUNK, SECONDS = 5_000, 500, 2.0
SUCCEEDED = Instance.Status.SUCCEEDED


@dataclass(frozen=True, slots=True)
class Overtaken:
    """`found` of the first `checked` in the order of arrival; the others were not looked at."""

    found: int
    checked: int


def overtaken_among(able: QuerySet[Any]) -> Overtaken:
    """Count them among the first errors of an ordered queryset, for two seconds at most."""
    ids = list(able.values_list("instance_id", flat=True)[:CHECKED])
    found, checked, deadline = 0, 0, time.monotonic() + SECONDS
    for start in range(0, len(ids), CHUNK):
        if time.monotonic() > deadline:
            break
        part = ids[start : start + CHUNK]
        found += Instance.objects.filter(Q(pk__in=part), _later_exists()).count()
        checked += len(part)
    return Overtaken(found, checked)


def overtaken_by(instance: Instance) -> Instance | None:
    """The instance that succeeded since with the same business key of the same flow, or as its replay."""
    replay = Instance.objects.filter(replay_of=instance, status=SUCCEEDED).first()
    if replay is not None or not instance.primary_key_value:
        return replay
    return Instance.objects.filter(
        primary_key_value=instance.primary_key_value,
        primary_key_name=instance.primary_key_name,
        flow=instance.flow_id,
        status=SUCCEEDED,
        created_at__gt=instance.created_at,
    ).first()


def _later_exists() -> Q:
    later = Instance.objects.filter(
        primary_key_value=OuterRef("primary_key_value"),
        primary_key_name=OuterRef("primary_key_name"),
        flow=OuterRef("flow"),
        status=SUCCEEDED,
        created_at__gt=OuterRef("created_at"),
    ).order_by()
    replays = Instance.objects.filter(replay_of=OuterRef("pk"), status=SUCCEEDED).order_by()
    return (~Q(primary_key_value="") & Q(Exists(later))) | Q(Exists(replays))
