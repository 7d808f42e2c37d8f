"""A flow's page: its drawing, its figures, what to enter at the edge, a run as it goes on."""

import re
from datetime import timedelta
from html import unescape
from xml.etree import ElementTree as ET

import pytest
from django.utils import timezone

from integrations import models
from integrations.admin import flow_numbers
from integrations.admin.flow_drawing import drawing, lines_of
from integrations.admin.flow_edge import DERMS_ADDRESS, sheet_of, sheet_text
from integrations.admin.flow_numbers import numbers_of
from integrations.admin.flow_parts import Parts
from integrations.admin.flow_story import story_of
from integrations.engine.registry import coded, spec_for
from tests import factories
from tests.unit.admin.conftest import page_of, text_of

FILE_FLOW, SYNC = "OUTL-BA-CCS_DACS_CUST_SYNC_FTP", "OUTL-BA-DACS_DERMS_PROGRULE_SYNC"


def row_of(identifier):
    return models.Flow.objects.get(identifier=identifier)


def told(identifier):
    """The titles of a flow's steps, and the names beside them."""
    spec = spec_for(identifier)
    steps = story_of(spec, Parts(spec, row_of(identifier)))
    return [step.title for step in steps], {side.name for step in steps for side in step.sides}


# -- the drawing -----------------------------------------------------------------------------------------


def test_every_flow_is_drawn_with_all_that_it_declares(db):
    for spec in coded():
        steps = story_of(spec, Parts(spec, row_of(spec.identifier)))
        svg = drawing(steps, spec.name)
        shown = {side.name for step in steps for side in step.sides}
        titles = " ".join(step.title for step in steps)
        assert len(steps) >= 3, spec.identifier
        assert {*spec.connections, *spec.calls, *spec.lookups} <= shown, spec.identifier
        assert all(name in titles for name in spec.mapping_names), spec.identifier
        assert len(ET.fromstring(f"<both>{svg}</both>")) == 2  # noqa: S314  (our own drawing)


def test_a_synchronous_flow_s_steps_are_in_order(db):
    titles, beside = told(SYNC)
    assert titles == [
        "Called: POST …/X1-GEDPGRMSG",
        "Check and store the message",
        "Find the target",
        "Map with program_rule",
        "Call updateProgram",
        "Hand the message on",
        "Answer the caller",
        "If something fails",
    ]
    assert "OUTL-BRT-DACS_DRMS_WeekDay" in beside


def test_an_acknowledgement_comes_after_the_work(db):
    titles, _ = told("OUTL_BA_DRMS_DACS_EVT_DVCRESV")
    assert titles.index("Map with reserve_devices") < titles.index("Map with segments_ack")
    assert titles[-3:] == ["Acknowledge: deviceReservationAck", "Mail that it is done", "If something fails"]


def test_a_file_flow_lists_hands_over_and_renames(db):
    titles, beside = told(FILE_FLOW)
    assert titles[1:4] == ["List the files", "Hand each file to a flow", "Rename at the source"]
    assert "OUTL-BA-CCS_DACS_OS_TRANSFER" in beside


def test_what_comes_from_outside_is_escaped_in_the_drawing(db):
    models.Connection.objects.filter(name="OU FTP CCS for CCS-DACS").delete()
    spec = spec_for(FILE_FLOW)
    svg = drawing(story_of(spec, Parts(spec, row_of(FILE_FLOW))), '"><script>')
    assert "<script>" not in svg
    assert "Connection, missing" in svg


def test_long_names_are_broken_at_their_hyphens():
    assert lines_of("OUTL-BA-DACS_DERMS_EVT_CUST_UNAVAIL_UPD", 200) == [
        "OUTL-BA-DACS_DERMS_EVT_",
        "CUST_UNAVAIL_UPD",
    ]


