"""OU DACS CCS Customer Sync Ack (seed 001 chapter 2, its Processing Details step by step)."""

import pytest

from demo.extracts import CONTACT
from demo.shelf import Folder
from integrations.engine.faults import Conflict, Fault, InvalidMessage, LookupMissing
from integrations.engine.runner import work_on
from integrations.models import Client, ErrorInstance, Instance, SyncRequest
from integrations.services.instance_resubmit import instance_resubmit, resubmit_refusal
from lookups.models import Row
from tests.flows.conftest import Edges, lines, mails, property_set, run_file_flow, sample, send

FLOW = "OUTL-BA-DACS_CCS_CUST_SYNC_ACK"
RESOURCE = "sendCustomerSyncAck"
CONFIG = "OUTL-BRT-CCS_DACS_ConfigProps"


def message(sync_request: str, name: str = "customer_sync_ack_accepted") -> dict:
    found = sample(f"ccs_dacs/{name}.json")
    found["sendDetails"]["syncRequestId"] = found["sendDetails"]["externalReferenceId"] = sync_request
    return found


def patched(edges: Edges) -> list[dict]:
    return [entry for entry in edges.ccs.received() if entry["method"] == "PATCH"]


def test_a_positive_acknowledgement_reaches_ccs(edges: Edges, dacs: Client, awaiting: str):  # steps 2-4
    _, answer = send(dacs, FLOW, RESOURCE, message(awaiting))
    assert answer.status == 200
    (call,) = patched(edges)
    assert call["path"] == f"/rest/apis/common/sync/syncRequest/{awaiting}"
    assert call["body"] == {"syncRequestId": awaiting, "hasError": False}
    row = SyncRequest.objects.get(sync_request_id=awaiting)
    assert (row.status, row.positive) == ("synchronised", True)


def test_a_negative_one_carries_category_number_and_texts(edges: Edges, dacs: Client, awaiting: str):
    send(dacs, FLOW, RESOURCE, message(awaiting, "customer_sync_ack_rejected"))
    (call,) = patched(edges)
    assert call["body"]["hasError"] is True
    first, second = call["body"]["exceptionInfo"]
    assert (first["messageCategory"], first["messageNumber"], first["sequence"]) == (11114, 11001, 1)
    assert second["messageParameters"] == [
        {"parameterSequence": 1, "messageParameterValue": "Name is missing"}
    ]
    row = SyncRequest.objects.get(sync_request_id=awaiting)
    assert (row.status, row.positive) == ("error", False)
    assert "D1-CCBContactTypeLookup" in row.message


def test_a_negative_one_without_a_text_still_says_something(edges: Edges, dacs: Client, awaiting: str):
    rejected = message(awaiting, "customer_sync_ack_rejected")
    del rejected["sendDetails"]["errors"]
    send(dacs, FLOW, RESOURCE, rejected)
    (call,) = patched(edges)
    assert call["body"]["exceptionInfo"][0]["comments"] == "Rejected by DACS without a reason"


def test_a_long_text_is_cut_to_what_ccs_takes(edges: Edges, dacs: Client, awaiting: str):
    rejected = message(awaiting, "customer_sync_ack_rejected")
    rejected["sendDetails"]["errors"] = [{"messageText": "x" * 3000}]
    send(dacs, FLOW, RESOURCE, rejected)
    (info,) = patched(edges)[0]["body"]["exceptionInfo"]
    assert len(info["comments"]) == 254
    assert len(info["messageParameters"][0]["messageParameterValue"]) == 2000


@pytest.mark.parametrize(("mode", "status"), [("500", 502), ("401", 502), ("down", 502), ("cut", 502)])
def test_a_target_that_fails_is_a_fault_to_dacs_and_a_mail(
    edges: Edges, dacs: Client, awaiting: str, mode: str, status: int
):  # step 5
    edges.ccs.fail(mode, 1)
    with pytest.raises(Fault) as raised:
        send(dacs, FLOW, RESOURCE, message(awaiting))
    assert raised.value.status == status
    assert raised.value.fault_class == "remote"
    assert "OU REST CCS for CCS-DACS" in raised.value.text
    (mail,) = mails("error")
    assert mail.recipients == ["errorDist@myCy.com"]


def test_silence_beyond_the_time_out_is_a_504(edges: Edges, dacs: Client, awaiting: str):
    edges.ccs.fail("slow", 1)
    with pytest.raises(Fault) as raised:
        send(dacs, FLOW, RESOURCE, message(awaiting))
    assert raised.value.status == 504


def test_dacs_resends_after_a_fault_and_the_same_instance_goes_on(
    edges: Edges, dacs: Client, awaiting: str
):  # chapter 6: "Resend message from DACS"
    edges.ccs.fail("500", 1)
    with pytest.raises(Fault):
        send(dacs, FLOW, RESOURCE, message(awaiting))
    submission, answer = send(dacs, FLOW, RESOURCE, message(awaiting))
    assert answer.status == 200
    assert submission.instance.attempts.count() == 2
    assert submission.instance.error.state == "recovered"
    assert Instance.objects.filter(flow__identifier=FLOW).count() == 1


