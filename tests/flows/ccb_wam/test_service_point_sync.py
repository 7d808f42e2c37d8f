"""Service points of CC&B as asset locations of WAM (seed 000): what CC&B sends, and what it is answered at once."""

import json
from typing import Any

import pytest

from integrations.models import ErrorInstance, Flow, Instance, SyncRequest
from integrations.services.instance_resubmit import instance_resubmit
from lookups.models import Row
from tests.flows.ccb_wam.conftest import SYNC, WAM, Sides, premise, row, told
from tests.flows.conftest import mails
from tests.flows.cpmcs_derms.conftest import fails, run_once


def test_one_service_point_in_the_message_itself_becomes_an_asset_location(
    sides: Sides,
):  # the contract's shape
    answer = sides.sync(told("service_point"))
    assert answer.status_code == 202
    assert sides.created == [
        {
            "externalId": "7000000001",
            "locationType": "ELEC-RES",
            "parentExternalId": "6000000001",
            "description": "Service point 7000000001 at 12 Rowan Lane",
            "address": {
                "address1": "12 Rowan Lane",
                "city": "Amberford",
                "state": "OR",
                "postal": "97990",
                "country": "USA",
                "latitude": 44.95,
                "longitude": -123.05,
            },
            "status": "ACTIVE",
            "syncRequestId": "40000000000001",
        }
    ]
    assert set(sides.wam.locations()) == {"7000000001"}


def test_each_service_point_of_a_premise_becomes_one(sides: Sides):
    # seed 000: "When a premise and its service point(s) are created … syncs the information"
    answer = sides.sync(told("premise"))
    assert answer.status_code == 202
    found = {one["externalId"]: (one["locationType"], one["status"]) for one in sides.created}
    assert found == {"7000000001": ("ELEC-RES", "ACTIVE"), "7000000002": ("WATER-COM", "INACTIVE")}
    assert {one["parentExternalId"] for one in sides.created} == {"6000000001"}


def test_the_caller_is_told_which_instance_took_it(
    sides: Sides,
):  # contract: 202 {"instanceId", "status", "links"}
    answer = sides.sync(told("premise"))
    instance = Instance.objects.get(pk=answer["X-Busbar-Instance"])
    body = answer.json()
    assert (body["instanceId"], body["status"]) == (str(instance.pk), "succeeded")
    assert str(instance.pk) in body["links"]["self"]
    assert answer["Location"] == body["links"]["self"]
    known = set(instance.keys.values_list("name", "value"))
    for key in (("syncRequestId", "40000000000001"), ("premiseId", "6000000001")):
        assert key in known
    assert {value for name, value in known if name == "servicePointId"} == {"7000000001", "7000000002"}


def test_the_sync_request_awaits_an_answer_for_each(sides: Sides):
    sides.sync(told("premise"))
    found = row("40000000000001")
    assert (found.status, found.entity, found.external_id) == ("awaiting", "Service point", "6000000001")
    assert found.parts == {"7000000001": None, "7000000002": None}
    assert found.sent_at is not None
    assert found.overdue_at is not None
    assert found.overdue_at > found.sent_at


def test_500_points_go_one_after_the_other_and_501_do_not(sides: Sides):
    points = [{"spId": f"{number}", "spType": "E-RES"} for number in range(501)]
    assert sides.sync(told("premise", servicePoints=points)).status_code == 400
    assert SyncRequest.objects.count() == len(sides.created) == 0


# -- answered at once ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"spType": "X-RES"}, ("OUTL-BRT-CCB_WAM_LocationType", "X-RES")),
        ({"status": "MELTED"}, ("OUTL-BRT-CCB_WAM_Status", "MELTED")),
    ],
)
def test_a_code_in_no_lookup_is_a_fault_at_once_and_nothing_is_sent(
    sides: Sides, changed: dict[str, str], said: tuple[str, ...]
):  # seed 000: "If an error is encountered while transforming the message … synchronously responds to the error"
    message = told("premise")
    message["servicePoints"][1].update(changed)
    answer = sides.sync(message)
    assert (answer.status_code, answer.json()["o:errorCode"]) == (422, "HUB-LOOKUP")
    for one in said:
        assert one in answer.json()["detail"]
    assert sides.wam.received() == []  # not even the first, which is right
    assert (
        ErrorInstance.objects.get().state == "open"
    )  # "and integration moves the error message to the error queue"
    assert len(mails("error")) == 1


