"""Clones: the code of a flow under another identifier, with names of its own for what the code names."""

import json
import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from integrations.adapters.memory import memory_forget, memory_place
from integrations.engine import registry
from integrations.engine.faults import Conflict, InvalidMessage, UnknownFlow
from integrations.engine.runner import work_on
from integrations.models import (
    AuditEntry,
    Connection,
    Flow,
    Instance,
    MappingExtension,
    Notification,
    Schedule,
)
from integrations.services.flow_clone import flow_clone, flow_clone_change, flow_clone_delete
from integrations.services.flow_run import flow_run, schedule_start
from integrations.services.flows_sync import flows_sync
from integrations.services.instance_submit import _stored_answer, instance_submit
from lookups.models import Lookup, Row
from tests import factories

FILES, TRANSFER = "OUTL-BA-CCS_DACS_CUST_SYNC_FTP", "OUTL-BA-CCS_DACS_FTP_TRANSFER"
CONFIG, EMAILS = "OUTL-BRT-CCS_DACS_ConfigProps", "OUTL-BRT-CCS_DACS_Email_ID"
SOURCE, TARGET = "OU FTP CCS for CCS-DACS", "OU FTP DACS for CCS-DACS"
IN, OUT = "/sploutput/CCSEnv/CustomerSync", "/spl/sploutput/DACSEnv/CustomerSync"
PREFIX = {"extractedFileNamePrefix": "C1-DCTEX"}


def clone_of(identifier: str, name: str, **own: dict[str, str]) -> Flow:
    return flow_clone(
        flow=Flow.objects.get(identifier=identifier), identifier=name, name=name, own=own, actor="conny"
    )


def worked(instance: Instance) -> Instance:
    work_on(instance.pk)
    instance.refresh_from_db()
    return instance


@pytest.fixture
def sample(make_flow, client):
    """A flow with a mapping, and its clone, switched on."""
    flow = make_flow(lambda run, message: run.map("order", message), mappings=("order",), message_id="id")
    MappingExtension.objects.create(
        mapping=flow.mappings.get(), expression='{"site": "south"}', reason="own field"
    )
    Schedule.objects.create(flow=flow, name="nightly", cron="0 2 * * *")
    clone = clone_of("TEST-FLOW", "TEST-NORTH")
    Flow.objects.update(active=True)
    return clone


def send(client, identifier, message):
    body = json.dumps(message).encode()
    return instance_submit(
        identifier=identifier, resource="go", version="1.0", message=body, client=client
    ).instance


def test_a_clone_has_its_own_row_instances_and_extensions(sample, client):
    MappingExtension.objects.filter(mapping__flow=sample).update(expression='{"site": "north"}')
    base, clone = (worked(send(client, name, {"id": "7"})) for name in ("TEST-FLOW", "TEST-NORTH"))
    assert (base.status, clone.status) == ("succeeded", "succeeded")
    assert clone.flow == sample
    assert _stored_answer(base)["site"] == "south"
    assert _stored_answer(clone)["site"] == "north"


def test_one_message_id_at_the_base_and_at_the_clone_is_two_messages(sample, client):
    first, second = (send(client, name, {"id": "7"}) for name in ("TEST-FLOW", "test-north"))
    assert first.pk != second.pk


def test_schedules_are_copied_switched_off(sample):
    assert sample.schedules.get().enabled is False
    assert sample.schedules.get().next_due_at is None


def test_a_clone_is_kept_and_follows_the_code(sample):
    Flow.objects.filter(pk=sample.pk).update(version="00.00.0000", present=False, name="North")
    sample.mappings.all().delete()
    flows_sync()
    sample.refresh_from_db()
    assert (sample.version, sample.present, sample.name) == ("01.00.0000", True, "North")
    assert sample.mappings.get().name == "order"


def test_a_clone_goes_with_its_code(sample):
    registry.registered().pop("TEST-FLOW"), registry._found.clear()
    flows_sync()
    sample.refresh_from_db()
    assert (sample.present, sample.active) == (False, False)
    registry.clones_changed()
    with pytest.raises(UnknownFlow):
        registry.spec_for("TEST-NORTH")
    registry.registered()["TEST-FLOW"] = None  # for the fixture, which takes it away


