"""WAM's acknowledgements on their way to CC&B (seed 000), one for each service point, one for the sync request."""

import itertools
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.test import Client as Browser
from django.utils import timezone

from demo.ccb import Ccb
from demo.wam import Wam, acknowledgement
from integrations.engine.context import Run
from integrations.models import ErrorInstance, Flow, Instance, SyncRequest
from integrations.services.flow_switch import flow_activate, flow_problems
from integrations.services.instance_resubmit import instance_resubmit
from lookups.models import Row
from tests.factories import UserFactory
from tests.flows.ccb_wam.conftest import ACK, CCB, PACKAGE, Sides, begin, connect, premise, row, told
from tests.flows.conftest import lines, mails, property_set
from tests.flows.cpmcs_derms.conftest import fails, run_once, with_retries
from tests.unit.admin.conftest import _enter, page_of, text_of

WHY = "There is no such street in Amberford"
LOCATION = "900000000001"


def sent(sides: Sides, points: int = 1) -> tuple[str, list[str]]:
    """A premise of so many points that WAM took; its sync request and their ids."""
    message, names = premise(sides, points)
    assert sides.sync(message).status_code == 202
    return message["syncRequestId"], names


def test_a_positive_one_goes_to_ccb_with_the_asset_location(sides: Sides):
    # seed 000: "sends back a positive acknowledgment to Oracle Utilities Customer Care and Billing"
    sync_request, (point,) = sent(sides)
    instance = sides.say(sync_request, point)
    assert instance.status == "succeeded"
    assert sides.updates == [
        {
            "syncRequestId": sync_request,
            "hasError": False,
            "externalIds": [{"entity": "ASSETLOCATION", "externalPk1": LOCATION}],
        }
    ]
    assert sides.ccb.status(sync_request) == "synchronised"
    found = row(sync_request)
    assert (found.status, found.positive, found.acknowledgement) == ("synchronised", True, instance)
    assert found.acknowledged_at is not None


def test_a_negative_one_goes_to_ccb_with_the_reason(sides: Sides):
    # seed 000: "a negative acknowledgment is sent which transitions the sync request to error state"
    sync_request, (point,) = sent(sides)
    assert sides.say(sync_request, point, WHY).status == "succeeded"
    text = f"{point}: {WHY}"
    assert sides.updates == [
        {
            "syncRequestId": sync_request,
            "hasError": True,
            "exceptionInfo": [
                {
                    "sequence": 1,
                    "messageCategory": 11114,
                    "messageNumber": 11001,
                    "messageParameters": [{"parameterSequence": 1, "messageParameterValue": text}],
                    "comments": text,
                }
            ],
        }
    ]
    assert sides.ccb.status(sync_request) == "error"
    found = row(sync_request)
    assert (found.status, found.positive) == ("error", False)
    assert WHY in found.message
    assert not ErrorInstance.objects.exists()  # a no of WAM is no error of the hub's


def test_a_negative_one_need_not_say_why(sides: Sides):
    sync_request, (point,) = sent(sides)
    said = {"syncRequestId": sync_request, "externalId": point, "ackType": "ERROR"}
    assert sides.acknowledge(said).status == "succeeded"
    (info,) = sides.updates[0]["exceptionInfo"]
    assert info["comments"] == f"{point}: refused by WAM without a reason"


def test_several_reasons_and_long_ones_are_cut_where_ccb_takes_no_more(sides: Sides):
    sync_request, (point,) = sent(sides)
    errors = ["ü" * 1500, "second", "x" * 1500]
    assert sides.acknowledge(acknowledgement(sync_request, point, errors=errors)).status == "succeeded"
    (info,) = sides.updates[0]["exceptionInfo"]
    assert len(info["comments"]) == 254
    assert len(info["messageParameters"][0]["messageParameterValue"]) == 2000
    assert "second" in info["messageParameters"][0]["messageParameterValue"]


def test_the_codes_are_those_of_the_properties(sides: Sides):
    property_set("OUTL-BRT-CCB_WAM_ConfigProps", "ccb.error.ack.messagecategory", "90001")
    sync_request, (point,) = sent(sides)
    sides.say(sync_request, point, WHY)
    assert sides.updates[0]["exceptionInfo"][0]["messageCategory"] == 90001