def test_what_wam_refuses_is_a_fault_at_once(sides: Sides):
    Row.objects.create(
        lookup=Row.objects.filter(lookup__name="OUTL-BRT-CCB_WAM_LocationType").first().lookup,  # type: ignore[union-attr]  # it is there
        cells=["H-RES", "HEAT-RES"],
    )
    answer = sides.sync(told("service_point", spType="H-RES"))
    body = answer.json()
    assert answer.status_code == 502
    assert body["o:errorCode"] == "HUB-TARGET-REFUSED"
    assert "HEAT-RES" in str(body)
    error = ErrorInstance.objects.get()
    assert error.state == "open"
    assert error.instance.fault_class == "business"


@pytest.mark.parametrize("mode", ["down", "500", "401", "slow", "cut"])
def test_wam_out_of_reach_is_a_fault_at_once(sides: Sides, mode: str):
    # seed 000: "or … Work and Asset Management is unreachable, the system synchronously responds to the error"
    fails(sides.wam, mode, WAM, None)
    answer = sides.sync(told("service_point"))
    assert answer.status_code // 100 == 5
    assert answer.json()["o:errorCode"].startswith("HUB-")
    assert WAM in answer.json()["detail"]
    assert ErrorInstance.objects.get().state == "open"
    assert row("40000000000001").status == "pending"


MISSING: list[tuple[str, ...]] = [
    ("syncRequestId",),
    ("premiseId",),
    ("address",),
    ("address", "address1"),
    ("address", "city"),
    ("servicePoints",),
]


@pytest.mark.parametrize("path", MISSING, ids="/".join)
def test_a_message_that_lacks_what_it_needs_is_not_taken(sides: Sides, path: tuple[str, ...]):
    wrong: Any = told("premise")
    at = wrong
    for name in path[:-1]:
        at = at[name]
    del at[path[-1]]
    answer = sides.sync(wrong)
    assert (answer.status_code, answer.json()["o:errorCode"]) == (400, "HUB-INVALID")
    assert not Instance.objects.exists()


@pytest.mark.parametrize(
    "changed",
    [
        {"servicePoints": []},
        {"servicePoints": [{}]},
        {"servicePoints": [{"spId": "1"}]},
        {"servicePoints": [{"spId": "", "spType": "E-RES"}]},
        {"servicePoints": "7000000001"},
        {"syncRequestId": ""},
        {"syncRequestId": "x" * 15},
        {"syncRequestId": 40000000000001},
        {"address": "12 Rowan Lane"},
    ],
)
def test_a_message_of_another_shape_is_not_taken(sides: Sides, changed: dict[str, Any]):
    assert sides.sync(told("premise", **changed)).status_code == 400
    assert not Instance.objects.exists()


def test_one_service_point_named_twice_is_sent_once(sides: Sides):
    point = {"spId": "7000000001", "spType": "E-RES"}
    assert sides.sync(told("premise", servicePoints=[point, point])).status_code == 202
    assert len(sides.created) == 1
    assert list(row("40000000000001").parts) == ["7000000001"]


@pytest.mark.parametrize("field", ["installDate", "status"])
def test_what_a_service_point_need_not_say_may_lack(sides: Sides, field: str):
    message = told("premise")
    for point in message["servicePoints"]:
        point.pop(field, None)
    assert sides.sync(message).status_code == 202
    if field == "status":
        assert {one["status"] for one in sides.created} == {"ACTIVE"}


# -- again -----------------------------------------------------------------------------------------------


def test_the_same_message_again_is_accepted_and_does_no_work(sides: Sides):  # contract, "Message id"
    first = sides.sync(told("premise"))
    again = sides.sync(told("premise"))
    assert (again.status_code, again["X-Busbar-Instance"]) == (202, first["X-Busbar-Instance"])
    assert again["X-Busbar-Repeated"] == "true"
    assert len(sides.created) == 2


def test_the_same_message_after_a_fault_goes_on_where_it_stopped(sides: Sides):
    message, points = premise(sides, 3)
    works, count = sides.wam._locate, []

    def second_fails(asked: Any) -> Any:
        count.append(asked)
        if len(count) == 2:
            sides.wam.fail("500", 1)
        return works(asked)

    sides.wam._locate = second_fails  # type: ignore[method-assign]  # the third call fails
    assert sides.sync(message).status_code == 502
    assert row(message["syncRequestId"]).status == "pending"
    answer = sides.sync(message)
    assert answer.status_code == 202
    assert [one["externalId"] for one in sides.created] == [points[0], points[1], points[2], points[2]]
    assert {one.times for one in sides.wam.locations().values()} == {1}
    assert ErrorInstance.objects.get().state == "recovered"


def test_other_content_under_the_same_id_is_a_conflict_while_nothing_is_wrong(sides: Sides):
    sides.sync(told("service_point"))
    answer = sides.sync(told("service_point", spType="E-COM"))
    assert (answer.status_code, answer.json()["o:errorCode"]) == (409, "HUB-CONFLICT")


