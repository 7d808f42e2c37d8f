"""monitoring/errors: groups, selections by flow and connection, recovery jobs."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import (
    Activity,
    BulkResubmission,
    BusinessKey,
    Connection,
    ErrorInstance,
    Flow,
    Instance,
)
from tests.unit.api.conftest import ACK, MONITORING, fault_of

ERRORS = f"{MONITORING}/errors"


@pytest.fixture
def headers(person):
    return person(
        "view_instance", "resubmit_instance", "discard_instance", "view_bulkresubmission", name="omar"
    ).headers


@pytest.fixture
def get(client, headers):
    def read(url=ERRORS, **params):
        return client.get(url, params, headers=headers)

    return read


@pytest.fixture
def order(client, headers):
    def post(what, body):
        return client.post(f"{ERRORS}/{what}", body, content_type="application/json", headers=headers)

    return post


@pytest.fixture
def at_ccs(make_error):
    """An error with a failed call at CCS, four days old."""
    error = make_error()
    ccs = Connection.objects.create(name="CCS", adapter="rest")
    Activity.objects.create(
        instance=error.instance, kind="called", level="error", text="down", connection=ccs
    )
    at = timezone.now() - timedelta(days=4)
    ErrorInstance.objects.filter(pk=error.pk).update(last_failed_at=at)
    return error


def ids(response):
    assert response.status_code == 200, response.content
    return [item["id"] for item in response.json()["items"]]


def test_each_criterion_narrows_the_list(get, at_ccs, make_error):
    error = make_error(flow_version="09.00.0000", primary_key_value="7")
    BusinessKey.objects.create(instance=error.instance, name="sp", value="8")
    for q in (
        "{timewindow:'3d'}",
        "{version:'09.00.0000'}",
        "{primaryValue:'7'}",
        "{secondaryValue:'8'}",
        "{businessIDValue:'8'}",
        f"{{instanceId:'{error.instance_id}'}}",
    ):
        assert ids(get(q=q)) == [str(error.instance_id)], q
    assert ids(get(q="{connection:'ccs'}")) == [str(at_ccs.instance_id)]
    assert len(ids(get(q=f"{{code:'{ACK}', projectCode:'outl.ba.ccs_dacs'}}"))) == 2


def test_groups_by_message_integration_and_connection_have_their_numbers(get, at_ccs, make_error):
    make_error()
    (by_message,) = get(groupBy="messages").json()["items"]
    assert (by_message["errorMessage"], by_message["noOfErrors"]) == ("CCS is down", 2)
    (by_flow,) = get(groupBy="integration").json()["items"]
    assert (by_flow["code"], by_flow["noOfErrors"]) == (ACK, 2)
    assert by_flow["firstFailed"] <= by_flow["lastFailed"]
    by_connection = get(groupBy="connection").json()["items"]
    assert {one["connection"]: one["noOfErrors"] for one in by_connection} == {"CCS": 1, "": 1}


def test_expand_adds_the_flow_and_where_a_call_failed(get, at_ccs):
    item = get(expand="integration,connection").json()["items"][0]
    assert item["integration"]["code"] == ACK
    assert [one["name"] for one in item["connections"]] == ["CCS"]
    one = get(f"{ERRORS}/{at_ccs.instance_id}", expand="connection").json()
    assert one["connections"] == item["connections"]
    fault_of(get(expand="moon"), 400, "HUB-INVALID")


@pytest.fixture
def asynchronous(flow):
    """The flow's errors can be resubmitted in any number: none is a replay."""
    Flow.objects.filter(pk=flow.pk).update(pattern="async")


def test_a_flows_errors_are_ordered_in_one_job(get, order, make_error, asynchronous):
    first, second = make_error(), make_error()
    answer = order("resubmit", {"flowCode": ACK.lower(), "timewindow": "1d", "rate": 10, "reason": "r"})
    body = answer.json()
    assert (answer.status_code, body["resubmittedInstancesCount"]) == (202, 2)
    job = BulkResubmission.objects.get(pk=body["recoveryJobId"])
    assert (job.state, job.rate, job.reason, job.actor) == ("running", 10, "r", "omar")
    assert [item.instance_id for item in job.items.all()] == [first.instance_id, second.instance_id]
    assert get(body["redirectUrl"]).json()["waiting"] == 2
    listed = get(f"{ERRORS}/recoveryJobs", q="{status:'running'}").json()["items"]
    assert [one["recoveryJobId"] for one in listed] == [body["recoveryJobId"]]