# -- several points --------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_one_by_one_in_any_order_ccb_is_told_once_at_the_end(sides: Sides, order: tuple[int, ...]):
    sync_request, points = sent(sides, 3)
    for place in order[:-1]:
        assert sides.say(sync_request, points[place]).status == "skipped"
        assert sides.updates == []
        assert row(sync_request).status == "awaiting"
    last = sides.say(sync_request, points[order[-1]])
    assert last.status == "succeeded"
    (update,) = sides.updates
    assert [one["externalPk1"] for one in update["externalIds"]] == [sides.location(name) for name in points]
    assert sides.ccb.asset_locations(sync_request) == [sides.location(name) for name in points]
    assert row(sync_request).status == "synchronised"


@pytest.mark.parametrize("refused", [0, 1, 2])
def test_one_refused_of_three_is_an_error_that_names_it(sides: Sides, refused: int):
    sync_request, points = sent(sides, 3)
    for place, point in enumerate(points):
        sides.say(sync_request, point, WHY if place == refused else "")
    (update,) = sides.updates
    assert update["hasError"] is True
    assert "externalIds" not in update
    assert [info["comments"] for info in update["exceptionInfo"]] == [f"{points[refused]}: {WHY}"]
    assert sides.ccb.status(sync_request) == row(sync_request).status == "error"


def test_all_refused_is_one_update_that_names_each(sides: Sides):
    sync_request, points = sent(sides, 3)
    for point in points:
        sides.say(sync_request, point, WHY)
    (update,) = sides.updates
    assert [info["sequence"] for info in update["exceptionInfo"]] == [1, 2, 3]
    assert [info["comments"] for info in update["exceptionInfo"]] == [f"{point}: {WHY}" for point in points]


def test_one_that_waits_says_for_how_many(sides: Sides):
    sync_request, points = sent(sides, 3)
    instance = sides.say(sync_request, points[0])
    assert any("waits for the answers of 2 more" in line for line in lines(instance))


# -- again, unknown, early -------------------------------------------------------------------------------


def test_the_same_acknowledgement_twice_is_told_once(sides: Sides):
    sync_request, (point,) = sent(sides)
    sides.say(sync_request, point)
    again = sides.say(sync_request, point)
    assert again.status == "skipped"
    assert len(sides.updates) == 1
    assert row(sync_request).status == "synchronised"
    assert not ErrorInstance.objects.exists()


def test_the_same_one_twice_while_others_are_missing_counts_once(sides: Sides):
    sync_request, points = sent(sides, 2)
    for _ in range(3):
        assert sides.say(sync_request, points[0]).status == "skipped"
    assert sides.updates == []
    assert sides.say(sync_request, points[1]).status == "succeeded"
    assert len(sides.updates) == 1


def test_of_two_that_differ_the_later_counts_until_ccb_is_told(sides: Sides):
    sync_request, points = sent(sides, 2)
    sides.say(sync_request, points[0], WHY)
    sides.say(sync_request, points[0])
    sides.say(sync_request, points[1])
    assert sides.ccb.status(sync_request) == "synchronised"


def test_one_for_a_sync_request_nobody_sent_is_passed_on_and_ccb_says_it_knows_none(sides: Sides):
    failed = sides.acknowledge(told("ack_positive", syncRequestId="99999999999999"))
    assert (failed.status, failed.fault_class) == ("failed", "business")
    assert "404" in failed.fault_text
    found = row("99999999999999")
    assert found.status == "unknown"
    assert any("never seen" in line for line in lines(failed))
    assert ErrorInstance.objects.get().state == "open"


def test_one_for_a_sync_request_of_before_this_hub_is_passed_on(sides: Sides):
    message, (point,) = premise(sides, 1)
    said = told("ack_positive", syncRequestId=message["syncRequestId"], externalId=point)
    assert sides.acknowledge(said).status == "succeeded"
    assert sides.ccb.status(message["syncRequestId"]) == "synchronised"
    assert row(message["syncRequestId"]).status == "unknown"


