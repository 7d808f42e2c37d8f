"""Common Child File Transfer Flows, called by URL with a file of their own (seed 003 chapter 2; contract)."""

import hashlib
from typing import Any

import pytest

from demo.ouai import ENROLMENTS
from integrations.engine.faults import Fault, InvalidMessage
from integrations.storage import payload_put
from tests.flows.conftest import send
from tests.flows.ouai_dacs_derms.conftest import KWH_BUCKET, Sides, read, told

TO_OUAI = ("OUTL-BA-OUAI_OS_TRANSFER", "ouai_transfer")
TO_DACS_OS = ("OUTL-BA-OUAI_DACS_OS_TRANSFER", "os_transfer")
TO_DACS_FTP = ("OUTL-BA-OUAI_DACS_FTP_TRANSFER", "ftp_transfer")
ALL = pytest.mark.parametrize(("identifier", "sample"), [TO_OUAI, TO_DACS_OS, TO_DACS_FTP])
CONTENT = read("kwh_avoided.csv") * 50


def transfer(sides: Sides, identifier: str, sample: str, **changed: str) -> Any:
    """What the flow answers to this message with a file."""
    stored = payload_put(CONTENT, content_type="text/csv")
    message = told(sample, **changed)
    return send(sides.client, identifier, "transfer", message, attachment=stored, attachment_name="a.csv")[1]


def there(sides: Sides, sample: str) -> dict[str, bytes]:
    """What is at the place that the sample names."""
    if sample == "ftp_transfer":
        return {path.name: path.read_bytes() for path in sides.kwh.iterdir()}
    bucket = sides.bucket(ENROLMENTS if sample == "ouai_transfer" else KWH_BUCKET)
    return {name: bucket.read(name) for name in bucket.names()}


@ALL
def test_a_file_sent_by_url_reaches_its_place(sides: Sides, identifier: str, sample: str):
    answer = transfer(sides, identifier, sample)
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert (answer.status, answer.body) == (
        200,
        {"status": "SUCCESS", "size": len(CONTENT), "sha256": digest},
    )
    message = told(sample)
    assert there(sides, sample) == {message.get("fileName") or message["objectName"]: CONTENT}


@ALL
def test_a_message_without_a_file_is_refused(sides: Sides, identifier: str, sample: str):
    with pytest.raises(InvalidMessage, match="no file"):
        send(sides.client, identifier, "transfer", told(sample))
    assert there(sides, sample) == {}


@ALL
def test_each_field_is_needed(sides: Sides, identifier: str, sample: str):
    for name in told(sample):
        wrong = told(sample)
        del wrong[name]
        with pytest.raises(InvalidMessage):
            send(sides.client, identifier, "transfer", wrong)


@pytest.mark.parametrize(
    ("identifier", "sample", "field", "value"),
    [
        (*TO_OUAI, "bucketName", "nowhere"),
        (*TO_OUAI, "namespaceName", "othernamespace"),
        (*TO_DACS_OS, "bucketName", "nowhere"),
        (*TO_DACS_FTP, "directory", "/nowhere"),
    ],
)
def test_a_place_that_is_not_there_is_named(
    sides: Sides, identifier: str, sample: str, field: str, value: str
):
    with pytest.raises(Fault, match=value):
        transfer(sides, identifier, sample, **{field: value})


@pytest.mark.parametrize("name", ["../outside.csv", "a\nb.csv", "x" * 256])
@ALL
def test_a_name_that_cannot_be_used_safely_is_refused(sides: Sides, identifier: str, sample: str, name: str):
    field = "fileName" if sample == "ftp_transfer" else "objectName"
    with pytest.raises(Fault):
        transfer(sides, identifier, sample, **{field: name})
    assert there(sides, sample) == {}
