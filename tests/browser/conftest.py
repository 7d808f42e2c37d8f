"""A real browser (Debian's chromium) at a live hub whose edges are in memory."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from integrations import models
from integrations.adapters.memory import memory_forget, memory_place
from integrations.engine.runner import work_on
from integrations.services.flow_run import flow_run
from tests import factories

CHROMIUM = Path("/usr/bin/chromium")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
FLOW = "OUTL-BA-CCS_DACS_CUST_SYNC_FTP"
DACS = "OU FTP DACS for CCS-DACS"
IN, OUT = "/sploutput/CCSEnv/CustomerSync", "/spl/sploutput/DACSEnv/CustomerSync"

# Playwright's loop runs in the test's thread, where Django would otherwise refuse the database.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture(scope="session")
def chromium():
    """The machine's own browser; nothing is downloaded. (pytest-playwright's fixtures warn under pytest 9.)"""
    if not CHROMIUM.exists():
        pytest.skip(f"There is no {CHROMIUM}: install Debian's chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser):
    """A new window with no cookies."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture
def enter(page: Page, live_server, settings):
    """Log in as a person with a role, by the log-in page; answers the browser's page."""
    settings.ALLOWED_HOSTS = ["*"]
    page.set_default_timeout(15_000)
    expect.set_options(timeout=15_000)

    def as_role(role: str) -> Page:
        person = factories.UserFactory(role=role)
        page.goto(f"{live_server.url}/admin/login/?next=/admin/")
        page.get_by_label("Username").fill(person.username)
        page.get_by_label("Password").fill(factories.PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/admin/")
        return page

    return as_role


@pytest.fixture
def edges(transactional_db):
    """CCS's and DACS's file servers in memory, a file waiting, the flows active."""
    memory_forget()
    for name, directory in (("OU FTP CCS for CCS-DACS", IN), ("OU FTP DACS for CCS-DACS", OUT)):
        models.Connection.objects.filter(name=name).update(
            adapter="memory", settings={"store": name}, retries=0
        )
        memory_place(name).make(directory)
    models.Flow.objects.update(active=True)
    memory_place("OU FTP CCS for CCS-DACS").directories[IN]["C1-DCTEX_1.csv"] = b"one\tline\n"
    yield memory_place
    memory_forget()


@pytest.fixture
def failed(edges):
    """A run that failed because DACS's file server was down, and is up again now."""
    edges(DACS).fail("down")
    flow = models.Flow.objects.get(identifier=FLOW)
    instance = flow_run(flow=flow, parameters={"extractedFileNamePrefix": "C1-DCTEX"}, actor="test")
    work_on(instance.pk)
    instance.refresh_from_db()
    assert instance.status == "failed"
    edges(DACS).fail("down", times=0)
    return instance