def test_one_for_a_point_that_the_sync_request_does_not_have_tells_no_one_that_all_is_well(sides: Sides):
    """Two points are awaited; a positive word about a third says nothing of them."""
    sync_request, points = sent(sides, 2)
    odd = sides.acknowledge(told("ack_positive", syncRequestId=sync_request, externalId="7999999999"))
    assert odd.status == "skipped"
    assert any("does not wait for an answer about 7999999999" in line for line in lines(odd))
    assert sides.ccb.status(sync_request) == "awaiting acknowledgement"
    assert row(sync_request).status == "awaiting"
    for point in points:
        sides.say(sync_request, point)
    assert sides.ccb.status(sync_request) == "synchronised"


def test_answers_that_come_before_the_flow_has_ended_count(sides: Sides):
    """WAM is quick: its acknowledgement of the first is here while the second is still being sent."""
    message, points = premise(sides, 2)
    works = sides.wam._locate

    def quick(asked: Any) -> Any:
        answer = works(asked)
        early.append(asked.message["externalId"])
        return answer

    early: list[str] = []
    sides.wam._locate = quick  # type: ignore[method-assign]
    sync = Sides.sync(sides, message)
    assert sync.status_code == 202
    assert early == points
    for point in points:
        sides.say(message["syncRequestId"], point)
    assert row(message["syncRequestId"]).status == "synchronised"


def test_all_answers_before_the_last_call_has_ended_are_not_forgotten(
    sides: Sides, monkeypatch: pytest.MonkeyPatch
):
    """The acknowledgements of all are here before the flow notes that all are sent."""
    message, points = premise(sides, 2)
    works = Run.sync_request_all_sent

    def late(run: Run, sync_request: str) -> None:
        for point in points:
            sides.say(message["syncRequestId"], point)
        works(run, sync_request)

    monkeypatch.setattr(Run, "sync_request_all_sent", late)
    assert sides.sync(message).status_code == 202
    assert len(sides.updates) == 1
    assert row(message["syncRequestId"]).status == "synchronised"
    assert sides.ccb.status(message["syncRequestId"]) == "synchronised"


# -- CC&B out of reach -----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["down", "500", "slow", "cut"])
def test_ccb_out_of_reach_is_tried_again_by_the_hub(sides: Sides, mode: str):
    # seed 000: "integration moves the message to error queue and retry should be done from integration layer only"
    with_retries(CCB, 2)
    sync_request, (point,) = sent(sides)
    fails(sides.ccb, mode, CCB)
    waiting = sides.say(sync_request, point)
    assert waiting.status == "waiting"
    Instance.objects.update(due_at=timezone.now())
    assert run_once(waiting).status == "succeeded"
    assert sides.ccb.status(sync_request) == row(sync_request).status == "synchronised"
    assert mails("error") == []
    assert len(sides.ccb.taken()[sync_request].messages) == 1


@pytest.mark.parametrize("points", [1, 2])
def test_one_that_cannot_be_delivered_is_in_the_error_queue_and_goes_from_there(sides: Sides, points: int):
    sync_request, names = sent(sides, points)
    sides.ccb.fail("500", None)
    for name in names:
        failed = sides.say(sync_request, name)
    assert failed.status == "failed"
    assert ErrorInstance.objects.get().instance == failed
    assert len(mails("error")) == 1
    assert row(sync_request).status == "awaiting"
    sides.ccb.reset()
    assert run_once(instance_resubmit(instance=failed, actor="olga")).status == "succeeded"
    assert sides.ccb.status(sync_request) == row(sync_request).status == "synchronised"
    assert ErrorInstance.objects.get().state == "recovered"


def test_wam_is_answered_before_ccb_is_told_anything(sides: Sides):
    sync_request, (point,) = sent(sides)
    sides.ccb.fail("500", None)
    answer = sides.post("WAM", ACK, acknowledgement(sync_request, point, location=LOCATION))
    assert answer.status_code == 202
    assert sides.ccb.received() == []


def test_an_answer_that_was_lost_is_known_from_the_refusal_of_its_repeat(sides: Sides):
    sync_request, (point,) = sent(sides)
    sides.ccb.fail("cut", 1)
    failed = sides.say(sync_request, point)
    sides.ccb.idempotent = type(sides.ccb.idempotent)()  # CC&B has forgotten the key, as after a restart
    assert run_once(instance_resubmit(instance=failed, actor="olga")).status == "succeeded"
    assert any("the first call had arrived" in line for line in lines(failed))
    assert row(sync_request).status == "synchronised"


