"""The whole neighbourhood: every neighbour can be controlled, and the hub can be set up for all of it."""

import json
from pathlib import Path

import pytest
import requests
from django.conf import settings

from crm.models import CrmCaller
from crm.operations.registry import OPERATIONS as REGISTERED
from demo.configure import (
    ANALYTICS_PACKAGE,
    CALLS_PACKAGE,
    PACKAGE,
    PACKAGES,
    POINTS_PACKAGE,
    PROGRAMS_PACKAGE,
)
from demo.day_acts import SCORE_PREFIX
from demo.day_analytics import EXTRACT_PREFIX, FEEDBACK_PREFIX, KWH_DIRECTORY
from demo.day_points import NOT_AT_WAM, RIGHT_TYPE, WRONG_TYPE
from demo.day_story import SENT_PREFIX
from demo.derms_messages import OUAI_OUTCOMES
from demo.effects import Started, effects
from demo.faults import MODES
from demo.job import put_extracts
from demo.kept import Kept
from demo.ouai import ENROLMENTS, FEEDBACK, FORECASTS, KWH, OUTCOMES
from demo.ouai import NAMESPACE as OUAI_NAMESPACE
from demo.ouai_files import FORECAST_PREFIX, KWH_PREFIX
from demo.reach import PEOPLE
from demo.setting_up import instance_state, run_flow, set_up
from demo.stage import CannotStartError
from demo.wam import LOCATION_TYPES
from demo.world import NEIGHBOURS, World
from demo.world_ccb_wam import FLOWS as POINTS_FLOWS
from demo.world_ccs_dacs import BUCKET, CCS_DIRECTORY, CCS_NAMESPACE, DACS_DIRECTORY, DACS_NAMESPACE
from demo.world_cpmcs_derms import (
    CHILD_FLOWS,
    CPMCS_FLOWS,
    DERMS_FLOWS,
    NAMESPACE,
    NETWORK_BUCKET,
    NETWORK_DIRECTORY,
    SCORE_BUCKET,
    SCORE_DIRECTORY,
)
from demo.world_crm import OPERATIONS
from demo.world_ouai_dacs import (
    CHILD_FLOWS as ANALYTICS_CHILDREN,
)
from demo.world_ouai_dacs import (
    EXTRACT_BUCKET,
    EXTRACT_DIRECTORY,
    KWH_BUCKET,
)
from demo.world_servers import HUB_CLIENT
from integrations.adapters import open_adapter
from integrations.engine.connections import connection_endpoint
from integrations.engine.registry import spec_for
from integrations.engine.spec import Inbound
from integrations.models import Client, Connection, Flow, Instance


@pytest.fixture
def world(tmp_path):
    kept = Kept(tmp_path / "kept.json")
    # Nothing listens at the discard port: acknowledgements wait in DACS.
    with World(tmp_path / "demo", hub_url="http://127.0.0.1:9", kept=kept, population=24) as running:
        yield running


@pytest.mark.parametrize("name", NEIGHBOURS)
def test_every_neighbour_takes_every_control_call(world, name):
    control = world.addresses()[name]["control"]
    for mode in MODES:
        answer = requests.post(f"{control}/fail", json={"mode": mode, "times": 1}, timeout=5)
        assert (mode, answer.status_code) == (mode, 200)
    assert requests.post(f"{control}/reset", timeout=5).status_code == 200
    assert requests.get(f"{control}/received", timeout=5).json() == []


@pytest.mark.parametrize("place", ["ftp", "os"])
def test_ccs_extracts_when_asked_to(world, place):
    control = world.addresses()["ccs"]["control"]
    body = {"batchCode": "C1-DCTEX", "changes": 2, "zip": True, "to": place}
    made = requests.post(f"{control}/extract", json=body, timeout=5).json()
    shelf = world.ccs_dacs.source if place == "ftp" else world.ccs_dacs.ccs_objects.shelf(BUCKET)
    assert made["name"] in [item.name for item in shelf.items()]
    assert (made["records"], len(made["syncRequests"])) == (2, 2)


@pytest.mark.parametrize("body", [{"batchCode": "X"}, {"batchCode": "C1-DCTEX", "to": "moon"}, {}])
def test_an_extract_that_means_nothing_is_refused(world, body):
    answer = requests.post(f"{world.addresses()['ccs']['control']}/extract", json=body, timeout=5)
    assert answer.status_code == 400


def properties(package):
    """The values of a package's config properties as they ship (seeds 001 to 003)."""
    found = json.loads(Path(settings.BASE_DIR, f"fixtures/lookups/{package}.json").read_text())
    return {row["name"]: row["value"] for row in found["lookups"][0]["rows"]}