def test_the_last_good_instance_says_how_long_each_step_took(viewer, db):
    instance = factories.InstanceFactory(flow=row_of(SYNC))
    factories.ActivityFactory(
        instance=instance, kind="mapped", text="Mapped with program_rule, 1 extension(s)", duration_ms=4.0
    )
    factories.ActivityFactory(
        instance=instance, kind="called", text="x", operation="updateProgram", duration_ms=210.0
    )
    factories.InstanceFactory(flow=row_of(SYNC), status="failed")
    page = text_of(viewer.get(page_of(row_of(SYNC))))
    assert "last time 4 ms" in page
    assert "last time 210 ms" in page


# -- figures ---------------------------------------------------------------------------------------------


def ended(flow, hours, seconds=1.0, **more):
    at = timezone.now() - timedelta(hours=hours)
    return factories.InstanceFactory(
        flow=flow, created_at=at, ended_at=at + timedelta(seconds=seconds), **more
    )


def test_figures_of_a_day_and_a_week(db):
    flow = row_of(SYNC)
    for seconds in (1, 2, 3):
        ended(flow, 0.1, seconds)
    ended(flow, 2, status="failed"), ended(flow, 30, status="held"), ended(flow, 24 * 8)
    found = numbers_of(flow)
    assert (found.day.received, found.day.good, found.day.bad) == (4, 3, 1)
    assert (found.week.received, found.week.bad) == (5, 2)
    assert (found.median, found.timed) == ("2.0 s", 3)
    assert sum(bar.total for bar in found.hours) == 4
    assert sum(bar.total for bar in found.days) == 5
    assert not found.day.bounded


def test_each_figure_leads_to_as_many_instances(viewer, db):
    flow = row_of(SYNC)
    for status in ("succeeded", "succeeded", "skipped", "failed", "held", "running", "discarded"):
        ended(flow, 23.9999, status=status)
    ended(flow, 30, status="skipped"), factories.InstanceFactory()
    table = text_of(viewer.get(page_of(flow))).split("<h2>How it did</h2>")[1].split("</table>")[0]
    found = [(unescape(link), int(said)) for link, said in re.findall(r'href="([^"]+)">(\d+)<', table)]
    assert [said for _, said in found] == [7, 3, 2, 8, 4, 2]
    assert [viewer.get(link).context["cl"].result_count for link, _ in found] == [said for _, said in found]


def test_figures_are_bounded_and_say_so(viewer, db, monkeypatch):
    monkeypatch.setattr(flow_numbers, "ROWS", 3)
    flow = row_of(SYNC)
    for hours in (0.1, 0.2, 0.3, 0.4, 30):
        ended(flow, hours)
    found = numbers_of(flow)
    assert (found.day.received, found.day.bounded) == (3, True)
    assert "Only the newest" in text_of(viewer.get(page_of(flow)))


# -- what to enter at the edge ---------------------------------------------------------------------------


def sheet(identifier):
    return sheet_of(spec_for(identifier), row_of(identifier))


def entered(identifier):
    return {one.name: one.value for one in sheet(identifier).settings}


def test_dacs_gets_its_message_sender_as_seed_001_has_it(db, settings):
    settings.HUB_URL = "https://hub.example.com/"
    found = entered("OUTL-BA-DACS_CCS_CUST_SYNC_ACK")
    assert found["HTTP URL 1"] == (
        "https://hub.example.com/ic/api/integration/v1/flows/oracleutilities/"
        "OUTL-BA-DACS_CCS_CUST_SYNC_ACK/1.0/sendCustomerSyncAck"
    )
    assert (found["HTTP Timeout"], found["HTTP Method (POST/GET)"]) == ("300", "POST")
    assert (found["Message Class"], found["MSG Encoding"]) == ("RTJSONSNDR", "UTF-8 message encoding")
    assert (found["Outbound Message Type"], found["Date/Time Format"]) == ("X1-SYNREQACK", "XSD")


