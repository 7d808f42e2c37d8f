"""DACS reads whole uploads, refuses codes its extendable lookups lack, and acknowledges incremental records."""

import io
import json

import pytest

from demo.acknowledgements import HubAddress
from demo.ccs import Ccs
from demo.dacs import Dacs
from demo.extracts import BATCHES, CONTACT
from demo.http import Answer
from demo.neighbour import HttpNeighbour, wait_for
from demo.uploads import base_lookups, check_upload


class Hub(HttpNeighbour):
    """Stands in for the hub: takes every acknowledgement."""

    def handle(self, call):
        return Answer(200, {"status": "SUCCESS"})


@pytest.fixture
def hub():
    with Hub(username="DACS", password="secret") as running:
        yield running


@pytest.fixture
def dacs(shelf):
    return Dacs(shelves={"ftp": shelf}, retry_seconds=0.05)


def address(hub, secret="secret"):
    return HubAddress(f"{hub.url}/sendCustomerSyncAck", "DACS", secret)


def uploaded(shelf, code="C1-DCTEX", *, changes=12, zipped=False):
    ccs = Ccs(population=24)
    if not BATCHES[code].initial:
        ccs.change(BATCHES[code].entity, changes)
    return ccs.extract(code, shelf, zipped=zipped)


@pytest.mark.parametrize(
    ("code", "lookup"),
    [
        ("C1-DCTEX", "D1-CCBContactTypeLookup"),
        ("C1-DSPEX", "D1-CCBSPTypeLookup"),
        ("C1-DMSEX", "D2-CCBSATypeLookup"),
    ],
)
def test_one_record_of_a_dozen_has_a_code_that_is_refused(dacs, shelf, code, lookup):
    uploaded(shelf, code)
    assert dacs.read_uploads()
    rejected = [one for one in dacs.outbox.all() if one.errors]
    assert (len(dacs.outbox.all()), len(rejected)) == (12, 1)
    assert lookup in rejected[0].errors[0]


@pytest.mark.parametrize(
    ("column", "lookup"),
    [
        ("Division", "D1-CCBDivisionLookup"),
        ("Status", "D2-CCBSAStatusLookup"),
        ("Rate Schedule", "D2-CCBRateSched"),
    ],
)
def test_every_translated_column_is_checked(shelf, column, lookup):
    lookups = {name: {} if name.startswith(lookup) else values for name, values in base_lookups().items()}
    extract = uploaded(shelf, "C1-DMSEX", changes=1)
    with shelf.open(extract.name) as content:
        (checked,) = check_upload(content, extract.name, lookups)
    assert [column in error for error in checked.errors] == [True]


def test_a_missing_required_value_is_named(shelf):
    extract = uploaded(shelf, changes=1)
    values = (shelf.path / extract.name).read_text().split("\t")
    values[5] = ""
    (checked,) = check_upload(io.BytesIO("\t".join(values).encode()), extract.name, base_lookups())
    assert checked.errors[0].startswith("Name is missing")


def test_initial_loads_are_read_and_not_acknowledged(dacs, shelf):
    uploaded(shelf, "C1-DCTIL")
    dacs.read_uploads()
    assert (dacs.uploads()[0].accepted, dacs.outbox.all()) == (22, [])


def test_zipped_uploads_are_read(dacs, shelf):
    extract = uploaded(shelf, "C1-DSPEX", zipped=True)
    dacs.read_uploads()
    (upload,) = dacs.uploads()
    assert (upload.name, upload.sha256, upload.accepted, upload.rejected) == (
        extract.name,
        extract.sha256,
        11,
        1,
    )


@pytest.mark.parametrize("name", [".hub-1.part", "C1-DCTEX_0001_00.csv.part", "readme.txt"])
def test_only_final_names_are_picked_up(dacs, shelf, name):
    (shelf.path / name).write_text("half a reco")
    assert not dacs.read_uploads()


def test_an_upload_is_read_once(dacs, shelf):
    uploaded(shelf)
    assert dacs.read_uploads()
    assert not dacs.read_uploads()