def test_places_are_those_of_the_package_s_lookup():
    rows = properties("outl.ba.ccs_dacs")
    assert rows["ccs.ftp.custsync.input.directory"] == CCS_DIRECTORY
    assert rows["dacs.ftp.custsync.output.directory"] == DACS_DIRECTORY
    assert (rows["ccs.os.custsync.namespace"], rows["dacs.os.custsync.namespace"]) == (
        CCS_NAMESPACE,
        DACS_NAMESPACE,
    )
    assert {rows["ccs.os.custsync.bucketname"], rows["dacs.os.custsync.bucketname"]} == {BUCKET}


def test_places_of_the_customer_programs_are_those_of_their_lookup():
    rows = properties("ou_cpmcs_derms")
    assert rows["dacs.dvcScore.ftp.input.directory"] == SCORE_DIRECTORY
    assert rows["dacs.spNtwkLoc.ftp.input.directory"] == NETWORK_DIRECTORY
    assert rows["dacs.os.namespace"] == NAMESPACE
    assert rows["dacs.os.dvcScore.bucketname"] == SCORE_BUCKET
    assert rows["dacs.spNtwkLoc.os.bucketname"] == NETWORK_BUCKET
    assert rows["dacs.dvcScore.extract.filename.prefix"] == SCORE_PREFIX
    assert rows["dacs.prefixtag.fileuploaded"] == SENT_PREFIX
    assert rows["dacs.file.target.transfer.pref"] == "ftp"


def test_places_of_the_analytics_are_those_of_their_lookup():
    # Seed 003 chapter 7, Configuration Properties.
    rows = properties("outl.ba.ouai_dacs_derms")
    assert rows["dacs.ftp.enroll.input.directory"] == EXTRACT_DIRECTORY
    assert rows["dacs.ftp.kwhavoid.input.directory"] == KWH_DIRECTORY
    assert (rows["dacs.os.namespace"], rows["ouai.os.namespace"]) == (DACS_NAMESPACE, OUAI_NAMESPACE)
    assert (rows["dacs.os.enroll.bucket"], rows["dacs.os.kwhavoided.bucket"]) == (EXTRACT_BUCKET, KWH_BUCKET)
    assert rows["ouai.os.enroll.bucket"] == ENROLMENTS
    assert rows["ouai.os.enrollack.bucket"] == FEEDBACK
    assert rows["ouai.os.eventoutcome.bucket"] == OUTCOMES
    assert rows["ouai.os.kwhavoided.bucket"] == KWH
    assert rows["ouai.os.loadreductionforecast.bucket"] == FORECASTS
    assert rows["dacs.enroll.filename.prefix"] == EXTRACT_PREFIX
    assert rows["ouai.os.enrollack.filename.prefix"] == FEEDBACK_PREFIX
    assert rows["ouai.os.kwhavoided.filename.prefix"] == KWH_PREFIX
    assert rows["ouai.loadreductionforecast.filename.prefix"] == FORECAST_PREFIX
    assert {rows["dacs.prefixtag.fileuploaded"], rows["ouai.prefixtag.fileuploaded"]} == {SENT_PREFIX}
    assert rows["dacs.file.target.transfer.pref"] == "os"


def test_the_type_that_wam_refuses_is_one_that_the_hub_translates():
    # Seed 000: the hub passes it on, and the refusal comes later.
    found = json.loads(Path(settings.BASE_DIR, "fixtures/lookups/outl.ba.ccb_wam.json").read_text())
    (rows,) = (one["rows"] for one in found["lookups"] if one["name"] == "OUTL-BRT-CCB_WAM_LocationType")
    assert dict(rows)[WRONG_TYPE] == NOT_AT_WAM
    assert dict(rows)[RIGHT_TYPE] != NOT_AT_WAM
    assert {NOT_AT_WAM, dict(rows)[RIGHT_TYPE]} < set(LOCATION_TYPES)


@pytest.mark.parametrize("name", ["cpmcs", "derms", "dacs-sync", "ccb", "wam", "ivr"])
def test_the_neighbours_say_what_they_have(world, name):
    control = world.addresses()[name]["control"]
    answer = requests.post(f"{control}/summary", timeout=5)
    assert (answer.status_code, answer.json()["repeats"]) == (200, 0)


def test_ouai_says_what_lies_in_its_buckets(world):
    control = world.addresses()["ouai"]["control"]
    made = requests.post(f"{control}/kwh", json={"name": "ouai.kwh_avoided.1", "events": ["E1"]}, timeout=5)
    there = requests.post(f"{control}/summary", timeout=5).json()
    assert there[KWH] == {"ouai.kwh_avoided.1": made.json()["sha256"]}


