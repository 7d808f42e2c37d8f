"""Switching flows on and off, and what an instance keeps (issue: activation, tracing levels)."""

import pytest

from integrations.engine.faults import Inactive, InvalidMessage
from integrations.models import Connection, Flow
from integrations.services.flow_run import flow_run
from integrations.services.flow_switch import FlowNotReady, flow_activate, flow_deactivate, flow_trace
from lookups.models import Row
from tests.flows.conftest import Edges, property_set, run_file_flow

FTP = "OUTL-BA-CCS_DACS_CUST_SYNC_FTP"
ACK = "OUTL-BA-DACS_CCS_CUST_SYNC_ACK"
PREFIX = {"extractedFileNamePrefix": "C1-DCTEX"}


def flow(identifier: str = FTP) -> Flow:
    return Flow.objects.get(identifier=identifier)


def problems(identifier: str = FTP) -> list[str]:
    with pytest.raises(FlowNotReady) as raised:
        flow_activate(flow=flow(identifier), actor="op")
    return raised.value.problems


def test_a_connection_without_its_host_key_keeps_a_flow_off(edges: Edges):
    Connection.objects.filter(name="OU FTP CCS for CCS-DACS").update(host_key="")
    assert any("OU FTP CCS for CCS-DACS" in one and "ost key" in one for one in problems())


def test_a_missing_connection_is_named(edges: Edges):
    Connection.objects.get(name="OU FTP CCS for CCS-DACS").delete()
    assert problems() == ["there is no connection 'OU FTP CCS for CCS-DACS'"]


def test_a_missing_property_is_named(edges: Edges):
    for row in Row.objects.all():
        if row.cells[0] == "ccs.ftp.custsync.input.directory":
            row.delete()
    assert any("ccs.ftp.custsync.input.directory" in one for one in problems())


def test_an_operation_the_connection_lacks_is_named(edges: Edges):
    row = Connection.objects.get(name="OU REST CCS for CCS-DACS")
    row.settings = {**row.settings, "operations": {}}
    row.save()
    assert problems(ACK) == ["connection 'OU REST CCS for CCS-DACS' has no operation F1-SyncRequest"]


def test_an_inactive_flow_starts_nothing_and_a_parent_says_which_child_is_off(edges: Edges):
    flow_deactivate(flow=flow("OUTL-BA-CCS_DACS_FTP_TRANSFER"), actor="op")
    edges.put("C1-DCTEX_0001_00.csv")
    instance = run_file_flow(FTP, **PREFIX)
    assert "OUTL-BA-CCS_DACS_FTP_TRANSFER is not active" in instance.fault_text
    flow_deactivate(flow=flow(), actor="op")
    with pytest.raises(Inactive):
        flow_run(flow=flow(), parameters=PREFIX, actor="op")


@pytest.mark.parametrize(
    ("parameters", "said"), [({}, "is missing"), ({**PREFIX, "x": "1"}, "no parameter x")]
)
def test_parameters_that_do_not_fit_are_named(edges: Edges, parameters: dict, said: str):
    with pytest.raises(InvalidMessage, match=said):
        flow_run(flow=flow(), parameters=parameters, actor="op")


@pytest.mark.parametrize(
    ("level", "child_message"), [("production", False), ("audit", True), ("debug", True)]
)
def test_payloads_are_kept_as_the_tracing_level_says(edges: Edges, level: str, child_message: bool):
    flow_trace(flow=flow(), level=level, actor="op")
    edges.put("C1-DCTEX_0001_00.csv")
    child = run_file_flow(FTP, **PREFIX).children.get()
    assert (child.message_payload is not None) is child_message


def test_a_flag_that_is_no_boolean_is_a_technical_fault_that_names_it(edges: Edges):
    row = Row.objects.get(
        lookup__name="OUTL-BRT-CCS_DACS_ConfigProps", cells__0="notification.email.process.complete.flag"
    )
    Row.objects.filter(pk=row.pk).update(cells=[row.cells[0], "perhaps", row.cells[2]])
    edges.put("C1-DCTEX_0001_00.csv")
    instance = run_file_flow(FTP, **PREFIX)
    assert (instance.status, instance.fault_class) == ("failed", "technical")
    assert "notification.email.process.complete.flag" in instance.fault_text


def test_no_secret_is_in_any_line_of_a_failed_run(edges: Edges):
    edges.ccs_files.fail("401")
    property_set("OUTL-BRT-CCS_DACS_ConfigProps", "ccs.prefixtag.fileuploaded", "SENT-")
    instance = run_file_flow(FTP, **PREFIX)
    told = " ".join(
        [instance.fault_text, instance.error.detail, *instance.activities.values_list("text", flat=True)]
    )
    assert "ccs-sftp" not in told