def test_a_clone_that_another_process_made_is_found_at_once(sample):
    registry.spec_for("TEST-NORTH")
    Flow.objects.create(identifier="TEST-EAST", name="East", clone_of=sample.clone_of, pattern="async")
    assert registry.spec_for("test-east").identifier == "TEST-EAST"
    assert {"TEST-EAST", "TEST-NORTH"} <= {spec.identifier for spec in registry.specs()}
    assert "TEST-EAST" not in {spec.identifier for spec in registry.coded()}


def test_a_change_by_another_process_is_seen_within_half_a_second(sample, monkeypatch):
    registry.spec_for("TEST-NORTH")
    Flow.objects.filter(pk=sample.pk).update(stands_for={"lookups": {CONFIG: "Other"}})
    monkeypatch.setattr(registry._clones, "_asked_at", time.monotonic() - 0.6)
    assert registry.spec_for("TEST-NORTH").package.config == "Other"


def test_known_flows_and_clones_cost_no_query(sample):
    registry.spec_for("TEST-NORTH")
    with CaptureQueriesContext(connection) as asked:
        registry.spec_for("TEST-FLOW"), registry.spec_for("TEST-NORTH")
    assert not asked.captured_queries


# -- names of its own ------------------------------------------------------------------------------------


def test_lookups_are_the_clone_s_own_in_code_and_mappings(make_flow, client):
    for name, code in (("Types", "X1"), ("Types north", "X2")):
        lookup = Lookup.objects.create(name=name, kind="table", columns=["A", "B"])
        Row.objects.create(lookup=lookup, cells=["one", code])
    make_flow(lambda run, message: run.lookup("TYPES", "A", "one", "B"), tables=("Types",))
    clone_of("TEST-FLOW", "TEST-NORTH", lookups={"Types": "Types north"})
    Flow.objects.update(active=True)
    answers = [_stored_answer(worked(send(client, name, {}))) for name in ("TEST-FLOW", "TEST-NORTH")]
    assert answers == ["X1", "X2"]
    functions = registry.spec_for("TEST-NORTH").stands
    assert functions.lookup("ty_pes") == "Types north"


@pytest.fixture
def north(transactional_db):
    """The customer sync with a clone of it and of its child, each with a file server of its own, and mail lists."""
    memory_forget()
    flows_sync()
    for name, directory in ((SOURCE, IN), (TARGET, OUT), ("North CCS", IN), ("North DACS", OUT)):
        row, _ = Connection.objects.get_or_create(name=name, defaults={"adapter": "memory"})
        Connection.objects.filter(pk=row.pk).update(adapter="memory", settings={"store": name}, retries=0)
        memory_place(name).make(directory)
    emails = Lookup.objects.get(name=EMAILS)
    own = Lookup.objects.create(name="North mails", kind=emails.kind, columns=emails.columns)
    for row in emails.rows.all():
        value = "north@example.com" if row.cells[0] != "from" else row.cells[1]
        Row.objects.create(lookup=own, cells=[row.cells[0], value, *row.cells[2:]])
    clone_of(TRANSFER, "NORTH-TRANSFER", connections={TARGET: "North DACS"})
    clone = clone_of(
        FILES,
        "NORTH-SYNC",
        connections={SOURCE: "North CCS"},
        lookups={EMAILS: "North mails"},
        flows={TRANSFER: "NORTH-TRANSFER"},
    )
    Flow.objects.update(active=True)
    clone.refresh_from_db()
    yield clone
    memory_forget()


def test_a_cloned_file_flow_moves_between_its_own_servers_by_its_own_child(north):
    for name in ("North CCS", SOURCE):
        memory_place(name).directories[IN].update({f"C1-DCTEX_{n}.csv": b"x\n" for n in (1, 2)})
    assert worked(flow_run(flow=north, parameters=PREFIX, actor="olga")).status == "succeeded"
    assert sorted(memory_place("North DACS").directories[OUT]) == ["C1-DCTEX_1.csv", "C1-DCTEX_2.csv"]
    assert not memory_place(TARGET).directories[OUT]
    assert sorted(memory_place(SOURCE).directories[IN]) == ["C1-DCTEX_1.csv", "C1-DCTEX_2.csv"]
    assert {row.flow.identifier for row in Instance.objects.filter(parent__flow=north)} == {"NORTH-TRANSFER"}
    assert Notification.objects.get().recipients == ["north@example.com"]


