"""Addresses of lists with filters: what a figure links to."""

from datetime import date, datetime
from urllib.parse import urlencode

from django.db.models import Model
from django.urls import reverse


def listed(model: type[Model], **filters: object) -> str:
    """Address of a model's list with these filters; times and dates in ISO form."""
    values = {
        name: value.isoformat() if isinstance(value, datetime | date) else value
        for name, value in filters.items()
    }
    meta = model._meta
    return f"{reverse(f'admin:{meta.app_label}_{meta.model_name}_changelist')}?{urlencode(values)}"
