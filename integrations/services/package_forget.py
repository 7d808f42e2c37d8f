"""Letting go of packages that were uploaded: of those never imported whole, of the others their files."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Q

from integrations.engine.clock import db_now
from integrations.models import PackageImport

EVERY_SECONDS = 3600
KEPT_UNUSED = timedelta(days=7)


def packages_forget() -> int:
    """Delete previews nobody has imported for a week; let go of the file and the backup of those imported before
    HUB_RETENTION_DAYS, of which the list of what arrived stays. How many of both; the store is cleared by `purge`."""
    now = db_now()
    unused = PackageImport.objects.filter(
        state=PackageImport.State.PREVIEW, created_at__lt=now - KEPT_UNUSED
    ).delete()[0]
    old = PackageImport.objects.filter(
        Q(file__isnull=False) | Q(backup__isnull=False),
        state=PackageImport.State.IMPORTED,
        imported_at__lt=now - timedelta(days=settings.HUB_RETENTION_DAYS),
    )
    return unused + old.update(file=None, backup=None)