def test_two_object_storages_of_one_namespace_do_not_see_each_other_s_buckets_as_theirs(world, tmp_path):
    content = tmp_path / "scores"
    content.write_text("1")
    world.day_places.score_bucket.put("SDCSE_1.csv", content)
    assert list(world.ccs_dacs.dacs_objects.shelf(BUCKET).items()) == []


def test_ports_are_the_same_after_a_restart(world, tmp_path):
    before = {name: place["url"] for name, place in world.addresses().items()}
    world.stop()
    kept = Kept(tmp_path / "kept.json")
    with World(tmp_path / "demo", hub_url="http://127.0.0.1:9", kept=kept) as again:
        assert {name: place["url"] for name, place in again.addresses().items()} == before


def test_a_neighbour_can_be_broken_from_the_start(tmp_path):
    kept = Kept(tmp_path / "kept.json")
    with World(tmp_path, hub_url="http://127.0.0.1:9", kept=kept, breaks=[("ccs", "500")]) as world:
        assert requests.get(f"{world.ccs_dacs.ccs.url}/openapi.json", timeout=5).status_code == 500


def test_effects_name_what_is_missing(world):
    started = put_extracts(world.places, changes=12, start=lambda code: f"instance of {code}")
    seen = {one.what: one for one in effects(started, world.places)}
    assert [one.ok for one in seen.values()] == [False] * 7 + [True]
    reason = seen["Files at DACS, byte for byte"].reason
    assert reason.startswith("Files at DACS, byte for byte: expected 3, saw 0: not C1-DCTEX_0001_00.csv")


def test_effects_expect_one_refusal_a_dozen_of_each_extract(world):
    started = put_extracts(world.places, changes=24, start=lambda code: code)
    wanted = {one.what: one.expected for one in effects(started, world.places)}
    assert wanted["Positive acknowledgements at CCS"] == 66
    assert wanted["Negative acknowledgements at CCS, with the reason"] == 6


def test_mails_of_other_instances_do_not_count(world):
    extract = put_extracts(world.places, changes=1, start=lambda code: code)[0].extract
    headers = {"x-busbar-kind": "process-complete", "x-busbar-instance": "other"}
    world.mail.received = lambda: [{"headers": headers, "subject": "", "body": extract.name}]
    assert [one.done for one in effects([Started(extract, "mine")], world.places) if "mails" in one.what] == [
        0,
        0,
    ]


@pytest.mark.django_db
def test_the_hub_is_set_up_for_the_neighbours_and_all_flows_are_active(world):
    demo = set_up(world, port=8000)
    counts = {PACKAGE: 6, PROGRAMS_PACKAGE: 20, ANALYTICS_PACKAGE: 10, POINTS_PACKAGE: 3, CALLS_PACKAGE: 3}
    assert set(counts) == set(PACKAGES)
    for package, count in counts.items():
        flows = Flow.objects.filter(package=package)
        assert (package, flows.count(), flows.filter(active=True).count()) == (package, count, count)
    assert [user["role"] for user in demo["users"]] == list(PEOPLE.values())
    clients = ["DACS", "CPMCS", "DERMS", "CCB", "WAM", "CALLCENTER", "IVR", "OIC"]
    assert [client["id"] for client in demo["clients"]] == clients
    assert list(demo["neighbours"]) == list(NEIGHBOURS)


@pytest.mark.django_db
def test_each_system_may_call_the_flows_that_its_messages_start_and_no_other(world):
    set_up(world, port=8000)
    of_derms = {*DERMS_FLOWS, OUAI_OUTCOMES.identifier}
    points = {client: {flow} for client, flow in POINTS_FLOWS.items()}
    for client, flows in {"CPMCS": set(CPMCS_FLOWS), "DERMS": of_derms, **points}.items():
        assert (client, allowed(client)) == (client, flows)
    assert {*CHILD_FLOWS, *ANALYTICS_CHILDREN} < allowed("OIC")


@pytest.mark.django_db
def test_each_caller_of_the_call_centre_s_interface_may_call_its_operations(world):
    demo = set_up(world, port=8000)
    told = {client["id"]: client["flows"] for client in demo["clients"]}
    for client, operations in OPERATIONS.items():
        caller = CrmCaller.objects.get(client__client_id=client)
        assert caller.operations == told[client] == sorted(operations)
        assert allowed(client) == set()
    assert set(OPERATIONS["CALLCENTER"]) == {one.name for one in REGISTERED}
    assert CrmCaller.objects.count() == 2


