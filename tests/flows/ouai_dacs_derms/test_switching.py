"""Switching the package's flows on and off, its error handler, its messages by URL (seed 003 chapters 2 and 7)."""

import base64
import json
from typing import Any

import pytest
from django.test import Client as Browser

from demo.ouai import FORECASTS, OUTCOMES
from integrations.models import Client, Connection, Flow, Instance
from integrations.services.client_create import client_create
from integrations.services.flow_switch import FlowNotReady, flow_activate, flow_problems
from lookups.models import Row
from tests.flows.conftest import mails, property_set
from tests.flows.cpmcs_derms.conftest import run_once
from tests.flows.ouai_dacs_derms.conftest import (
    CALLERS,
    CONFIG,
    DACS,
    DACS_FTP,
    DACS_OS,
    DERMS,
    DERMS_FILES,
    EMAILS,
    OUAI_OS,
    PACKAGE,
    Sides,
    read,
    run_flow,
    told,
)

FTP, OS = "OUTL-BA-DACS_OUAI_FTP_ENROLL", "OUTL-BA-DACS_OUAI_OS_ENROLL"
ACK, KWH = "OUTL-BA-OUAI_DACS_OS_ENROLL_ACK", "OUTL-BA-OUAI_DACS_KWHAVD_OS_TRF"
FORECAST, OUTCOME = "OUTL-BA-OUAI_OS_LR_FORECAST", "OUTL-BA-DRMS_OUAI_EVT_OUTC_TRNFR"
TO_OUAI, HANDLER = "OUTL-BA-OUAI_OS_TRANSFER", "OUTL-BA-OUAI_DACS_DRMS_ERR_HNDLR"
TO_DACS_FTP, TO_DACS_OS = "OUTL-BA-OUAI_DACS_FTP_TRANSFER", "OUTL-BA-OUAI_DACS_OS_TRANSFER"
TEN = {FTP, OS, ACK, KWH, FORECAST, OUTCOME, TO_OUAI, HANDLER, TO_DACS_FTP, TO_DACS_OS}
TOLD = {
    FTP: ("dacs", "ouai"),
    OS: ("dacs", "ouai"),
    ACK: ("dacs", "ouai"),
    KWH: ("dacs", "ouai"),
    FORECAST: ("ouai", "drms"),
    OUTCOME: ("ouai", "drms"),
}
USES = {
    FTP: (DACS_FTP,),
    OS: (DACS_OS,),
    ACK: (OUAI_OS, DACS),
    KWH: (OUAI_OS,),
    FORECAST: (OUAI_OS, DERMS_FILES),
    OUTCOME: (DERMS,),
    TO_OUAI: (OUAI_OS,),
    TO_DACS_FTP: (DACS_FTP,),
    TO_DACS_OS: (DACS_OS,),
}
NEEDS = {
    FTP: ("dacs.ftp.enroll.input.directory", "dacs.enroll.filename.prefix", "dacs.prefixtag.fileuploaded"),
    OS: ("dacs.os.namespace", "dacs.os.enroll.bucket"),
    ACK: ("ouai.os.enrollack.bucket", "ouai.os.enrollack.filename.prefix", "dacs.error.ack.messagenumber"),
    KWH: ("ouai.os.kwhavoided.bucket", "dacs.file.target.transfer.pref", "ouai.prefixtag.fileuploaded"),
    FORECAST: ("ouai.os.loadreductionforecast.bucket", "ouai.loadreductionforecast.filename.prefix"),
    OUTCOME: ("ouai.os.eventoutcome.bucket", "ouai.os.namespace"),
}
SECRET = "a-secret-of-24-characters"
URL = f"/ic/api/integration/v1/flows/rest/{OUTCOME}/1.0/eventOutcome"


def problems(identifier: str) -> str:
    return "; ".join(flow_problems(Flow.objects.get(identifier=identifier)))


def nobody(whose: str) -> None:
    """The list of these recipients is not there."""
    Row.objects.filter(lookup__name=EMAILS, cells__0=f"{whose}.to.process.notification").delete()


def test_the_package_has_its_ten_flows(door: Client):
    found = Flow.objects.filter(package=PACKAGE, present=True)
    assert set(found.values_list("identifier", flat=True)) == TEN


def test_every_flow_can_be_switched_on_once_its_sides_are_set_up(sides: Sides):
    Flow.objects.filter(package=PACKAGE).update(active=False)
    for flow in Flow.objects.filter(package=PACKAGE):
        flow_activate(flow=flow, actor="op")
    assert Flow.objects.filter(package=PACKAGE, active=True).count() == 10


@pytest.mark.parametrize(
    ("identifier", "whose"), [(flow, one) for flow, all_ in TOLD.items() for one in all_]
)
def test_each_list_of_recipients_is_needed(sides: Sides, identifier: str, whose: str):
    assert problems(identifier) == ""
    nobody(whose)
    assert f"{whose}.to.process.notification" in problems(identifier)
    with pytest.raises(FlowNotReady):
        flow_activate(flow=Flow.objects.get(identifier=identifier), actor="op")


@pytest.mark.parametrize("identifier", TOLD)
def test_the_lists_of_others_are_not(sides: Sides, identifier: str):
    for other in {"dacs", "ouai", "drms"} - set(TOLD[identifier]):
        nobody(other)
    assert problems(identifier) == ""