def test_derms_gets_the_rows_of_its_parameter_table(db):
    found = entered("OUTL-BA-DRMS_OUAI_EVT_OUTC_TRNFR")
    assert found["OIC_EVENT_OUTCOME_OUAI_URL"].endswith(
        "/flows/rest/OUTL-BA-DRMS_OUAI_EVT_OUTC_TRNFR/1.0/eventOutcome"
    )
    assert {"OIC_USER", "OIC_PASS", "MAX_RETRIES"} <= set(found)


def test_every_flow_of_the_parameter_table_is_there_and_called_by_derms(db):
    for identifier, parameter in DERMS_ADDRESS.items():
        found = sheet(identifier)
        assert found.system == "DERMS"
        assert parameter in {one.name for one in found.settings}


def test_every_inbound_flow_has_a_sheet_with_address_time_out_and_method(db):
    for spec in coded():
        found = sheet_of(spec, row_of(spec.identifier))
        assert (found is not None) == (spec.trigger.kind == "inbound")
        if found:
            text = sheet_text(spec, found)
            assert found.addresses[0] in text
            assert "300" in text
            assert "POST" in text


def test_the_clients_that_may_call_are_the_user(db):
    client = factories.ClientFactory(client_id="CPMCS")
    client.flows.add(row_of(SYNC))
    factories.ClientFactory(client_id="off", enabled=False).flows.add(row_of(SYNC))
    assert entered(SYNC)["HTTP Login User"] == "CPMCS"


def test_the_sheet_is_downloaded_as_text(viewer, db):
    answer = viewer.get(page_of(row_of(SYNC), "edge"))
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "X1-GEDPGRMSG" in text_of(answer)
    assert viewer.get(page_of(row_of(FILE_FLOW), "edge")).status_code == 404


# -- a run as it goes on ---------------------------------------------------------------------------------


@pytest.fixture
def run(db):
    instance = factories.InstanceFactory(flow=row_of(FILE_FLOW), status="running", ended_at=None)
    factories.ActivityFactory(instance=instance, text="Listed /in for C1*")
    return instance


def test_progress_tells_state_and_new_lines(viewer, run):
    url = page_of(row_of(FILE_FLOW), "progress")
    first = viewer.get(url, {"run": run.pk}).json()
    assert (first["status"], first["ended"]) == ("running", False)
    assert [line["text"] for line in first["lines"]] == ["Listed /in for C1*"]
    models.Instance.objects.filter(pk=run.pk).update(status="succeeded")
    then = viewer.get(url, {"run": run.pk, "after": first["lines"][-1]["id"]}).json()
    assert (then["label"], then["ended"], then["lines"]) == ("Succeeded", True, [])


def test_progress_is_of_this_flow_s_runs_only(viewer, run):
    for wanted in (factories.InstanceFactory().pk, "nonsense", ""):
        assert viewer.get(page_of(row_of(FILE_FLOW), "progress"), {"run": wanted}).status_code == 404
    assert viewer.get("/admin/integrations/flow/0/progress/", {"run": run.pk}).status_code == 404


def test_the_page_shows_the_run_it_was_started_with(operator, run):
    page = text_of(operator.get(page_of(row_of(FILE_FLOW)), {"run": run.pk}))
    assert 'aria-live="polite"' in page
    assert "Listed /in for C1*" in page
    assert page_of(run) in page


def test_the_form_remembers_what_was_entered_last(operator, db):
    flow = row_of(FILE_FLOW)
    factories.InstanceFactory(flow=flow, parameters={"extractedFileNamePrefix": "C1-DSPEX"})
    assert 'value="C1-DSPEX"' in text_of(operator.get(page_of(flow)))
    models.Flow.objects.filter(pk=flow.pk).update(active=True)
    operator.post(page_of(flow, "run"), {"parameter_extractedFileNamePrefix": "C1-DMSEX"})
    page = text_of(operator.get(page_of(flow)))
    assert 'name="parameter_extractedFileNamePrefix" value="C1-DMSEX"' in page
