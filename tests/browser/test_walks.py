"""The paths people walk from beginning to end, in a real browser, with real neighbours."""

import io
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import Group, Permission
from playwright.sync_api import Locator, Page, expect

from demo.cpmcs import Cpmcs
from integrations.engine.runner import work_on
from integrations.models import BulkResubmission, Client, Flow, Instance, MappingExtension, Notification
from integrations.services.bulk_work import bulk_work
from integrations.services.instance_submit import instance_submit
from lookups.models import Lookup, Row
from lookups.resolve import lookup_value
from tests.flows.conftest import connection_set

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SAMPLE = Path(__file__).parents[1] / "samples" / "cpmcs_derms" / "enroll_ack_positive.json"
ACK, RESOURCE = "OUTL-BA-DERMS_DACS_EN_DVSTAT_ACK", "enroll-ack-all-to-dacs"
STATUS = "OUTL-BRT-DACS_DRMS_DeviceHeadendStatus"
SENT = "/rest/apis/cross/digitalAssets/programEnrollments/postAcknowledgement"
USER, PASSWORD = "HUB", "a long password"


@pytest.fixture
def cpmcs(transactional_db, live_server, settings):
    """CPMCS as a real server, and the hub that mails links to this one."""
    settings.HUB_URL = live_server.url
    Flow.objects.update(active=True)
    with Cpmcs(username=USER, password=PASSWORD) as neighbour:
        connection_set(
            "OU REST CPMCS for CPMCS-DERMS",
            {"url": neighbour.url, "auth": "basic", "user": USER},
            {"password": PASSWORD},
        )
        yield neighbour


def sent(headend: str, message_id: str = "20000000000001") -> Instance:
    """DERMS's acknowledgement of one device, taken and worked on once."""
    message: dict[str, Any] = json.loads(SAMPLE.read_text())
    message |= {"dacsMessageId": message_id, "devices": [{"deviceId": "1", "headEndStatus": headend}]}
    client, _ = Client.objects.get_or_create(client_id="DERMS")
    client.flows.set(Flow.objects.filter(identifier=ACK))
    content = json.dumps(message).encode()
    made = instance_submit(identifier=ACK, resource=RESOURCE, version="1.0", message=content, client=client)
    work_on(made.instance.pk)
    made.instance.refresh_from_db()
    return made.instance


def arrived(neighbour: Cpmcs) -> list[dict[str, Any]]:
    """The acknowledgements that CPMCS has taken."""
    return [one["body"] for one in neighbour.received() if one["path"] == SENT]


@dataclass
class Hand:
    """A person's hand: each click is counted."""

    page: Page
    clicked: list[str] = field(default_factory=list)

    def click(self, what: Locator) -> None:
        self.clicked.append(what.inner_text().strip())
        what.click()


def test_from_the_mail_to_the_recovered_instance_in_six_clicks(enter, cpmcs):
    page = enter("Operator")
    person = Group.objects.get(name="Operator").user_set.get()
    person.groups.add(Group.objects.get(name="Business admin"))
    instance = sent("ASLEEP")
    assert instance.status == "failed"
    mail = Notification.objects.get(kind="error")
    link = re.search(r"Put it right: (\S+)", mail.body)
    assert link

    hand = Hand(page)
    page.goto(link[1])
    expect(page.get_by_text("ASLEEP").first).to_be_visible()
    hand.click(page.get_by_role("link", name="Add the row"))
    page.get_by_label("CPMCS").fill("D1NR")
    hand.click(page.get_by_role("button", name="Add the row"))
    hand.click(page.get_by_role("link", name="See and release 1"))
    hand.click(page.get_by_role("button", name=re.compile("^Resubmit")))
    expect(page.get_by_role("heading", level=2).first).to_be_visible()
    assert len(hand.clicked) <= 6, hand.clicked

    assert bulk_work() == 1  # as the beat does each second
    work_on(instance.pk)  # as a worker does at once
    page.reload()
    expect(page.get_by_text(re.compile("recovered", re.IGNORECASE)).first).to_be_visible()
    instance.refresh_from_db()
    assert (instance.status, instance.error.state) == ("succeeded", "recovered")
    assert arrived(cpmcs)[0]["deviceHeadendStatus"] == [{"deviceId": "1", "headEndRegistration": "D1NR"}]
    assert Row.history.filter(history_user=person).exists()
    assert BulkResubmission.objects.get().actor == person.username


