"""People's passwords on the monitoring API: checked by the slow hash once a minute, not with every call."""

import hashlib
import hmac
import time

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.http import HttpRequest

REMEMBERED_SECONDS = 60.0
_MOST = 1000
_until: dict[bytes, float] = {}


def person_by_password(request: HttpRequest, username: str, password: str) -> User | None:
    """The active user with this password, None otherwise; throttled as the console's log-in is.

    A right answer is remembered for a minute, in this process, under an HMAC over the password and the stored
    hash: a changed password or a disabled user is noticed at once.
    """
    user = User.objects.filter(username=username, is_active=True).first()
    if user is not None and _until.get(_mark(user, password), 0.0) > time.monotonic():
        return user
    found = authenticate(request, username=username, password=password)
    if not isinstance(found, User):
        return None
    if len(_until) >= _MOST:
        _until.clear()
    _until[_mark(found, password)] = time.monotonic() + REMEMBERED_SECONDS
    return found


def forget_passwords() -> None:
    """Have every password checked by the hash again."""
    _until.clear()


def _mark(user: User, password: str) -> bytes:
    """What a remembered log-in is kept under: tells nothing without the secret key."""
    text = f"{user.pk}\0{user.password}\0{password}".encode()
    return hmac.new(settings.SECRET_KEY.encode(), text, hashlib.sha256).digest()