def test_the_base_s_child_is_left_alone_by_what_its_caller_replaces(north):
    flow_clone_change(flow=north, name="", own={"connections": {SOURCE: "North CCS"}}, actor="conny")
    memory_place("North CCS").directories[IN]["C1-DCTEX_1.csv"] = b"x\n"
    assert worked(flow_run(flow=north, parameters=PREFIX, actor="olga")).status == "succeeded"
    assert list(memory_place(TARGET).directories[OUT]) == ["C1-DCTEX_1.csv"]


def test_the_error_mail_of_a_clone_goes_to_its_own_people(north):
    memory_place("North CCS").fail("401")
    assert worked(flow_run(flow=north, parameters=PREFIX, actor="olga")).status == "failed"
    mail = Notification.objects.get()
    assert (mail.recipients, mail.kind) == (["north@example.com"], "error")
    assert mail.headers["X-Busbar-Flow"] == "NORTH-SYNC"


def test_a_clone_runs_by_its_schedule(north):
    schedule = Schedule.objects.create(flow=north, name="mine", cron="0 2 * * *", parameters=PREFIX)
    assert schedule_start(schedule).flow == north


# -- what is refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("outl-ba-ccs_dacs_cust_sync_ftp", Conflict),
        ("outl-ba-oual_dacs_ftp_transfer", Conflict),  # an alias
        ("NORTH/SYNC", InvalidMessage),
        ("1-NORTH", InvalidMessage),
        ("NO", InvalidMessage),
    ],
)
def test_an_identifier_that_is_none_or_is_taken_is_refused(db, name, fault):
    with pytest.raises(fault):
        clone_of(FILES, name)


def test_two_clones_of_one_name_in_other_capitals_are_refused(db):
    clone_of(FILES, "North-Sync")
    with pytest.raises(Conflict, match="North-Sync"):
        clone_of(TRANSFER, "NORTH-SYNC")


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"connections": {"Nobody": SOURCE}}, "uses no connection"),
        ({"connections": {SOURCE: "Nobody"}}, "cannot stand for"),
        ({"connections": {SOURCE: "OU REST CCS for CCS-DACS"}}, "cannot stand for"),
        ({"lookups": {CONFIG: "Nothing"}}, "cannot stand for"),
        ({"flows": {TRANSFER: FILES}}, "cannot stand for"),
        ({"lookups": {CONFIG: EMAILS, EMAILS: "OUTL-BRT-DACS_DRMS_Email_ID"}}, "replaced itself"),
    ],
)
def test_what_cannot_stand_for_a_name_is_refused(db, own, said):
    with pytest.raises(InvalidMessage, match=said):
        clone_of(FILES, "NORTH-SYNC", **own)
    assert not Flow.objects.filter(identifier="NORTH-SYNC").exists()


def test_a_clone_without_instances_is_deleted_and_audited(db):
    clone = clone_of(FILES, "NORTH-SYNC")
    flow_clone_delete(flow=clone, actor="conny")
    assert AuditEntry.objects.filter(subject="flow:NORTH-SYNC").count() == 2
    with pytest.raises(UnknownFlow):
        registry.spec_for("NORTH-SYNC")


def test_a_clone_with_instances_or_callers_stays(north):
    child = Flow.objects.get(identifier="NORTH-TRANSFER")
    with pytest.raises(Conflict):
        flow_clone_delete(flow=child, actor="conny")
    factories.InstanceFactory(flow=north)
    with pytest.raises(Conflict):
        flow_clone_delete(flow=north, actor="conny")
    with pytest.raises(InvalidMessage):
        flow_clone_delete(flow=Flow.objects.get(identifier=FILES), actor="conny")


def test_a_clone_of_a_clone_has_the_same_base_and_names(db):
    first = clone_of(FILES, "NORTH-SYNC", lookups={CONFIG: "OUTL-BRT-DACS_DRMS_ConfigProps"})
    second = flow_clone(flow=first, identifier="EAST-SYNC", name="", own=first.stands_for, actor="conny")
    assert (second.clone_of, second.stands_for) == (first.clone_of, first.stands_for)