@pytest.mark.parametrize("content", [b"not\ttabs\n", b"PK broken"])
@pytest.mark.parametrize("name", ["C1-DCTEX_0001_00.csv", "C1-DCTEX_0001_00.csv.zip"])
def test_an_unreadable_upload_is_kept_with_its_trouble(dacs, shelf, name, content):
    (shelf.path / name).write_bytes(content)
    dacs.read_uploads()
    (upload,) = dacs.uploads()
    assert upload.trouble


def test_acknowledgements_go_to_the_hub_and_its_answers_are_kept(hub, shelf):
    extract = uploaded(shelf)
    with Dacs(shelves={"ftp": shelf}, hub=address(hub), poll_seconds=0.02) as dacs:
        assert wait_for(lambda: len([one for one in dacs.outbox.all() if one.settled]) == 12, seconds=10)
    bodies = {entry["body"]["sendDetails"]["syncRequestId"]: entry["body"] for entry in hub.received()}
    assert set(bodies) == set(extract.references)
    assert json.loads(dacs.outbox.all()[0].answer.body) == {"status": "SUCCESS"}
    assert bodies[extract.references[0]]["sendDetails"] == {
        "syncRequestId": extract.references[0],
        "externalReferenceId": extract.references[0],
        "ackStatus": "ACCEPTED",
        "errors": [],
    }


def test_a_remote_fault_is_sent_again_unchanged(hub, dacs, shelf):
    uploaded(shelf, changes=1)
    dacs.read_uploads()
    dacs.hub = address(hub)
    hub.fail("500", 2)
    assert wait_for(lambda: dacs.send_one() and dacs.outbox.all()[0].settled, seconds=5)
    assert [entry["status"] for entry in hub.received()] == [500, 500, 200]
    assert len({json.dumps(entry["body"]) for entry in hub.received()}) == 1


def test_a_hub_that_is_down_is_tried_again(hub, dacs, shelf):
    uploaded(shelf, changes=1)
    dacs.read_uploads()
    dacs.hub = address(hub)
    hub.fail("down", 1)
    dacs.send_one()
    assert dacs.outbox.all()[0].answer.status is None
    assert wait_for(lambda: dacs.send_one() and dacs.outbox.all()[0].settled, seconds=5)


def test_a_refusal_is_not_sent_again_by_itself(hub, dacs, shelf):
    uploaded(shelf, changes=1)
    dacs.read_uploads()
    dacs.hub = address(hub, secret="wrong")
    assert dacs.send_one()
    assert not wait_for(dacs.send_one, seconds=0.3)
    assert dacs.outbox.all()[0].answer.status == 401


def test_a_refusal_is_sent_again_when_asked_to(hub, dacs, shelf):
    uploaded(shelf, changes=1)
    dacs.read_uploads()
    dacs.hub = address(hub)
    hub.fail("400", 1)
    dacs.send_one()
    assert dacs.outbox.resend() == 1
    assert dacs.send_one()
    assert dacs.outbox.all()[0].settled


def test_uploads_and_acknowledgements_last_over_a_restart(tmp_path, shelf):
    uploaded(shelf, changes=2)
    first = Dacs(shelves={"ftp": shelf}, kept=tmp_path / "kept")
    first.read_uploads()
    again = Dacs(shelves={"ftp": shelf}, kept=tmp_path / "kept")
    assert not again.read_uploads()
    assert again.outbox.all() == first.outbox.all()


def test_the_catalog_names_the_message_it_sends(dacs):
    assert "X1-SYNREQACK" in dacs.catalog["webhooks"]


def test_unknown_contact_types_are_of_contacts_only(shelf):
    extract = uploaded(shelf)
    with shelf.open(extract.name) as content:
        errors = [
            error for one in check_upload(content, extract.name, base_lookups()) for error in one.errors
        ]
    assert errors == [
        f"Contact Type G of the {CONTACT} 4000000004 is not in the extendable lookup D1-CCBContactTypeLookup."
    ]