def test_an_extra_field_is_mapped_in_the_studio_and_arrives_at_the_neighbour(enter, cpmcs, live_server):
    flow = Flow.objects.get(identifier=ACK)
    sent("REGISTERED", "20000000000001")
    assert "message" not in arrived(cpmcs)[0]["deviceHeadendStatus"][0]

    page = enter("Configurator")
    person = Group.objects.get(name="Configurator").user_set.get()
    person.user_permissions.add(Permission.objects.get(codename="read_payload"))  # a site's own decision
    page.goto(f"{live_server.url}/admin/integrations/mapping/{flow.mappings.get().pk}/studio/?extension=new")
    page.get_by_label(re.compile("^At")).fill("/deviceHeadendStatus/*")
    page.get_by_label(re.compile("^Expression")).fill('{"message": source.nowhere.}')
    expect(page.locator("#st-trouble")).to_contain_text(re.compile("line 1", re.IGNORECASE))
    page.get_by_label(re.compile("^Expression")).fill('{"message": "From " & source.drmsInstanceId}')
    recorded = page.locator("#st-source option").filter(has_text="20000000000001")
    page.get_by_label("Try it on").select_option(recorded.get_attribute("value"))
    expect(page.locator("#st-result")).to_contain_text("From DERMS1")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#st-reason-error")).to_be_visible()  # a reason is asked for
    page.get_by_label(re.compile("^Reason")).fill("CPMCS shows which DERMS it was")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Back to the mapping")).to_be_visible()
    assert MappingExtension.objects.get().reason == "CPMCS shows which DERMS it was"

    again = sent("REGISTERED", "20000000000002")
    assert again.status == "succeeded", again.fault_text
    assert arrived(cpmcs)[1]["deviceHeadendStatus"][0]["message"] == "From DERMS1"


@pytest.fixture
def long_lookup(transactional_db):
    """A lookup of 500 rows."""
    made = Lookup.objects.create(name="MeterTypes", columns=["CIS", "DERMS", "Note"])
    Row.objects.bulk_create(
        Row(lookup=made, position=n, cells=[f"C{n:03d}", f"D{n:03d}", ""], text=f"C{n:03d}\nD{n:03d}\n")
        for n in range(1, 501)
    )
    return made


def test_a_lookup_of_500_rows_is_edited_in_place(enter, live_server, long_lookup):
    page = enter("Business admin")
    page.goto(f"{live_server.url}/admin/lookups/row/?lookup__id__exact={long_lookup.pk}")
    expect(page.get_by_role("row").filter(has_text="C001")).to_have_count(0)  # values stand in inputs
    for code, value in (("C003", "first page"), ("C099", "its last rows")):
        row = page.get_by_role("row").filter(has=page.locator(f'input[value="{code}"]'))
        row.get_by_role("textbox").nth(1).fill(value)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text(re.compile("changed successfully"))).to_be_visible()
    page.goto(f"{live_server.url}/admin/lookups/row/?lookup__id__exact={long_lookup.pk}&q=C487")
    row = page.get_by_role("row").filter(has=page.locator('input[value="C487"]'))
    row.get_by_role("textbox").nth(1).fill("found by search")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text(re.compile("changed successfully"))).to_be_visible()
    for code, value in (("C003", "first page"), ("C099", "its last rows"), ("C487", "found by search")):
        assert lookup_value("MeterTypes", "CIS", code, "DERMS") == value
    assert lookup_value("MeterTypes", "CIS", "C004", "DERMS") == "D004"


def workbook(*rows: tuple[str, ...]) -> bytes:
    """An XLSX file of these rows."""
    book, content = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(content)
    return content.getvalue()


def test_an_xlsx_with_three_bad_rows_names_each_and_brings_the_others(enter, live_server, transactional_db):
    limits = Lookup.objects.create(name="Limits", kind="properties", columns=["Name", "Value", "Description"])
    for name, kind in (("a.seconds", "integer"), ("b.flag", "boolean"), ("c.mail", "emails")):
        Row.objects.create(lookup=limits, cells=[name, "", ""], kind=kind)
    file = workbook(
        ("Name", "Value", "Description"),
        ("a.seconds", "soon", ""),
        ("b.flag", "perhaps", ""),
        ("c.mail", "nobody", ""),
        ("d.text", "anything", "new"),
    )
    page = enter("Configurator")
    page.goto(f"{live_server.url}/admin/lookups/row/import/?lookup={limits.pk}")
    page.set_input_files("input[type=file]", {"name": "limits.xlsx", "mimeType": "", "buffer": file})
    page.get_by_role("button", name="Submit").click()
    for said in ("a.seconds", "b.flag", "c.mail"):
        expect(page.get_by_text(said).first).to_be_visible()
    assert limits.rows.count() == 3  # nothing is written yet
    page.get_by_role("button", name=re.compile("leave these out")).click()
    page.wait_for_url(re.compile(r"/admin/lookups/row/\?"))
    assert [row.cells[:2] for row in limits.rows.order_by("position")] == [
        ["a.seconds", ""],
        ["b.flag", ""],
        ["c.mail", ""],
        ["d.text", "anything"],
    ]
