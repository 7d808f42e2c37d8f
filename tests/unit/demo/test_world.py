"""The whole neighbourhood: every neighbour can be controlled, and the hub can be set up for all of it."""

import json
from pathlib import Path

import pytest
import requests
from django.conf import settings

from demo.configure import PACKAGE
from demo.effects import Started, effects
from demo.faults import MODES
from demo.job import put_extracts
from demo.kept import Kept
from demo.reach import PEOPLE
from demo.setting_up import set_up
from demo.world import BUCKET, CCS_DIRECTORY, CCS_NAMESPACE, DACS_DIRECTORY, DACS_NAMESPACE, NEIGHBOURS, World
from integrations.adapters import open_adapter
from integrations.engine.connections import connection_endpoint
from integrations.models import Client, Connection, Flow


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
    shelf = world.source if place == "ftp" else world.ccs_objects.shelf(BUCKET)
    assert made["name"] in [item.name for item in shelf.items()]
    assert (made["records"], len(made["syncRequests"])) == (2, 2)


@pytest.mark.parametrize("body", [{"batchCode": "X"}, {"batchCode": "C1-DCTEX", "to": "moon"}, {}])
def test_an_extract_that_means_nothing_is_refused(world, body):
    answer = requests.post(f"{world.addresses()['ccs']['control']}/extract", json=body, timeout=5)
    assert answer.status_code == 400


def test_places_are_those_of_the_package_s_lookup():
    found = json.loads(Path(settings.BASE_DIR, "fixtures/lookups/outl.ba.ccs_dacs.json").read_text())
    rows = {row["name"]: row["value"] for row in found["lookups"][0]["rows"]}
    assert rows["ccs.ftp.custsync.input.directory"] == CCS_DIRECTORY
    assert rows["dacs.ftp.custsync.output.directory"] == DACS_DIRECTORY
    assert (rows["ccs.os.custsync.namespace"], rows["dacs.os.custsync.namespace"]) == (
        CCS_NAMESPACE,
        DACS_NAMESPACE,
    )
    assert {rows["ccs.os.custsync.bucketname"], rows["dacs.os.custsync.bucketname"]} == {BUCKET}


def test_ports_are_the_same_after_a_restart(world, tmp_path):
    before = {name: place["url"] for name, place in world.addresses().items()}
    world.stop()
    kept = Kept(tmp_path / "kept.json")
    with World(tmp_path / "demo", hub_url="http://127.0.0.1:9", kept=kept) as again:
        assert {name: place["url"] for name, place in again.addresses().items()} == before


def test_a_neighbour_can_be_broken_from_the_start(tmp_path):
    kept = Kept(tmp_path / "kept.json")
    with World(tmp_path, hub_url="http://127.0.0.1:9", kept=kept, breaks=[("ccs", "500")]) as world:
        assert requests.get(f"{world.ccs.url}/openapi.json", timeout=5).status_code == 500


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
    flows = Flow.objects.filter(package=PACKAGE)
    assert (flows.count(), flows.filter(active=True).count()) == (6, 6)
    assert [user["role"] for user in demo["users"]] == list(PEOPLE.values())
    assert [client["id"] for client in demo["clients"]] == ["DACS", "OIC"]
    assert list(demo["neighbours"]) == list(NEIGHBOURS)


@pytest.mark.django_db
def test_setting_up_twice_changes_nothing(world):
    assert set_up(world, port=8000) == set_up(world, port=8000)
    assert Client.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name",
    [
        "OU FTP CCS for CCS-DACS",
        "OU FTP DACS for CCS-DACS",
        "OU REST CCS OS for CCS-DACS",
        "OU REST DACS OS for CCS-DACS",
        "OU REST CCS for CCS-DACS",
        "OU REST DACS for CCS-DACS",
    ],
)
def test_every_connection_that_was_set_up_passes_its_test(world, name):
    set_up(world, port=8000)
    with open_adapter(connection_endpoint(Connection.objects.get(name=name))) as adapter:
        assert [(step.what, step.detail) for step in adapter.test() if not step.ok] == []
