"""OU DERMS CPMCS SP Network Location Transfer, and the children that write files to CPMCS (seed 002, both sections)."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.utils import timezone

from demo.namespaces import NamespaceServer
from integrations.models import ErrorInstance, FileTransfer, Flow, Instance, NetworkLocation
from integrations.services.instance_resubmit import instance_resubmit
from lookups.models import Row
from tests.flows.conftest import connection_set, lines, mails, property_set
from tests.flows.cpmcs_derms.conftest import (
    CONFIG,
    FTP,
    OBJECTS,
    Sides,
    carry,
    read,
    run_once,
    submit,
    told,
    with_retries,
)

FLOW = ("OUTL-BA-DERMS_DACS_SPNWLOC_TRNFR", "network-model-to-dacs")
FTP_CHILD, OS_CHILD = "OUTL-BA-DACS_FTP_TRANSFER", "OUTL-BA-DACS_OS_TRANSFER"
NAME = "network_location_20260501.csv"
BUCKET = "DACS_DERMS_NETWORK_LOCATION"
HEADER = b"servicePointId,division,transformerId,feederId,substationId,action,effectiveDateTime\n"


def point(name: str, transformer: str, effective: str = "2026-05-01T00:00:00.000Z") -> bytes:
    return f"{name},CA,{transformer},FD-10,SUB-1,ADD,{effective}\n".encode()


def send(sides: Sides, content: bytes, message_id: str = "NWL-1", name: str = NAME) -> Instance:
    return carry(sides, *FLOW, told("network_location", messageId=message_id, fileName=name), content)


def transformers() -> dict[str, str]:
    return dict(NetworkLocation.objects.values_list("service_point_id", "transformer_id"))


@pytest.fixture
def bucket(sides: Sides) -> Iterator[NamespaceServer]:
    """CPMCS's object storage with the seed's bucket, and the preference set to it."""
    with NamespaceServer("dacsnamespace", [BUCKET]) as server:
        where = {
            "endpoint_url": server.url,
            "access_key": server.access_key,
            "namespace": server.namespace,
        }
        connection_set(OBJECTS, where, {"secret_key": server.secret_key})
        property_set(CONFIG, "dacs.file.target.transfer.pref", "os")
        property_set(CONFIG, "dacs.os.namespace", "dacsnamespace")
        property_set(CONFIG, "dacs.spNtwkLoc.os.bucketname", BUCKET)
        yield server
        server.reset()
        for item in server.client().list_objects_v2(Bucket=BUCKET).get("Contents", []):
            server.client().delete_object(Bucket=BUCKET, Key=item["Key"])


def test_a_file_goes_to_the_file_server_as_it_is_and_its_users_are_told(sides: Sides):  # steps 1-3
    content = read("network_location.csv")
    instance = send(sides, content)
    assert instance.status == "succeeded"
    assert [path.name for path in sides.networks.iterdir()] == [NAME]
    assert (sides.networks / NAME).read_bytes() == content
    child = instance.children.get()
    assert (child.flow.identifier, child.status) == (FTP_CHILD, "succeeded")
    (mail,) = mails("process-complete")
    assert mail.recipients == ["dacsUser@myCy.com"]
    assert NAME in mail.body
    assert sides.derms.received() == []  # "No acknowledgement is required upon completion"


def test_a_file_goes_to_object_storage_where_that_is_preferred(
    sides: Sides, bucket: NamespaceServer
):  # step 2a
    content = read("network_location.csv")
    instance = send(sides, content)
    assert instance.status == "succeeded"
    assert instance.children.get().flow.identifier == OS_CHILD
    assert bucket.client().get_object(Bucket=BUCKET, Key=NAME)["Body"].read() == content
    assert list(sides.networks.iterdir()) == []
    assert NetworkLocation.objects.count() == 3


def test_a_preference_that_is_neither_is_named_and_nothing_is_sent(sides: Sides):  # step 2: 'os' or 'ftp'

    for row in Row.objects.filter(lookup__name=CONFIG, cells__0="dacs.file.target.transfer.pref"):
        Row.objects.filter(pk=row.pk).update(cells=[row.cells[0], "pigeon", *row.cells[2:]])
    instance = send(sides, read("network_location.csv"))
    assert instance.status == "failed"
    assert "dacs.file.target.transfer.pref" in instance.fault_text
    assert list(sides.networks.iterdir()) == []


def test_where_each_service_point_hangs_is_noted(sides: Sides):
    instance = send(sides, read("network_location.csv"))
    row = NetworkLocation.objects.get(service_point_id="8100000003")
    assert (row.division, row.transformer_id, row.feeder_id, row.substation_id) == (
        "CA",
        "TX-101",
        "FD-11",
        "SUB-1",
    )
    assert row.effective_at == datetime(2026, 5, 1, tzinfo=UTC)
    assert row.file_transfer == FileTransfer.objects.get(source_name="file.csv")
    assert any("Network places of 3 service point(s) noted" in line for line in lines(instance))


def test_a_later_file_replaces_what_was_known_and_an_older_one_does_not(sides: Sides):
    send(sides, HEADER + point("1", "TX-1") + point("2", "TX-1"))
    newer = HEADER + point("1", "TX-2", "2026-06-01T00:00:00.000Z") + point("3", "TX-2")
    send(sides, newer, "NWL-2", "second.csv")
    assert transformers() == {"1": "TX-2", "2": "TX-1", "3": "TX-2"}
    older = HEADER + point("1", "TX-9", "2026-05-15T00:00:00.000Z") + point("2", "TX-9")
    assert send(sides, older, "NWL-3", "third.csv").status == "succeeded"
    assert transformers() == {"1": "TX-2", "2": "TX-9", "3": "TX-2"}


def test_odd_records_are_counted_and_said_and_the_file_moves(sides: Sides):
    content = (
        HEADER
        + point("1", "TX-1")
        + b"2,CA\n"
        + point("", "TX-1")
        + point("x" * 61, "TX-1")
        + b"\n"
        + point("3", "TX-3")
    )
    instance = send(sides, content)
    assert instance.status == "succeeded"
    assert transformers() == {"1": "TX-1", "3": "TX-3"}
    assert any(line.startswith("3 record(s)") and "not noted" in line for line in lines(instance))
    assert (sides.networks / NAME).read_bytes() == content


@pytest.mark.parametrize(
    "content",
    [b"\x00\x01\x02" * 1000, b"PK\x03\x04" + b"x" * 100, b"a,b,c\n1,2,3\n", "ü".encode("latin-1") * 9],
    ids=["binary", "zip", "another header", "Latin-1"],
)
def test_a_file_that_cannot_be_read_moves_all_the_same(sides: Sides, content: bytes):
    # "a direct file transfer with no transformation performed in the integration"
    instance = send(sides, content)
    assert instance.status == "succeeded"
    assert (sides.networks / NAME).read_bytes() == content
    assert NetworkLocation.objects.count() == 0
    assert any("was not read to its end" in line for line in lines(instance))


def test_an_empty_file_moves(sides: Sides):
    assert send(sides, b"").status == "succeeded"
    assert (sides.networks / NAME).read_bytes() == b""


@pytest.mark.parametrize("mode", ["401", "500", "400", "down"])
def test_a_file_server_that_fails_is_an_error_and_two_mails_and_a_resubmission_goes_on(
    sides: Sides, mode: str
):  # steps 3 and 4: the process-complete mail "can contain a success or error file transfer information"
    sides.files.fail(mode)
    failed = send(sides, read("network_location.csv"))
    assert failed.status == "failed"
    assert FTP in failed.fault_text
    (error,), (told_users,) = mails("error"), mails("process-complete")
    assert error.recipients == ["errorDist@myCy.com"]
    assert told_users.recipients == ["dacsUser@myCy.com"]
    assert f"could not transfer {NAME}" in told_users.body
    sides.files.reset()
    assert run_once(instance_resubmit(instance=failed, actor="an operator")).status == "succeeded"
    assert [path.name for path in sides.networks.iterdir()] == [NAME]
    assert ErrorInstance.objects.get().state == "recovered"
    assert len(mails("process-complete")) == 2
    assert NetworkLocation.objects.count() == 3


def test_nobody_is_mailed_while_it_is_tried_again_by_itself(sides: Sides):
    with_retries(FTP, 2)
    sides.files.fail("cut", 1)
    waiting = send(sides, HEADER + b"".join(point(f"{number}", "TX") for number in range(4000)))
    assert waiting.status == "waiting"
    assert (mails("error"), mails("process-complete")) == ([], [])
    Instance.objects.filter(pk=waiting.pk).update(due_at=timezone.now())
    assert run_once(waiting).status == "succeeded"
    assert [path.name for path in sides.networks.iterdir()] == [NAME]
    assert NetworkLocation.objects.count() == 4000
    assert len(mails("process-complete")) == 1


def test_object_storage_that_fails_is_told_too(sides: Sides, bucket: NamespaceServer):
    bucket.fail("500")
    failed = send(sides, read("network_location.csv"))
    assert (failed.status, OBJECTS in failed.fault_text) == ("failed", True)
    bucket.reset()
    assert run_once(instance_resubmit(instance=failed, actor="an operator")).status == "succeeded"


def test_a_child_that_is_off_is_named(sides: Sides):
    Flow.objects.filter(identifier=FTP_CHILD).update(active=False)
    failed = send(sides, read("network_location.csv"))
    assert (failed.status, failed.fault_code) == ("failed", "HUB-INACTIVE")
    assert f"{FTP_CHILD} is not active" in failed.fault_text
    assert list(sides.networks.iterdir()) == []
    assert len(mails("process-complete")) == len(mails("error")) == 1


def test_the_mail_to_users_can_be_switched_off(sides: Sides):
    property_set(CONFIG, "notification.email.process.complete.flag", "false")
    assert send(sides, read("network_location.csv")).status == "succeeded"
    assert mails("process-complete") == []


def test_the_same_message_again_is_not_sent_again(sides: Sides):
    first = send(sides, read("network_location.csv"))
    (sides.networks / NAME).unlink()
    again = submit(sides, *FLOW, told("network_location"), read("network_location.csv"))
    assert (again.repeated, again.instance) == (True, first)
    assert list(sides.networks.iterdir()) == []


def test_a_name_that_is_there_with_other_content_is_left_alone(sides: Sides):
    (sides.networks / NAME).write_bytes(b"another\n")
    failed = send(sides, read("network_location.csv"))
    assert failed.status == "failed"
    assert "other content" in failed.fault_text
    assert (sides.networks / NAME).read_bytes() == b"another\n"


@pytest.mark.parametrize("name", ["../evil.csv", "/etc/evil.csv", "a/b.csv", ".."])
def test_a_name_that_leads_elsewhere_is_refused(sides: Sides, name: str):
    failed = send(sides, read("network_location.csv"), name=name)
    assert failed.status == "failed"
    assert list(sides.networks.iterdir()) == []
    assert not (sides.networks.parent / "evil.csv").exists()


def test_a_message_without_its_file_is_refused(sides: Sides):
    failed = carry(sides, *FLOW, told("network_location"))
    assert (failed.status, failed.fault_code) == ("failed", "HUB-INVALID")
    assert "no file with this message" in failed.fault_text
