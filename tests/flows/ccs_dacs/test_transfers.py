"""The common child flows, called by URL with a file of their own (seed 001 chapter 2, contract "Multipart")."""

import hashlib

import pytest

from integrations.engine.faults import Fault, InvalidMessage
from integrations.models import Client, FileTransfer
from integrations.storage import payload_put
from tests.flows.conftest import Edges, sample, send

FTP = "OUTL-BA-CCS_DACS_FTP_TRANSFER"
CONTENT = b"one\ttwo\n" * 1000


def transfer(client: Client, identifier: str = FTP, **change: str):
    attachment = payload_put(CONTENT, content_type="text/csv")
    message = {**sample("ccs_dacs/ftp_transfer.json"), **change}
    return send(client, identifier, "transfer", message, attachment=attachment, attachment_name="a.csv")


def test_a_file_sent_by_url_reaches_the_target(edges: Edges, dacs: Client):
    _, answer = transfer(dacs)
    assert answer.body == {
        "status": "SUCCESS",
        "size": len(CONTENT),
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
    }
    assert (edges.target / "C1-DCTEX_0033_00.csv").read_bytes() == CONTENT


def test_the_printed_identifier_serves_as_an_alias(edges: Edges, dacs: Client):
    submission, answer = transfer(dacs, "OUTL-BA-OUAL_DACS_FTP_TRANSFER")
    assert answer.status == 200
    assert submission.instance.flow.identifier == FTP


def test_a_message_without_a_file_is_refused(edges: Edges, dacs: Client):
    with pytest.raises(InvalidMessage, match="no file"):
        send(dacs, FTP, "transfer", sample("ccs_dacs/ftp_transfer.json"))


def test_a_directory_that_is_not_there_is_named(edges: Edges, dacs: Client):
    with pytest.raises(Fault, match="/nowhere"):
        transfer(dacs, directory="/nowhere")
    assert edges.at_target() == []


@pytest.mark.parametrize("name", ["../outside.csv", "a\nb.csv", "a/b.csv", "x" * 256])
def test_a_name_that_cannot_be_used_safely_is_refused(edges: Edges, dacs: Client, name: str):
    with pytest.raises(Fault):
        transfer(dacs, fileName=name)
    assert edges.at_target() == []


def test_the_ledger_knows_files_that_came_by_url(edges: Edges, dacs: Client):
    submission, _ = transfer(dacs)
    row = FileTransfer.objects.get(instance=submission.instance)
    assert (row.source, row.state, row.source_name) == (None, "sent", "a.csv")