def test_the_same_one_again_while_the_first_waits_is_told_once(sides: Sides):
    with_retries(CCB, 2)
    sync_request, (point,) = sent(sides)
    sides.ccb.fail("500", 1)
    waiting = sides.say(sync_request, point)
    assert sides.say(sync_request, point).status == "skipped"
    Instance.objects.filter(pk=waiting.pk).update(due_at=timezone.now())
    assert run_once(waiting).status == "succeeded"
    assert len(sides.ccb.taken()[sync_request].messages) == 1
    assert row(sync_request).status == "synchronised"


def test_the_same_one_again_after_the_first_failed_tells_ccb_and_a_resubmission_need_not(sides: Sides):
    sync_request, (point,) = sent(sides)
    sides.ccb.fail("500", 1)
    failed = sides.say(sync_request, point)
    assert failed.status == "failed"
    assert sides.say(sync_request, point).status == "succeeded"
    assert run_once(instance_resubmit(instance=failed, actor="olga")).status == "skipped"
    assert len(sides.ccb.taken()[sync_request].messages) == 1


# -- put right at CC&B -----------------------------------------------------------------------------------


def test_a_corrected_message_under_the_same_id_is_taken_and_acknowledged_again(sides: Sides):
    # seed 000: "so that the user/system can possibly fix the issue and retry to send the message"
    message, points = premise(sides, 2)
    sync_request = message["syncRequestId"]
    first = sides.sync(message)
    sides.say(sync_request, points[0])
    sides.say(sync_request, points[1], WHY)
    assert sides.ccb.status(sync_request) == "error"
    sides.ccb.retry(sync_request)
    corrected = {**message, "address": {**message["address"], "address1": "14 Rowan Lane"}}
    again = sides.sync(corrected)
    assert again.status_code == 202
    assert again["X-Busbar-Instance"] != first["X-Busbar-Instance"]
    found = row(sync_request)
    assert (found.status, found.positive, found.message) == ("awaiting", None, "")
    assert found.parts == dict.fromkeys(points)
    assert {one.times for one in sides.wam.locations().values()} == {2}
    assert sides.wam.locations()[points[1]].message["address"]["address1"] == "14 Rowan Lane"
    assert sides.say(sync_request, points[0]).status == "skipped"
    assert sides.say(sync_request, points[1]).status == "succeeded"
    assert [one["hasError"] for one in sides.updates] == [True, False]
    assert sides.ccb.status(sync_request) == row(sync_request).status == "synchronised"


def test_the_same_message_again_after_a_no_is_sent_again(sides: Sides):
    """What was wrong was put right at WAM: the message need not change."""
    message, (point,) = premise(sides, 1)
    sync_request = message["syncRequestId"]
    sides.sync(message)
    sides.say(sync_request, point, WHY)
    sides.ccb.retry(sync_request)
    again = sides.sync(message)
    assert (again.status_code, again.has_header("X-Busbar-Repeated")) == (202, False)
    assert sides.wam.locations()[point].times == 2
    assert sides.say(sync_request, point).status == "succeeded"
    assert sides.ccb.status(sync_request) == row(sync_request).status == "synchronised"


def test_a_second_no_is_an_error_again_and_a_third_message_is_taken(sides: Sides):
    message, (point,) = premise(sides, 1)
    sync_request = message["syncRequestId"]
    for house in ("1", "2", "3"):
        message["address"]["address1"] = f"{house} Rowan Lane"
        assert sides.sync(message).status_code == 202
        sides.say(sync_request, point, WHY if house != "3" else "")
        if house != "3":
            assert row(sync_request).status == "error"
            sides.ccb.retry(sync_request)
    assert row(sync_request).status == "synchronised"
    assert len(sides.updates) == 3


def test_after_a_yes_other_content_is_a_conflict_again(sides: Sides):
    message, (point,) = premise(sides, 1)
    sides.sync(message)
    sides.say(message["syncRequestId"], point)
    message["premiseId"] = "another"
    assert sides.sync(message).status_code == 409


