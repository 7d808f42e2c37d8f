"""Looking for the files that should have come; the beat does it every half minute."""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

import structlog
from django.db.models import Q

from integrations.engine.clock import db_now
from integrations.models import ExpectedFile, FileTransfer
from integrations.services.expected_file_save import next_check

log = structlog.get_logger(__name__)
ARRIVED = (FileTransfer.State.SENT, FileTransfer.State.DONE)
UNDER_WAY = timedelta(days=3)  # how long before its arrival a file may have been seen first
LOOKED_AT = 20_000  # names read of one flow, newest first


def expected_files_check(*, at: datetime | None = None) -> int:
    """Look for what is due and for what is late already; how many are late. A bad row stops only itself."""
    now = at or db_now()
    wanted = Q(next_check_at__lte=now) | Q(next_check_at__isnull=True) | Q(late_since__isnull=False)
    for expected in ExpectedFile.objects.filter(wanted, enabled=True).select_related("flow"):
        try:
            _check_one(expected, now)
        except Exception as error:  # noqa: BLE001  (one row's trouble, whatever it is, must not stop the others)
            trouble = str(error) or type(error).__name__
            ExpectedFile.objects.filter(pk=expected.pk).update(trouble=trouble)
            log.warning("expected_file_not_checked", expected_file=expected.pk, error=trouble)
    return ExpectedFile.objects.filter(enabled=True, late_since__isnull=False).count()


def _check_one(expected: ExpectedFile, now: datetime) -> None:
    """Whether the file has come for its due time, or for the one it is late for."""
    due, late_since = expected.next_check_at, expected.late_since
    if late_since is not None and _came(expected, by=late_since):
        late_since = None
    if due is not None and due <= now:
        late_since = None if _came(expected, by=due) else late_since or due
    ExpectedFile.objects.filter(pk=expected.pk, next_check_at=due).update(
        late_since=late_since,
        last_seen_at=expected.last_seen_at,
        last_transfer=expected.last_transfer,
        next_check_at=next_check(expected, now) if due is None or due <= now else due,
        trouble="",
    )


def _came(expected: ExpectedFile, *, by: datetime) -> bool:
    """Whether a file of the name came, no earlier than its hours before `by`; the row remembers the newest.

    A file counts for one due time: neither what has counted nor what was seen before it counts again, however late
    it is renamed at its source.
    """
    for key, name, moment in _arrived(expected, by - timedelta(hours=expected.within_hours)):
        if fnmatchcase(name, as_glob(expected.pattern)):
            expected.last_transfer, expected.last_seen_at = key, moment
            return True
    return False


def _arrived(expected: ExpectedFile, since: datetime) -> Iterator[tuple[uuid.UUID, str, datetime]]:
    """Keys, names and times of what the flow, or a run that it began, has moved since then, newest first."""
    first = uuid.UUID(int=int((since - UNDER_WAY).timestamp() * 1000) << 80)  # ids begin with their time
    prefix = expected.pattern.partition("*")[0]
    rows = FileTransfer.objects.filter(
        Q(instance__flow=expected.flow_id) | Q(instance__parent__flow=expected.flow_id),
        pk__gte=first,
        state__in=ARRIVED,
        updated_at__gte=since,
        source_name__startswith=prefix,
    )
    if expected.last_transfer is not None:
        rows = rows.filter(pk__gt=expected.last_transfer)
    newest = rows.order_by("-pk").values_list("pk", "source_name", "updated_at")
    yield from newest[:LOOKED_AT].iterator()


def as_glob(pattern: str) -> str:
    """The pattern for fnmatch: only * stands for anything, as the form says."""
    return pattern.replace("[", "[[]").replace("?", "[?]")
