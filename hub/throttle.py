"""Log-in throttling (docs/security.md, S19): five failures start a back-off, twenty lock for 15 minutes.

Counted by user name and address together: by name alone, anyone could lock a person out; by address alone,
one clumsy user would lock out all behind the same proxy.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from hub.address import client_address
from hub.models import LoginAttempt
from integrations.services.audit import audit

log = structlog.get_logger(__name__)
FREE_FAILURES = 5
LOCKING_FAILURES = 20
LOCK = timedelta(minutes=15)
LONGEST_PAUSE = timedelta(seconds=30)
KEEP = timedelta(days=1)


def attempt_key(username: str, address: str) -> str:
    """The digest a count is kept under."""
    return hashlib.sha256(f"{username.casefold()}\0{address}".encode()).hexdigest()


def _pause_until(failures: int, now: datetime) -> datetime | None:
    """Nothing for four failures, then 1, 2, 4 … 30 seconds, then the lock."""
    if failures >= LOCKING_FAILURES:
        return now + LOCK
    if failures < FREE_FAILURES:
        return None
    return now + min(timedelta(seconds=2 ** (failures - FREE_FAILURES)), LONGEST_PAUSE)


def login_blocked(*, username: str, address: str) -> bool:
    """Whether a log-in is not even tried now."""
    return LoginAttempt.objects.filter(
        key=attempt_key(username, address), blocked_until__gt=timezone.now()
    ).exists()


def login_failed(*, username: str, address: str) -> int:
    """Count a failure, also one during a pause; returns the failures in a row. A lock is not extended."""
    now, key = timezone.now(), attempt_key(username, address)
    with transaction.atomic():
        _forget_old(now)
        _, new = LoginAttempt.objects.get_or_create(key=key, defaults={"last_failed_at": now, "failures": 1})
        row = LoginAttempt.objects.select_for_update().get(key=key)
        if row.failures >= LOCKING_FAILURES and row.blocked_until and row.blocked_until > now:
            return row.failures
        if not new:
            stale = now - row.last_failed_at > LOCK
            row.failures = 1 if stale or row.failures >= LOCKING_FAILURES else row.failures + 1
        row.last_failed_at, row.blocked_until = now, _pause_until(row.failures, now)
        row.save()
    if row.failures == LOCKING_FAILURES:
        _tell(username, address)
    return row.failures


def _tell(username: str, address: str) -> None:
    """In the log and the audit trail; a name nobody has stays out of both, it may be a password."""
    known = User.objects.filter(username__iexact=username).values_list("username", flat=True).first()
    log.warning("log-in locked", user=known, address=address, minutes=LOCK.seconds // 60)
    detail = {"failures": LOCKING_FAILURES, "minutes": LOCK.seconds // 60}
    audit(
        actor=known or "unknown",
        action="log-in locked",
        subject="login",
        detail=detail,
        address=address or None,
    )


def _forget_old(now: datetime) -> None:
    LoginAttempt.objects.filter(last_failed_at__lt=now - KEEP).delete()


def login_succeeded(*, username: str, address: str) -> None:
    """Forget the failures."""
    LoginAttempt.objects.filter(key=attempt_key(username, address)).delete()


class ThrottledBackend(ModelBackend):
    """Users of the database, throttled; a blocked log-in answers as a wrong password does, after as long."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        """The user, or None whatever the reason."""
        if username is None or password is None:
            return None
        who = {"username": username, "address": client_address(request)}
        if login_blocked(**who):
            make_password(password)  # takes as long as checking one
            login_failed(**who)
            return None
        user = super().authenticate(request, username=username, password=password, **kwargs)
        if user is None:
            login_failed(**who)
        else:
            login_succeeded(**who)
        return user
