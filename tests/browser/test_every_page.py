"""Every page of the console, on a phone and on a desk, in light and dark."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page

from integrations.models import Flow, Mapping
from tests import factories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE: Any = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}
DESK: Any = {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"}
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Fields and buttons a screen reader has no name for.
UNNAMED = """() => [...document.querySelectorAll("input, select, textarea, button")]
  .filter(field => field.type !== "hidden" && field.checkVisibility())
  .filter(field => !(field.labels?.length || field.getAttribute("aria-label") || field.getAttribute("aria-labelledby")
    || field.title || field.placeholder || field.innerText?.trim() || (field.type === "submit" && field.value)))
  .map(field => field.outerHTML.slice(0, 160))"""


@pytest.fixture
def cookies(live_server, settings, failed):
    """An administrator's, who is logged in, and a row on most pages."""
    settings.ALLOWED_HOSTS = ["*"]
    for made in (factories.AlertFactory, factories.ExpectedFileFactory, factories.MissingValueFactory):
        made()
    factories.BulkResubmissionFactory()
    person: User = factories.UserFactory(is_superuser=True)
    browser = Client()
    browser.force_login(person)
    value = browser.cookies["sessionid"].value
    return [{"name": "sessionid", "value": value, "url": live_server.url}]


def listed(page: Page, home: str) -> list[str]:
    """The addresses in the menu."""
    page.goto(home)
    hrefs = "links => [...new Set(links.map(link => link.getAttribute('href')))]"
    found: list[str] = page.locator("a[href^='/admin/']").evaluate_all(hrefs)
    plain = [address for address in found if "?" not in address]
    return [address for address in plain if "logout" not in address and "password" not in address]


def others(failed: Any) -> list[str]:
    """Pages that the menu does not lead to at once."""
    flow = Flow.objects.get(identifier="OUTL-BA-CCS_DACS_CUST_SYNC_FTP")
    return [
        f"/admin/integrations/instance/{failed.pk}/change/",
        f"/admin/integrations/errorinstance/{failed.error.pk}/change/",
        f"/admin/integrations/errorfamily/{failed.error.family_id}/change/",
        f"/admin/integrations/bulkresubmission/preview/?family={failed.error.family_id}",
        f"/admin/integrations/flow/{flow.pk}/change/",
        f"/admin/integrations/mapping/{Mapping.objects.order_by('pk')[0].pk}/studio/",
        "/admin/integrations/alertrule/add/",
        "/admin/integrations/expectedfile/add/",
        "/admin/object/?value=C1-DCTEX_1.csv",
        "/admin/lookups/row/import/",
    ]


@pytest.mark.parametrize("look", [PHONE, DESK], ids=["phone, dark", "desk, light"])
def test_every_page_fits_names_its_fields_and_asks_no_other_host(
    chromium: Browser, live_server, cookies, failed, look
):
    context = chromium.new_context(**look)
    context.add_cookies(cookies)
    page, asked, trouble = context.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda said: trouble.append((page.url, said.text)) if said.type == "error" else None)
    pages = {*listed(page, f"{live_server.url}/admin/"), *others(failed)}
    assert len(pages) > 45
    for address in sorted(pages):
        answer = page.goto(live_server.url + address)
        if answer is None or not answer.ok:
            trouble.append((address, "no answer" if answer is None else answer.status))
        if wider := page.evaluate(WIDER):
            trouble.append((address, f"{wider} pixels too wide"))
        trouble += [(address, unnamed) for unnamed in page.evaluate(UNNAMED)]
    context.close()
    assert trouble == []
    assert [url for url in asked if not url.startswith((live_server.url, "data:", "blob:"))] == []
