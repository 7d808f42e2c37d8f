"""Edits change stamps, and history keeps what was there before."""

from typing import Any

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from simple_history.signals import pre_create_historical_record

from lookups.models import Alias, Lookup, Row
from lookups.stamps import CATALOGUE, touch


@receiver([post_save, post_delete], sender=Row)
def _row_changed(instance: Row, **_: Any) -> None:
    touch([str(instance.lookup_id)])


@receiver([post_save, post_delete], sender=Lookup)
@receiver([post_save, post_delete], sender=Alias)
def _catalogue_changed(**_: Any) -> None:
    touch([CATALOGUE])


@receiver(pre_create_historical_record, sender=Row.history.model)
def _keep_old_values(instance: Row, history_instance: Any, **_: Any) -> None:
    history_instance.before = instance.before