@pytest.mark.parametrize(("identifier", "name"), [(flow, one) for flow, all_ in USES.items() for one in all_])
def test_each_connection_is_needed(sides: Sides, identifier: str, name: str):
    Connection.objects.filter(name=name).delete()
    assert name in problems(identifier)


@pytest.mark.parametrize(
    ("identifier", "name"), [(flow, one) for flow, all_ in NEEDS.items() for one in all_]
)
def test_each_property_is_needed(sides: Sides, identifier: str, name: str):
    Row.objects.filter(lookup__name=CONFIG, cells__0=name).delete()
    assert name in problems(identifier)


@pytest.mark.parametrize(
    ("identifier", "name", "operation"),
    [
        (ACK, DACS, "F1-SyncRequest"),
        (FORECAST, DERMS_FILES, "loadReductionForecast"),
        (OUTCOME, DERMS, "deviceOutcomeAck"),
    ],
)
def test_each_operation_is_needed(sides: Sides, identifier: str, name: str, operation: str):
    row = Connection.objects.get(name=name)
    row.settings = {**row.settings, "operations": {}}
    row.save()
    assert operation in problems(identifier)


def test_the_list_of_derms_may_be_spelt_as_the_flow_spells_it(
    sides: Sides,
):  # Load Reduction Forecast, step 4
    row = Row.objects.get(lookup__name=EMAILS, cells__0="drms.to.process.notification")
    row.cells = ["derms.to.process.notification", "d@myCy.com", ""]
    row.save()
    assert problems(FORECAST) == ""
    assert run_flow(FORECAST).status == "succeeded"
    (mail,) = mails("no-file")
    assert "d@myCy.com" in mail.recipients


# -- the error handler -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error_flag", "kind", "told_by_mail"),
    [
        ("true", "email", True),
        ("true", "true", True),
        ("false", "email", False),
        ("true", "false", False),
    ],
)
def test_an_error_is_mailed_where_both_flags_say_so(
    sides: Sides, error_flag: str, kind: str, told_by_mail: bool
):  # Common Error Handler; contract: "counts as on for `email` or `true`"
    property_set(CONFIG, "notification.email.error.flag", error_flag)
    property_set(CONFIG, "notification.type.email", kind)
    sides.bucket(FORECASTS).put("ouai.load_forecast.1.csv", b"x")
    sides.derms.fail("500", 1)
    failed = run_flow(FORECAST)
    assert failed.status == "failed"
    assert [mail.recipients for mail in mails("error")] == [["errorDist@myCy.com"]] * told_by_mail
    handler = Instance.objects.get(flow__identifier=HANDLER)
    assert handler.status == ("succeeded" if told_by_mail else "skipped")
    assert handler.parent == failed


# -- by URL ----------------------------------------------------------------------------------------------

BOUNDARY = "frontier"


@pytest.fixture
def headers(sides: Sides) -> dict[str, str]:
    """DERMS's log-in at the hub."""
    client_create(client_id="derms", secret=SECRET, flows=list(Flow.objects.all()))
    return {"Authorization": "Basic " + base64.b64encode(f"derms:{SECRET}".encode()).decode()}


def part(name: str, content: bytes, file_name: str = "") -> bytes:
    named = f'; filename="{file_name}"' if file_name else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def post(headers: dict[str, str], url: str, *parts: bytes) -> Any:
    body = b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()
    return Browser().post(
        url, body, content_type=f"multipart/form-data; boundary={BOUNDARY}", headers=headers
    )


def test_an_outcome_by_url_is_accepted_and_carried(sides: Sides, headers: dict[str, str]):
    message = part("request", json.dumps(told("event_outcome")).encode())
    answer = post(headers, URL, part("file", read("event_outcome.csv"), "outcome.csv"), message)
    assert answer.status_code == 202
    assert answer.json()["status"] == "ready"
    instance = run_once(Instance.objects.get(pk=answer["X-Busbar-Instance"]))
    assert instance.status == "succeeded"
    assert sides.bucket(OUTCOMES).read("outcome_20260702.csv") == read("event_outcome.csv")


@pytest.mark.parametrize(
    ("identifier", "name"),
    [(TO_OUAI, "ouai_transfer"), (TO_DACS_FTP, "ftp_transfer"), (TO_DACS_OS, "os_transfer")],
)
def test_a_child_by_url_answers_with_what_it_wrote(
    sides: Sides, headers: dict[str, str], identifier: str, name: str
):  # contract: children answer 200 {"status":"SUCCESS","size","sha256"}
    url = f"/ic/api/integration/v1/flows/rest/{identifier}/1.0/transfer"
    answer = post(
        headers, url, part("request", json.dumps(told(name)).encode()), part("file", b"12345", "a.csv")
    )
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["size"]) == ("SUCCESS", 5)


@pytest.mark.parametrize("identifier", [FTP, OS, ACK, KWH, FORECAST])
def test_a_scheduled_flow_is_not_started_by_a_call(sides: Sides, headers: dict[str, str], identifier: str):
    answer = Browser().post(
        f"/ic/api/integration/v1/flows/rest/{identifier}/1.0/go",
        b"{}",
        content_type="application/json",
        headers=headers,
    )
    assert (answer.status_code, answer.json()["o:errorCode"]) == (404, "HUB-UNKNOWN-FLOW")


def test_the_callers_connection_is_there_for_who_calls(sides: Sides):
    assert Connection.objects.get(name=CALLERS).role == "trigger"
