"""Error families: the same flow, the same fault, the same message once its changing parts are out."""

import hashlib
import re
from datetime import datetime

from django.db.models import F

from integrations.engine.faults import Fault
from integrations.engine.missing import note_missing
from integrations.models import ErrorFamily, ErrorInstance, Instance

_CHANGING = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE), "<id>"),
    (re.compile(r"\b[\w.-]+\.(?:csv|zip|tsv|xml|json|txt)(?:\.zip)?\b", re.IGNORECASE), "<file>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"'[^']*'|\"[^\"]*\""), "<value>"),
    (re.compile(r"\b[0-9a-f]{16,}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\d+"), "<n>"),
]


def normalised(text: str) -> str:
    """The message without what changes from one instance to the next."""
    for pattern, word in _CHANGING:
        text = pattern.sub(word, text)
    return text[:2000]


def family_of(instance: Instance, fault: Fault, now: datetime) -> ErrorFamily:
    """The family this fault belongs to, made when it is first seen, counted up."""
    message = normalised(fault.text)
    words = f"{instance.flow_id}|{fault.fault_class}|{fault.code}|{message}"
    family, made = ErrorFamily.objects.get_or_create(
        signature=hashlib.sha256(words.encode()).hexdigest(),
        defaults={
            "flow": instance.flow,
            "fault_class": fault.fault_class,
            "fault_code": fault.code,
            "message": message,
            "first_seen": now,
            "last_seen": now,
            "count": 1,
        },
    )
    if not made:
        ErrorFamily.objects.filter(pk=family.pk).update(count=F("count") + 1, last_seen=now)
    return family


def open_error(instance: Instance, fault: Fault, now: datetime) -> ErrorInstance:
    """The instance's error as operators see it: opened, or open again after a resubmission that failed."""
    error = ErrorInstance.objects.filter(instance=instance).first() or ErrorInstance(
        instance=instance, failures=0, first_failed_at=now
    )
    error.family = family_of(instance, fault, now)
    error.state = ErrorInstance.State.OPEN
    error.fault_class, error.fault_code, error.text = fault.fault_class, fault.code, fault.text
    error.detail = "\n".join(part for part in (fault.hint, fault.detail, _target_words(fault)) if part)
    error.step = fault.step
    error.failures += 1
    error.last_failed_at = now
    error.settled_at, error.settled_by = None, ""
    error.save()
    note_missing(error, fault, now)
    return error


def _target_words(fault: Fault) -> str:
    """What the target itself said, as text."""
    return (
        fault.target_body[:4000].decode("utf-8", "replace").replace("\x00", "") if fault.target_body else ""
    )