def allowed(client):
    """The flows that a client may call."""
    return set(Client.objects.get(client_id=client).flows.values_list("identifier", flat=True))


@pytest.mark.parametrize(
    ("connection", "flows"),
    [
        ("OU REST CPMCS for CPMCS-DERMS", CPMCS_FLOWS),
        ("OU REST DERMS for CPMCS-DERMS", DERMS_FLOWS),
        ("OU REST for OUAI DACS DERMS", [OUAI_OUTCOMES.identifier, *ANALYTICS_CHILDREN]),
        ("OU REST CCB for CCB-WAM", [POINTS_FLOWS["CCB"]]),
        ("OU REST WAM for CCB-WAM", [POINTS_FLOWS["WAM"]]),
    ],
)
def test_the_flows_a_system_may_call_are_those_of_its_connection(connection, flows):
    assert {spec_for(flow).trigger.source for flow in flows} == {connection}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("package", "called"),
    [
        (PROGRAMS_PACKAGE, {*CPMCS_FLOWS, *DERMS_FLOWS, *CHILD_FLOWS}),
        (ANALYTICS_PACKAGE, {OUAI_OUTCOMES.identifier, *ANALYTICS_CHILDREN}),
        (POINTS_PACKAGE, set(POINTS_FLOWS.values())),
    ],
)
def test_every_flow_that_can_be_called_has_its_caller(package, called):
    flows = Flow.objects.filter(package=package).values_list("identifier", flat=True)
    assert {one for one in flows if isinstance(spec_for(one).trigger, Inbound)} == called


@pytest.mark.django_db
def test_setting_up_twice_changes_nothing(world):
    assert set_up(world, port=8000) == set_up(world, port=8000)
    assert Client.objects.count() == 8


@pytest.mark.django_db
def test_every_connection_that_was_set_up_passes_its_test(world):
    set_up(world, port=8000)
    neighbours_own = [one for one in world.reaches() if one.settings.get("user", HUB_CLIENT) != HUB_CLIENT]
    stores = [one for one in world.reaches() if "bucket" in one.settings]
    rows = Connection.objects.filter(name__in=[one.connection for one in (*neighbours_own, *stores)])
    found = {}
    for row in rows:
        with open_adapter(connection_endpoint(row)) as adapter:
            found[row.name] = [(step.what, step.detail) for step in adapter.test() if not step.ok]
    assert len(found) == 19
    assert {name: steps for name, steps in found.items() if steps} == {}


@pytest.mark.django_db
def test_every_connection_of_all_packages_is_reached_once(world):
    reached = [reach.connection for reach in world.reaches()]
    there = Connection.objects.filter(package__in=PACKAGES).values_list("name", flat=True)
    assert sorted(reached) == sorted(there)


SCORES = "OUTL-BA-DRMS_DACS_SEND_DVCSCORE"


@pytest.fixture
def _the_test_s_own_connection(monkeypatch):
    """A test's database ends with its connection."""
    monkeypatch.setattr("demo.setting_up.connections.close_all", lambda: None)


@pytest.mark.django_db
@pytest.mark.usefixtures("_the_test_s_own_connection")
def test_a_run_of_an_earlier_start_that_waits_does_not_keep_a_new_one_out(world):
    set_up(world, port=8000)
    earlier = run_flow(SCORES)
    Instance.objects.filter(pk=earlier).update(status=Instance.Status.WAITING)
    later = run_flow(SCORES)
    assert Instance.objects.get(pk=earlier).status == Instance.Status.DISCARDED
    assert Instance.objects.get(pk=later).status == Instance.Status.READY


@pytest.mark.django_db
@pytest.mark.usefixtures("_the_test_s_own_connection")
def test_a_run_that_does_not_end_is_named(world, monkeypatch):
    set_up(world, port=8000)
    monkeypatch.setattr("demo.setting_up.LONGEST_WAIT", 0.1)
    Instance.objects.filter(pk=run_flow(SCORES)).update(status=Instance.Status.RUNNING)
    with pytest.raises(CannotStartError, match="running already"):
        run_flow(SCORES)


@pytest.mark.django_db
@pytest.mark.usefixtures("_the_test_s_own_connection")
def test_an_instance_says_how_it_stands(world):
    set_up(world, port=8000)
    key = run_flow(SCORES)
    Instance.objects.filter(pk=key).update(status=Instance.Status.WAITING, fault_text="CPMCS is down")
    assert instance_state(key).endswith(": CPMCS is down")
    assert instance_state("") == ""
