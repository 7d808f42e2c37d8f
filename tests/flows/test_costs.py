"""What a file costs beside its bytes: log-ins and SQL statements are counted, not timed (docs/performance.md)."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bench.sql import counted
from demo.extracts import CONTACT
from demo.shelf import Folder
from integrations.adapters.contract import Endpoint
from integrations.adapters.sftp_login import log_in
from integrations.models import Client, Flow, Instance
from integrations.services.flow_switch import flow_trace
from tests.flows.conftest import Edges, run_file_flow, send

FLOW, CHILD = "OUTL-BA-CCS_DACS_CUST_SYNC_FTP", "OUTL-BA-CCS_DACS_FTP_TRANSFER"
MOST_STATEMENTS = 42  # a file, BEGIN and COMMIT counted; 38 when this was written
ACK = "OUTL-BA-DACS_CCS_CUST_SYNC_ACK"
MOST_OF_A_REQUEST, MOST_COMMITS = (
    26,
    6,
)  # behind the log-in, which asks for three rows more; on PostgreSQL two for its clock


def run(edges: Edges, batch: str, files: int) -> Instance:
    for number in range(files):
        edges.put(f"{batch}_{number:04}_00.csv")
    instance = run_file_flow(FLOW, extractedFileNamePrefix=batch)
    assert instance.status == Instance.Status.SUCCEEDED
    return instance


def test_a_run_logs_in_once_at_each_server_however_many_files(edges: Edges, monkeypatch: pytest.MonkeyPatch):
    seen: list[str] = []

    def noted(endpoint: Endpoint) -> Any:
        seen.append(endpoint.name)
        return log_in(endpoint)

    monkeypatch.setattr("integrations.adapters.sftp.log_in", noted)
    run(edges, "C1-DCTIL", 4)
    assert sorted(seen) == ["OU FTP CCS for CCS-DACS", "OU FTP DACS for CCS-DACS"]


def test_a_file_more_costs_a_bounded_number_of_statements(edges: Edges):
    counts = []
    for batch, files in (("C1-DCTIL", 1), ("C1-DSPIL", 2), ("C1-DMSIL", 6)):
        with CaptureQueriesContext(connection) as queries:
            run(edges, batch, files)
        counts.append(len(queries))
    assert (counts[2] - counts[1]) / 4 <= MOST_STATEMENTS


def test_a_child_called_in_the_process_keeps_no_answer_that_nobody_can_ask_for(edges: Edges):
    child = run(edges, "C1-DCTIL", 1).children.get()
    assert (child.status, child.answer) == (Instance.Status.SUCCEEDED, None)


def test_its_answer_is_kept_where_tracing_keeps_payloads(edges: Edges):
    flow_trace(flow=Flow.objects.get(identifier=CHILD), level=Flow.Tracing.AUDIT, actor="test")
    assert run(edges, "C1-DCTIL", 1).children.get().answer is not None


def test_a_synchronous_request_costs_a_bounded_number_of_statements_and_commits(edges: Edges, dacs: Client):
    edges.ccs.change(CONTACT, 3)
    extract = edges.ccs.extract("C1-DCTEX", Folder(edges.source))
    run_file_flow(FLOW, extractedFileNamePrefix="C1-DCTEX")
    *first, last = extract.references
    for reference in first:  # fills what a process keeps
        send(dacs, ACK, "sendCustomerSyncAck", acknowledgement(reference))
    with counted() as found:
        send(dacs, ACK, "sendCustomerSyncAck", acknowledgement(last))
    assert found.total <= MOST_OF_A_REQUEST
    assert found.commits <= MOST_COMMITS


def acknowledgement(reference: str) -> dict[str, Any]:
    return {"sendDetails": {"syncRequestId": reference, "ackStatus": "ACCEPTED"}}