def test_an_inactive_flow_takes_nothing(sides: Sides):
    Flow.objects.filter(identifier=SYNC[0]).update(active=False)
    answer = sides.sync(told("service_point"))
    assert (answer.status_code, answer.json()["o:errorCode"]) == (503, "HUB-INACTIVE")


# -- from the error queue --------------------------------------------------------------------------------


def replay(message: dict[str, Any] | None = None) -> Instance:
    """A person sends the failed message again from the error queue, edited or as it was."""
    edited = None if message is None else json.dumps(message).encode()
    failed = ErrorInstance.objects.get().instance
    return run_once(instance_resubmit(instance=failed, actor="olga", message=edited, reason="put right"))


def test_a_replay_with_an_edited_message_is_followed_to_its_own_acknowledgement(sides: Sides):
    # the issue: "a person can correct the payload and retry it, and the retry is followed to its own acknowledgement"
    message, points = premise(sides)
    wrong = {
        **message,
        "servicePoints": [message["servicePoints"][0], {"spId": points[1], "spType": "X-RES"}],
    }
    assert sides.sync(wrong).status_code == 422
    done = replay(message)
    assert done.status == "succeeded"
    assert [one["externalId"] for one in sides.created] == points
    found = row(message["syncRequestId"])
    assert (found.status, found.instance, found.parts) == ("awaiting", done, dict.fromkeys(points))
    assert ErrorInstance.objects.get().state == "recovered"
    sides.say(message["syncRequestId"], points[0])
    sides.say(message["syncRequestId"], points[1])
    assert row(message["syncRequestId"]).status == "synchronised"
    assert sides.ccb.status(message["syncRequestId"]) == "synchronised"


def test_a_replay_after_wam_was_down_sends_all(sides: Sides):
    message, points = premise(sides)
    sides.wam.fail("down", 1)
    assert sides.sync(message).status_code == 502
    assert replay().status == "succeeded"
    assert [one["externalId"] for one in sides.created] == points


def refused_second(sides: Sides) -> tuple[dict[str, Any], list[str]]:
    """A premise whose first point WAM took, and whose second it refused: the hub's codes and WAM's differ."""
    Row.objects.filter(lookup__name="OUTL-BRT-CCB_WAM_LocationType", cells__0="E-COM").update(
        cells=["E-COM", "NOT-AT-WAM"]
    )
    message, points = premise(sides, types=("E-RES", "E-COM"))
    assert sides.sync(message).status_code == 502
    assert set(sides.wam.locations()) == {points[0]}
    return message, points


def mended() -> None:
    """The lookup is put right."""
    for one in Row.objects.filter(lookup__name="OUTL-BRT-CCB_WAM_LocationType", cells__0="E-COM"):
        one.cells = ["E-COM", "ELEC-COM"]
        one.save()


def test_a_replay_does_not_send_again_what_was_taken_nor_forgets_its_acknowledgement(sides: Sides):
    message, points = refused_second(sides)
    sides.say(message["syncRequestId"], points[0])  # the first one's answer comes meanwhile
    mended()
    assert replay().status == "succeeded"
    assert len([one for one in sides.created if one["externalId"] == points[0]]) == 1
    sides.say(message["syncRequestId"], points[1])
    assert row(message["syncRequestId"]).status == "synchronised"
    assert len(sides.updates) == 1


def test_an_edited_replay_is_answered_for_the_point_that_was_acknowledged_before_it_too(sides: Sides):
    """WAM acknowledges the first again where it is sent anew, or its answer is kept where it is not."""
    message, points = refused_second(sides)
    sides.say(message["syncRequestId"], points[0])
    edited = {**message, "servicePoints": [{**one, "spType": "E-RES"} for one in message["servicePoints"]]}
    assert replay(edited).status == "succeeded"
    for point in points[: sides.wam.locations()[points[0]].times - 1]:  # WAM answers what it did anew
        sides.say(message["syncRequestId"], point)
    sides.say(message["syncRequestId"], points[1])
    assert row(message["syncRequestId"]).status == "synchronised"


def test_what_a_replay_edits_reaches_wam(sides: Sides):
    """WAM knows a repeat by its key: what was put right must not be taken for the message before."""
    message, points = refused_second(sides)
    address = {**message["address"], "address1": "14 Rowan Lane"}
    edited = {
        **message,
        "address": address,
        "servicePoints": [{**one, "spType": "E-RES"} for one in message["servicePoints"]],
    }
    assert replay(edited).status == "succeeded"
    for point in points:
        assert sides.wam.locations()[point].message["address"]["address1"] == "14 Rowan Lane"
