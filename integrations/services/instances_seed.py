"""Made-up instances in any number, as a busy hub would have kept them: to see how the console does with many."""

import random
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from integrations.engine.families import family_of
from integrations.engine.faults import BusinessFault, Conflict, Fault, LookupMissing, RemoteFault
from integrations.models import Activity, Attempt, BusinessKey, ErrorFamily, ErrorInstance, Flow, Instance
from integrations.models.ids import time_ordered_key

BATCH = 2_000
MARK = "seeded"  # the business key's name that tells made-up instances from others
HOLDER = "seed"
# How instances end, and how often of a thousand.
ENDS = {
    "succeeded": 960,
    "skipped": 10,
    "recovered": 12,
    "failed": 10,
    "held": 2,
    "discarded": 6,
}
STATUS = {"recovered": Instance.Status.SUCCEEDED}
FAULTS: list[tuple[type[Fault], str]] = [
    (RemoteFault, "{connection} did not answer within {n} s"),
    (RemoteFault, "{connection} answered 503"),
    (LookupMissing, "Lookup OUTL-BRT-Codes has no Target for Source '{n}'"),
    (BusinessFault, "{connection} refused the message: account {n} is closed"),
]
KEYS = ("accountId", "servicePointId", "deviceId")
Made = Callable[[int], None]


@dataclass
class _Rows:
    """One batch of each table."""

    instances: list[Instance] = field(default_factory=list)
    others: list[models.Model] = field(default_factory=list)


def instances_seed(
    *, number: int, days: int = 90, seed: int = 1, lines: int = 3, made: Made = lambda count: None
) -> int:
    """Write so many ended instances with keys, attempts, lines and errors, evenly over the last days.

    `lines`: activity lines each; `made` is told how many there are so far. Answers how many errors are open.
    Conflict in production, where made-up instances have no place, and where there are no flows.
    """
    if not settings.EMBEDDED:
        raise Conflict("Made-up instances have no place in a production hub")
    flows = list(Flow.objects.filter(present=True))
    if not flows:
        raise Conflict("There are no flows to make instances of", hint="Run manage.py migrate first.")
    seeder = _Seeder(flows, random.Random(seed), lines)  # noqa: S311  (the same rows each time)
    now = timezone.now()
    step = timedelta(days=days) / number
    for first in range(0, number, BATCH):
        last = min(first + BATCH, number)
        seeder.write([now - step * (number - at) for at in range(first, last)])
        made(last)
    seeder.settle()
    return seeder.open


class _Seeder:
    """Makes batches of rows, and keeps count of families."""

    def __init__(self, flows: list[Flow], dice: random.Random, lines: int) -> None:
        self.flows, self.dice, self.lines = flows, dice, lines
        self.open = 0
        self.ends, self.weights = list(ENDS), list(ENDS.values())
        self.families: dict[tuple[int, int], ErrorFamily] = {}
        self.counted: Counter[int] = Counter()
        self.seen: dict[int, tuple[datetime, datetime]] = {}

    def write(self, times: list[datetime]) -> None:
        """A batch, whole or not at all."""
        rows = _Rows()
        for at in times:
            self._one(rows, at)
        by_model: dict[type[models.Model], list[Any]] = {}
        for row in rows.others:
            by_model.setdefault(type(row), []).append(row)
        with transaction.atomic():
            Instance.objects.bulk_create(rows.instances, batch_size=BATCH)
            for model, made in by_model.items():
                model._default_manager.bulk_create(made, batch_size=BATCH)

    def settle(self) -> None:
        """Write the families' counts and times."""
        for family in self.families.values():
            first, last = self.seen[family.pk]
            family.refresh_from_db()
            family.count += self.counted[family.pk] - 1  # family_of has counted one
            family.first_seen, family.last_seen = min(first, family.first_seen), max(last, family.last_seen)
            family.save(update_fields=["count", "first_seen", "last_seen"])

    def _one(self, rows: _Rows, at: datetime) -> None:
        end = self.dice.choices(self.ends, self.weights)[0]
        took = timedelta(milliseconds=20 + self.dice.expovariate(1 / 400))
        key = f"{self.dice.randrange(10**9):010d}"
        instance = Instance(
            id=uuid.UUID(time_ordered_key(int(at.timestamp() * 1000))),
            flow=self.dice.choice(self.flows),
            status=STATUS.get(end, end),
            cause=self.dice.choice((Instance.Cause.INBOUND, Instance.Cause.SCHEDULE)),
            primary_key_name=self.dice.choice(KEYS),
            primary_key_value=key,
            attempts_made=1,
            created_at=at,
            due_at=at,
            started_at=at + timedelta(milliseconds=5),
            ended_at=at + took,
        )
        if end not in ("succeeded", "skipped"):
            rows.others.append(self._error(instance, end))
        rows.instances.append(instance)
        rows.others += self._parts(instance, took)

    def _parts(self, instance: Instance, took: timedelta) -> list[models.Model]:
        name, value, at = instance.primary_key_name, instance.primary_key_value, instance.created_at
        outcome = Attempt.Outcome.FAILED if instance.fault_text else Attempt.Outcome.SUCCEEDED
        texts = ("Received 512 bytes", "Mapped the request", "Called the target", "Ended")[: self.lines]
        kinds = (Activity.Kind.RECEIVED, Activity.Kind.MAPPED, Activity.Kind.CALLED, Activity.Kind.ENDED)
        return [
            BusinessKey(instance=instance, name=name, value=value),
            BusinessKey(instance=instance, name=MARK, value=value[-4:]),
            Attempt(
                instance=instance,
                number=1,
                holder=HOLDER,
                outcome=outcome,
                started_at=at,
                ended_at=at + took,
            ),
            *(
                Activity(instance=instance, at=at + took * (place / 4), duration_ms=5, kind=kind, text=text)
                for place, (kind, text) in enumerate(zip(kinds, texts, strict=False))
            ),
        ]

    def _error(self, instance: Instance, end: str) -> ErrorInstance:
        which = self.dice.randrange(len(FAULTS))
        made, words = FAULTS[which]
        fault = made(words.format(connection=instance.flow.package, n=self.dice.randrange(10**6)))
        at = instance.ended_at or instance.created_at
        family = self._family(instance, fault, which, at)
        settled = end in ("recovered", "discarded")
        self.open += not settled
        if end != "recovered":
            instance.fault_class, instance.fault_code = fault.fault_class, fault.code
            instance.fault_text, instance.fault_step = fault.text, "call"
        return ErrorInstance(
            instance=instance,
            family=family,
            state=end if settled else ErrorInstance.State.OPEN,
            fault_class=fault.fault_class,
            fault_code=fault.code,
            text=fault.text,
            step="call",
            first_failed_at=at,
            last_failed_at=at,
            settled_at=at if settled else None,
            settled_by=HOLDER if settled else "",
        )

    def _family(self, instance: Instance, fault: Fault, which: int, at: datetime) -> ErrorFamily:
        place = (instance.flow_id, which)
        if place not in self.families:
            self.families[place] = family_of(instance, fault, at)
        family = self.families[place]
        first, _ = self.seen.setdefault(family.pk, (at, at))
        self.seen[family.pk] = (first, at)
        self.counted[family.pk] += 1
        return family