# -- messages that are none ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [{"ackType": "MAYBE"}, {"ackType": None}, {"syncRequestId": ""}, {"externalId": 7}, {"errors": "no"}],
)
def test_an_acknowledgement_of_another_shape_is_not_taken(sides: Sides, changed: dict[str, Any]):
    answer = sides.post("WAM", ACK, told("ack_positive", **changed))
    assert (answer.status_code, answer.json()["o:errorCode"]) == (400, "HUB-INVALID")
    assert not Instance.objects.exists()


def test_ccb_may_not_acknowledge_in_wams_name(sides: Sides):
    answer = sides.post("CCB", ACK, told("ack_positive"))
    assert (answer.status_code, answer.json()["o:errorCode"]) == (403, "HUB-FORBIDDEN")


# -- the page --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status"), [("", "Synchronised"), (WHY, "Error")], ids=["positive", "negative"]
)
def test_the_sync_request_page_tells_both_directions(sides: Sides, error: str, status: str):  # the issue
    sync_request, points = sent(sides, 2)
    browser: Browser = _enter(UserFactory(username="root", is_superuser=True))
    waiting = text_of(browser.get(page_of(row(sync_request))))
    there = row(sync_request).instance
    assert there is not None
    for said in ("Awaiting acknowledgement", sync_request, "6000000", "Service point", page_of(there)):
        assert said in waiting
    sides.say(sync_request, points[0])
    back = sides.say(sync_request, points[1], error)
    page = text_of(browser.get(page_of(row(sync_request))))
    for said in (status, page_of(there), page_of(back), error):
        assert said in page


# -- at the same time ------------------------------------------------------------------------------------


@pytest.fixture
def apart(transactional_db: None) -> Iterator[Sides]:
    """The same with everything committed, for threads."""
    begin()
    with (
        Ccb(username="HUB", password="a long password") as ccb,
        Wam(username="HUB", password="a long password") as wam,
    ):
        yield connect(ccb, wam)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(3))
def test_answers_that_come_at_the_same_time_are_told_once(apart: Sides, turn: int):
    sync_request, points = sent(apart, 4)
    start = threading.Barrier(len(points))
    ended: list[str] = []

    def say(point: str) -> None:
        try:
            start.wait(10)
            ended.append(apart.say(sync_request, point).status)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=say, args=(point,)) for point in points]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(ended) == ["skipped"] * 3 + ["succeeded"]
    assert len(apart.updates) == 1
    assert len(apart.updates[0]["externalIds"]) == 4
    assert row(sync_request).status == "synchronised"


@pytest.mark.django_db(transaction=True)
def test_the_last_answer_twice_at_the_same_time_is_taken_by_ccb_once(apart: Sides):
    sync_request, (point,) = sent(apart, 1)
    start = threading.Barrier(2)
    ended: list[str] = []

    def say() -> None:
        try:
            start.wait(10)
            ended.append(apart.say(sync_request, point).status)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=say) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(apart.ccb.taken()[sync_request].messages) == 1
    assert row(sync_request).status == "synchronised"
    assert "failed" not in ended, ended


# -- switching -------------------------------------------------------------------------------------------


def test_the_package_has_its_two_flows_and_their_error_handler(sides: Sides):
    Flow.objects.filter(package=PACKAGE).update(active=False)
    for flow in Flow.objects.filter(package=PACKAGE, present=True):
        assert flow_problems(flow) == []
        flow_activate(flow=flow, actor="op")
    assert Flow.objects.filter(package=PACKAGE, active=True).count() == 3
    assert SyncRequest.objects.count() == 0


def test_an_error_is_mailed_where_the_flags_say_so(sides: Sides):
    Row.objects.filter(
        lookup__name="OUTL-BRT-CCB_WAM_ConfigProps", cells__0="notification.email.error.flag"
    ).delete()
    property_set("OUTL-BRT-CCB_WAM_ConfigProps", "notification.type.email", "false")
    sides.wam.fail("500", 1)
    sides.sync(told("service_point"))
    assert mails("error") == []
    handler = Instance.objects.get(flow__identifier="OUTL-BA-CCB_WAM_ERR_HNDLR")
    assert handler.status == "skipped"