def test_a_refusal_of_the_repeat_proves_that_the_first_call_arrived(
    edges: Edges, dacs: Client, awaiting: str
):
    edges.ccs.fail("cut", 1)  # CCS takes it, its answer is lost
    with pytest.raises(Fault):
        send(dacs, FLOW, RESOURCE, message(awaiting))
    submission, answer = send(dacs, FLOW, RESOURCE, message(awaiting))
    assert answer.status == 200
    assert any("the first call had arrived" in line for line in lines(submission.instance))


def test_the_same_message_again_gets_the_stored_answer(edges: Edges, dacs: Client, awaiting: str):
    first, answer = send(dacs, FLOW, RESOURCE, message(awaiting))
    again, nothing = send(dacs, FLOW, RESOURCE, message(awaiting))
    assert (again.repeated, again.instance, again.answer, nothing) == (
        True,
        first.instance,
        answer.body,
        None,
    )
    assert len(patched(edges)) == 1


def test_another_content_under_the_same_id_is_a_conflict(edges: Edges, dacs: Client, awaiting: str):
    send(dacs, FLOW, RESOURCE, message(awaiting))
    with pytest.raises(Conflict, match="other content"):
        send(dacs, FLOW, RESOURCE, message(awaiting, "customer_sync_ack_rejected"))


def test_an_unknown_sync_request_is_kept_said_and_refused_by_ccs(edges: Edges, dacs: Client):
    with pytest.raises(Fault) as raised:
        send(dacs, FLOW, RESOURCE, message("99999999999999"))
    assert raised.value.fault_class == "business"
    assert raised.value.target_status == 404
    row = SyncRequest.objects.get(sync_request_id="99999999999999")
    assert (row.status, row.positive, row.acknowledged_at) == ("unknown", True, None)
    assert row.acknowledgement is not None
    assert any("never seen" in line for line in lines(row.acknowledgement))


def test_an_acknowledgement_that_came_before_its_file_settles_when_the_file_passes(
    edges: Edges, dacs: Client
):
    edges.ccs.change(CONTACT, 1)
    extract = edges.ccs.extract("C1-DCTEX", Folder(edges.source))
    send(dacs, FLOW, RESOURCE, message(extract.references[0]))
    run_file_flow("OUTL-BA-CCS_DACS_CUST_SYNC_FTP", extractedFileNamePrefix="C1-DCTEX")
    assert SyncRequest.objects.get().status == "synchronised"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"syncRequestId": None}, "syncRequestId"),
        ({"syncRequestId": 7}, "syncRequestId"),
        ({"ackStatus": "MAYBE"}, "ackStatus"),
        ({"errors": "none"}, "errors"),
        ({"errors": [{}]}, "messageText"),
    ],
)
def test_a_message_of_the_wrong_shape_names_the_place(edges: Edges, dacs: Client, change: dict, said: str):
    wrong = message("1")
    wrong["sendDetails"].update(change)
    with pytest.raises(InvalidMessage, match=said):
        send(dacs, FLOW, RESOURCE, wrong)
    assert not Instance.objects.exists()


def test_a_message_without_its_sync_request_is_refused(edges: Edges, dacs: Client):
    with pytest.raises(InvalidMessage, match="'syncRequestId' is a required property"):
        send(dacs, FLOW, RESOURCE, {"sendDetails": {"ackStatus": "ACCEPTED"}})


def test_a_category_that_is_no_number_is_a_technical_fault_that_names_it(
    edges: Edges, dacs: Client, awaiting: str
):
    for row in Row.objects.filter(lookup__name=CONFIG):
        if row.cells[0] == "ccs.error.ack.message.category":
            row.delete()
    with pytest.raises(LookupMissing, match=r"ccs.error.ack.messagecategory"):
        send(dacs, FLOW, RESOURCE, message(awaiting, "customer_sync_ack_rejected"))
    assert patched(edges) == []


def test_a_resubmitted_synchronous_flow_is_a_replay_marked_as_such(edges: Edges, dacs: Client, awaiting: str):
    edges.ccs.fail("500", 1)
    with pytest.raises(Fault):
        send(dacs, FLOW, RESOURCE, message(awaiting))
    failed = Instance.objects.get(flow__identifier=FLOW)
    replay = instance_resubmit(instance=failed, actor="an operator")
    work_on(replay.pk)
    replay.refresh_from_db()
    assert (replay.cause, replay.replay_of, replay.status) == ("replay", failed, "succeeded")
    assert ErrorInstance.objects.get().state == "recovered"
    assert resubmit_refusal(failed) == "it has recovered"
    again, _ = send(dacs, FLOW, RESOURCE, message(awaiting))
    assert again.repeated


def test_the_error_mail_can_be_switched_off(edges: Edges, dacs: Client, awaiting: str):
    property_set(CONFIG, "notification.email.error.flag", "false")
    edges.ccs.fail("500", 1)
    with pytest.raises(Fault):
        send(dacs, FLOW, RESOURCE, message(awaiting))
    assert mails("error") == []
