"""Telling an audit trail, if whoever builds on this app keeps one: this app imports nothing of it."""

from collections.abc import Callable
from typing import Any, NoReturn

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

Told = Callable[[HttpRequest, str, str, dict[str, Any]], None]
_listeners: list[Told] = []


def trail_to(listener: Told) -> None:
    """Register what is told `(request, action, subject, detail)`; subjects are `model:id`."""
    if listener not in _listeners:
        _listeners.append(listener)


def tell(request: HttpRequest, action: str, subject: str, detail: dict[str, Any]) -> None:
    """Something was done."""
    for listener in _listeners:
        listener(request, action, subject, detail)


def refuse(request: HttpRequest, action: str, subject: str) -> NoReturn:
    """Answer 403, and tell of the attempt."""
    tell(request, "refused", subject, {"action": action, "path": request.path[:200]})
    raise PermissionDenied
