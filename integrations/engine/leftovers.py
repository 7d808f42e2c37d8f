"""What runs that nobody goes on with left at targets: hidden parts, and parts of uploads (reliability rule 10).

A run that goes on takes its own leftovers away. One that ended for good, or was discarded, does not.
"""

from datetime import timedelta

import structlog
from django.conf import settings
from django.utils import timezone

from integrations.adapters import open_adapter
from integrations.adapters.contract import FileStore
from integrations.adapters.errors import AdapterError
from integrations.engine.connections import connection_endpoint
from integrations.engine.files import discard_unfinished
from integrations.models import FileTransfer
from integrations.models.instance import ENDED

log = structlog.get_logger(__name__)
State = FileTransfer.State
AT_ONCE = 500  # files a round


def sweep_leftovers() -> int:
    """Take away what copies left that were interrupted an hour ago and whose run has ended; how many files'."""
    since = timezone.now() - timedelta(seconds=settings.HUB_LEFTOVER_SECONDS)
    left = FileTransfer.objects.filter(
        state=State.COPYING,
        tries__gt=0,
        updated_at__lt=since,
        target__isnull=False,
        instance__status__in=ENDED,
    ).order_by("target", "updated_at")
    by_target: dict[int, list[FileTransfer]] = {}
    for transfer in left.select_related("target")[:AT_ONCE]:
        by_target.setdefault(transfer.target_id or 0, []).append(transfer)
    return sum(_sweep(transfers) for transfers in by_target.values())


def _sweep(transfers: list[FileTransfer]) -> int:
    """Those at one target; one that is down is tried again in the next round."""
    target = transfers[0].target
    if target is None:
        return 0
    try:
        with open_adapter(connection_endpoint(target)) as store:
            return sum(_discarded(store, transfer) for transfer in transfers if isinstance(store, FileStore))
    except AdapterError as error:
        log.warning("leftovers_not_swept", connection=target.name, error=error.text)
        return 0


def _discarded(store: FileStore, transfer: FileTransfer) -> bool:
    """The file is new again, if its run was not taken up meanwhile; its tries go on counting: names stay unique."""
    mine = FileTransfer.objects.filter(pk=transfer.pk, state=State.COPYING, instance__status__in=ENDED)
    if not mine.exists():
        return False
    discard_unfinished(store, transfer)
    return bool(FileTransfer.objects.filter(pk=transfer.pk, state=State.COPYING).update(state=State.NEW))