def test_a_connections_errors_are_ordered_by_their_dates(order, at_ccs, make_error, asynchronous):
    make_error()
    old = {"connectionCode": "ccs", "startDate": "2020-01-01 00:00:00", "endDate": "2099-01-01T00:00:00Z"}
    body = order("resubmit", old).json()
    assert BulkResubmission.objects.get(pk=body["recoveryJobId"]).items.get().instance == at_ccs.instance
    nothing = {"connectionCode": "CCS", "endDate": "2020-01-01 00:00:00"}
    fault_of(order("resubmit", nothing), 409, "HUB-CONFLICT")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "Which errors"),
        ({"flowCode": "NONE"}, "no integration"),
        ({"connectionCode": "NONE"}, "no connection"),
        ({"flowCode": ACK, "timewindow": "9y"}, "timewindow"),
        ({"flowCode": ACK, "rate": 0}, "rate"),
    ],
)
def test_a_selection_that_means_nothing_is_refused(order, db, body, said):
    assert said in fault_of(order("resubmit", body), 400, "HUB-INVALID")["detail"]


def test_more_than_the_bound_wait_for_a_second_person_whichever_way_they_are_chosen(
    order, make_error, asynchronous, settings
):
    settings.HUB_APPROVE_ABOVE = 1
    errors = [make_error(), make_error()]
    for body in ({"ids": [str(one.instance_id) for one in errors]}, {"flowCode": ACK}):
        answer = order("resubmit", body).json()
        assert "second person" in answer["message"], answer
        assert BulkResubmission.objects.get(pk=answer["recoveryJobId"]).state == "awaiting"
        BulkResubmission.objects.all().delete()
    assert not Instance.objects.filter(status="ready").exists()


def test_what_was_resubmitted_by_ids_is_a_finished_job(order, make_error, make_instance, monkeypatch):
    monkeypatch.setattr(
        "integrations.api.error_orders.instance_resubmit",
        lambda **given: given["instance"],
    )
    good, url = make_error().instance, "resubmit"
    body = order(url, {"ids": [str(good.pk)]}).json()
    job = BulkResubmission.objects.get(pk=body["recoveryJobId"])
    assert (job.state, job.total, job.items.get().outcome) == ("finished", 1, "resubmitted")
    one = order(f"{good.pk}/resubmit", {}).json()
    assert one["recoveryJobId"] != body["recoveryJobId"]


def test_a_trace_level_takes_the_permission_to_trace(order, make_error, client, person, monkeypatch):
    monkeypatch.setattr("integrations.api.error_orders.instance_resubmit", lambda **given: given["instance"])
    error = make_error()
    body = {"recoveryTraceLevel": "Audit"}
    fault_of(order(f"{error.instance_id}/resubmit", body), 403, "HUB-FORBIDDEN")
    tracer = person("resubmit_instance", "trace_flow", name="tess").headers
    url = f"{ERRORS}/{error.instance_id}/resubmit"
    assert client.post(url, body, content_type="application/json", headers=tracer).status_code == 202
    flow = Flow.objects.get(identifier=ACK)
    assert (flow.tracing, flow.tracing_until is not None) == ("audit", True)


def test_a_selection_is_discarded_the_oldest_first_and_the_rest_is_counted(order, make_error, monkeypatch):
    monkeypatch.setattr("integrations.api.error_orders.MOST_IDS", 1)
    old, new = make_error(), make_error()
    body = order("discard", {"flowCode": ACK, "reason": "test data"}).json()
    assert (body["discardedIds"], body["remaining"]) == ([str(old.instance_id)], 1)
    new.refresh_from_db()
    assert new.state == "open"
