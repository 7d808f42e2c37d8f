"""The console's pages over many instances: 1,000,000 in the full form, 30,000 else.

The yardstick of a list is Django's own list of the same table, as it comes; of the home page, the same page before
there was any instance. Pages are asked for in this process, in turn with their yardstick: no server is measured.
"""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import django
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection

from bench.figures import Figure, Progress, median, tell

FULL, SHORT = 1_000_000, 30_000
ROUNDS = 7
HOME = "/admin/"
PLAIN = "Django's own list"


def measure(*, full: bool) -> None:
    """The home page empty, then everything with instances."""
    settings.ROOT_URLCONF = "bench.console_urls"
    settings.ALLOWED_HOSTS = ["*"]
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    browser = _browser()
    number = FULL if full else SHORT
    part = f"Console with {number:,} instances, {connection.vendor}"
    empty = median(list(_home(browser)))
    _seed(number)
    filled = median(list(_home(browser)))
    tell(Figure(part, "Home page", filled, "ms", empty, "the same with no instance", False, ROUNDS))
    pages = [*_lists(), *_views()]
    for done, (what, own, plain) in enumerate(pages):
        tell(Progress(what, done, len(pages)))
        _beside(part, what, browser, own, plain)


def _browser() -> Any:
    from django.contrib.auth.models import User  # noqa: PLC0415  (models need Django set up)
    from django.test import Client  # noqa: PLC0415  (as above)

    browser = Client()
    browser.force_login(User.objects.create_superuser("bench"))
    return browser


def _seed(number: int) -> None:
    from integrations.services.figures_count import figures_count  # noqa: PLC0415  (models need Django set up)
    from integrations.services.instances_seed import instances_seed  # noqa: PLC0415  (as above)

    instances_seed(number=number, made=lambda count: tell(Progress("instances", count, number)))
    figures_count()  # as the beat does every ten seconds
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _home(browser: Any) -> Iterator[float]:
    _asked(browser, HOME)
    for _ in range(ROUNDS):
        cache.clear()  # what was counted before is not what is measured
        yield _asked(browser, HOME)


def _asked(browser: Any, address: str) -> float:
    """How long a page takes, in milliseconds; RuntimeError unless it is one."""
    began = time.perf_counter()
    answer = browser.get(address)
    took = (time.perf_counter() - began) * 1000
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answered {answer.status_code}")
    return took


def _beside(part: str, what: str, browser: Any, own: str, plain: str) -> None:
    """A page in turn with its yardstick, once before it counts."""
    _asked(browser, own)
    slow = _asked(browser, plain) > 3000
    rounds = 2 if slow else ROUNDS
    pairs = [(_asked(browser, own), _asked(browser, plain)) for _ in range(rounds)]
    value, yardstick = (median([pair[at] for pair in pairs]) for at in (0, 1))
    tell(Figure(part, what, value, "ms", yardstick, PLAIN, False, rounds))


def _lists() -> Iterator[tuple[str, str, str]]:
    """Every list of the console: its name, its address, Django's own."""
    from django.apps import apps  # noqa: PLC0415  (models need Django set up)
    from django.contrib import admin  # noqa: PLC0415  (as above)

    for model in apps.get_models():
        if admin.site.is_registered(model) and model._meta.app_label in ("integrations", "lookups", "crm"):
            tail = f"{model._meta.app_label}/{model._meta.model_name}/"
            yield f"List: {model._meta.verbose_name_plural}", f"/admin/{tail}", f"/plain/{tail}"


def _views() -> Iterator[tuple[str, str, str]]:
    """Instances filtered, searched and deep down, and the page of one."""
    from integrations.models import Instance  # noqa: PLC0415  (models need Django set up)

    some = Instance.objects.filter(status="failed").order_by("-created_at")[10]
    tail = "integrations/instance/"
    failed = urlencode({"status__exact": "failed"})
    flow = urlencode({"flow__id__exact": some.flow_id, "status__exact": "succeeded"})
    yield "Instances: failed ones", f"/admin/{tail}?{failed}", f"/plain/{tail}"
    yield "Instances: one flow's that succeeded", f"/admin/{tail}?{flow}", f"/plain/{tail}"
    key = urlencode({"q": some.primary_key_value})
    yield "Instances: a business key", f"/admin/{tail}?{key}", f"/plain/{tail}"
    last = Instance.objects.count() // 100 - 1  # a hundred rows a page
    yield "Instances: the oldest page", f"/admin/{tail}?last=1", f"/plain/{tail}?p={last}"
    yield "Instance", f"/admin/{tail}{some.pk}/change/", f"/plain/{tail}"
