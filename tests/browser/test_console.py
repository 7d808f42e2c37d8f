"""What people do most, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from integrations import models
from integrations.engine.runner import work_on
from lookups.models import Lookup
from lookups.properties import Properties

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DACS = "OU FTP DACS for CCS-DACS"
CONFIG = "OUTL-BRT-CCS_DACS_ConfigProps"


def test_an_operator_resubmits_an_error_and_it_recovers(enter, failed, edges):
    page = enter("Operator")
    page.get_by_role("link", name=re.compile("Errors$")).first.click()
    page.get_by_role("link", name=re.compile("OU FTP DACS")).first.click()
    page.get_by_label("Reason optional").fill("DACS is up again")
    page.get_by_role("button", name="Resubmit").click()
    expect(page.get_by_text("Resubmitted: it goes on in a new attempt.")).to_be_visible()

    work_on(failed.pk)
    page.reload()
    expect(page.locator(".bb-head .bb-badge").first).to_have_text("Succeeded")
    page.get_by_role("link", name="Error", exact=True).click()
    expect(page.locator(".bb-head .bb-badge").first).to_have_text("Recovered")
    assert list(edges(DACS).directories.values()) == [{"C1-DCTEX_1.csv": b"one\tline\n"}]


def test_a_viewer_sees_the_error_but_no_way_to_resubmit_it(enter, failed):
    page = enter("Viewer")
    page.get_by_role("link", name=re.compile("Errors$")).first.click()
    page.get_by_role("link", name=re.compile("OU FTP DACS")).first.click()
    expect(page.get_by_text("It takes an operator.")).to_be_visible()
    for name in ("Resubmit", "Discard"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)


def test_a_business_admin_edits_a_value_in_place(enter, live_server):
    page = enter("Business admin")
    lookup = Lookup.objects.get(name=CONFIG)
    page.goto(f"{live_server.url}/admin/lookups/row/?lookup__id__exact={lookup.pk}")
    row = page.get_by_role("row").filter(has_text="ccs.prefixtag.file.uploaded")
    row.get_by_role("textbox").first.fill("ARRIVED-")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text(re.compile("changed successfully"))).to_be_visible()
    assert Properties(CONFIG).text("ccs.prefixtag.file.uploaded") == "ARRIVED-"


def test_markup_in_an_error_runs_in_no_browser(enter, failed):
    seen = []
    models.ErrorInstance.objects.update(text="<img src=x onerror=\"document.title='hacked'\">OU FTP DACS")
    page = enter("Viewer")
    page.on("dialog", lambda dialog: seen.append(dialog.message))
    page.goto(page.url + f"integrations/errorinstance/{failed.error.pk}/change/")
    expect(page.get_by_text("onerror=").first).to_be_visible()
    assert "hacked" not in page.title()
    assert seen == []


def test_the_console_asks_no_other_host_and_reports_no_error(enter, failed, live_server):
    page = enter("Operator")
    asked, errors = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    for place in (
        "",
        "integrations/instance/",
        f"integrations/instance/{failed.pk}/change/",
        "integrations/flow/",
    ):
        page.goto(f"{live_server.url}/admin/{place}")
        page.wait_for_load_state("networkidle")
    assert [url for url in asked if not url.startswith((live_server.url, "data:"))] == []
    assert errors == []
