"""monitoring/instances: each criterion, order and grouping of OIC's, milestones, logs, and aborting."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import (
    Activity,
    Attempt,
    AuditEntry,
    BulkItem,
    BulkResubmission,
    BusinessKey,
    DueRun,
    ErrorInstance,
    Flow,
    Instance,
    MaskedField,
    Schedule,
    Step,
)
from integrations.storage import payload_put
from tests.unit.api.conftest import ACK, MONITORING, fault_of

LIST = f"{MONITORING}/instances"


@pytest.fixture
def get(client, person):
    headers = person("view_instance").headers

    def read(url=LIST, **params):
        return client.get(url, params, headers=headers)

    return read


@pytest.fixture
def ids(get):
    def found(**params):
        answer = get(**params)
        assert answer.status_code == 200, answer.content
        return [item["id"] for item in answer.json()["items"]]

    return found


def test_further_criteria_of_q_narrow_the_list(ids, make_instance, flow):
    wanted = make_instance(cause="schedule", primary_key_name="a", primary_key_value="1")
    other = make_instance(primary_key_name="b", primary_key_value="2")
    BusinessKey.objects.create(instance=wanted, name="a", value="1")
    BusinessKey.objects.create(instance=wanted, name="b", value="2")
    BusinessKey.objects.create(instance=other, name="b", value="2")
    schedule = Schedule.objects.create(flow=flow, name="nightly", cron="0 2 * * *")
    DueRun.objects.create(schedule=schedule, due_at=timezone.now(), instance=wanted)
    order = BulkResubmission.objects.create(title="x", actor="omar")
    BulkItem.objects.create(order=order, instance=wanted, position=1)
    for q in (
        "{secondaryValue:'2'}",
        "{tertiaryValue:'2'}",
        f"{{runId:'{wanted.pk}'}}",
        f"{{requestId:'{schedule.pk}'}}",
        f"{{jobid:'{order.pk}'}}",
        "{primaryValue:'\"1\"'}",
    ):
        assert ids(q=q) == [str(wanted.pk)], q
    assert ids(q=f"{{runId:'{other.pk}'}}") == []
    assert ids(q="{projectCode:'nowhere'}") == []


def test_a_project_has_the_instances_of_its_packages(ids, make_instance):
    of_project = Flow.objects.filter(package="OU CPMCS DERMS").first()
    instance = make_instance(flow=of_project)
    make_instance()
    for project in ("OUTL-BA-DACS_DERMS", "ou cpmcs derms"):
        assert ids(q=f"{{projectCode:'{project}', status:'IN_PROGRESS'}}") == [str(instance.pk)]


def test_a_flow_and_a_status_together_find_what_both_say(ids, make_instance):
    other = Flow.objects.exclude(identifier=ACK).first()
    failed, done = make_instance(status="failed"), make_instance(status="succeeded")
    skipped = make_instance(status="skipped")
    make_instance(flow=other, status="failed")
    assert ids(q=f"{{code:'{ACK}', status:'FAILED'}}") == [str(failed.pk)]
    assert ids(q=f"{{code:'{ACK}', status:'COMPLETED'}}") == [str(skipped.pk), str(done.pk)]
    assert ids(q="{state:'failed', status:'COMPLETED'}") == []


def test_pages_go_through_several_statuses_in_time(ids, make_instance):
    made = [make_instance(status=("succeeded", "skipped")[at % 2]) for at in range(5)][::-1]
    pages = [ids(q="{status:'COMPLETED'}", limit=2, offset=at) for at in (0, 2, 4)]
    assert [one for page in pages for one in page] == [str(one.pk) for one in made]


def test_a_long_run_is_found_by_its_duration(ids, make_instance):
    now = timezone.now()
    slow = make_instance(started_at=now - timedelta(seconds=9), ended_at=now, status="succeeded")
    make_instance(started_at=now, ended_at=now, status="succeeded")
    make_instance()
    assert ids(q="{minDuration:'5000'}") == [str(slow.pk)]


def test_only_the_newest_are_searched_without_an_index_and_the_answer_says_so(
    get, make_instance, monkeypatch
):
    monkeypatch.setattr("integrations.api.instance_query.COUNTED", 2)
    old = make_instance(flow_version="09.00.0000")
    [make_instance() for _ in range(3)]
    body = get(q="{version:'09.00.0000'}").json()
    assert (body["items"], body["totalResultsExact"]) == ([], False)
    body = get(q=f"{{version:'09.00.0000', id:'{old.pk}'}}").json()
    assert (len(body["items"]), body["totalResultsExact"]) == (1, True)


def test_a_list_is_counted_to_a_bound_and_says_where_it_stopped(get, make_instance, monkeypatch):
    monkeypatch.setattr("integrations.api.paging.COUNTED", 3)
    [make_instance() for _ in range(5)]
    body = get(limit=2).json()
    assert (body["totalResults"], body["totalResultsExact"], body["hasMore"]) == (3, False, True)
    body = get(limit=2, offset=4).json()
    assert (body["totalResults"], body["totalResultsExact"], body["hasMore"]) == (5, True, False)


def test_an_offset_beyond_the_bound_is_refused_with_the_way_on(get):
    assert "startdate" in fault_of(get(offset=10_001), 400, "HUB-INVALID")["detail"]


def test_orders_by_duration_and_by_last_update(ids, make_instance):
    now = timezone.now()
    slow = make_instance(started_at=now - timedelta(hours=2), ended_at=now - timedelta(hours=1))
    quick = make_instance(started_at=now - timedelta(seconds=1), ended_at=now)
    waiting = make_instance()
    assert ids(orderBy="executiontime") == [str(one.pk) for one in (slow, quick, waiting)]
    assert ids(orderBy="lastupdateddate")[-1] == str(slow.pk)
    assert ids(orderBy="executiontime", limit=1, offset=1) == [str(quick.pk)]


def test_grouped_by_integration_each_flow_has_its_number(get, make_instance):
    other = Flow.objects.exclude(identifier=ACK).first()
    make_instance(), make_instance(), make_instance(flow=other)
    items = get(groupBy="integration").json()["items"]
    assert [(item["code"], item["noOfInstances"]) for item in items] == [(ACK, 2), (other.identifier, 1)]


def test_fields_run_id_and_return_minimal_give_less(get, make_instance):
    by_hand = make_instance(cause="manual")
    BusinessKey.objects.create(instance=by_hand, name="a", value="1")
    assert set(get(fields="runId").json()["items"][0]) == {"runId", "links"}
    assert get(fields="runId").json()["items"][0]["runId"] == str(by_hand.pk)
    assert get(**{"return": "minimal"}).json()["items"][0]["trackings"] == []


def test_one_instance_tells_its_milestones_and_trackings(get, make_instance, client, person):
    instance = make_instance(primary_key_name="account", primary_key_value="1", status="failed")
    for name, value in (("account", "1"), ("sp", "2"), ("device", "3")):
        BusinessKey.objects.create(instance=instance, name=name, value=value)
    Step.objects.create(instance=instance, key="call CCS", state="done", attempt=1)
    Activity.objects.create(instance=instance, kind="fault", level="error", text="CCS is down")
    AuditEntry.objects.create(actor="omar", action="resubmit", subject=f"instance:{instance.pk}")
    body = get(f"{LIST}/{instance.pk}").json()
    assert (body["secondaryTrackingName"], body["tertiaryTrackingValue"]) == ("sp", "3")
    assert [one["name"] for one in body["flowMilestones"]] == ["call CCS"]
    assert [one["message"] for one in body["errorMilestones"]] == ["CCS is down"]
    assert body["auditTrail"] == []
    auditor = person("view_instance", "view_auditentry", name="ada").headers
    trail = client.get(f"{LIST}/{instance.pk}", headers=auditor).json()["auditTrail"]
    assert [(one["actor"], one["action"]) for one in trail] == [("omar", "resubmit")]


def test_keys_of_a_list_give_way_to_the_single_ones(get, make_instance):
    flow = Flow.objects.get(identifier="OUTL-BA-DRMS_DACS_ENROLLRQ")
    instance = make_instance(flow=flow, primary_key_name="messageId", primary_key_value="1")
    kept = [("messageId", "1"), ("nicId", "2"), ("nicId", "3"), ("enrollmentId", "4")]
    for name, value in kept:
        BusinessKey.objects.create(instance=instance, name=name, value=value)
    body = get(f"{LIST}/{instance.pk}").json()
    assert (body["secondaryTrackingName"], body["secondaryTrackingValue"]) == ("enrollmentId", "4")
    assert (body["tertiaryTrackingName"], body["tertiaryTrackingValue"]) == ("nicId", "2")
    assert [(one["name"], one["value"]) for one in body["trackings"]] == kept


def test_the_newer_address_of_the_stream_gives_the_same(get, make_instance):
    instance = make_instance()
    Activity.objects.create(instance=instance, kind="received", text="first")
    old, new = (
        get(f"{LIST}/{instance.pk}/{name}").json() for name in ("activityStream", "activityStreamDetails")
    )
    assert old["items"] == new["items"] != []


def test_masked_fields_are_dots_but_for_who_may_read_them(client, person, make_instance):
    instance = make_instance()
    kept = payload_put(b'{"taxId":"canary","a":1}', content_type="application/json")
    Activity.objects.create(instance=instance, kind="called", text="x", payload_out=kept)
    MaskedField.objects.create(name="taxId")
    url = f"{LIST}/{instance.pk}/activityStreamDetails"
    reader = person("view_instance", "read_payload", name="rita").headers
    trusted = person("view_instance", "read_payload", "read_masked", name="tom").headers
    shown = client.get(url, {"payloads": "true"}, headers=reader)
    assert b"canary" not in shown.content
    assert '"a": 1' in shown.json()["items"][0]["payloadOut"]["content"]
    assert b"canary" in client.get(url, {"payloads": "true"}, headers=trusted).content
    looks = AuditEntry.objects.filter(action="payload_read").order_by("pk")
    assert [(look.actor, look.detail["masked"]) for look in looks] == [("rita", True), ("tom", False)]


def test_the_log_is_the_stream_as_text_without_payloads(get, make_instance):
    instance = make_instance()
    kept = payload_put(b'{"secret":"canary"}', content_type="application/json")
    Activity.objects.create(instance=instance, kind="called", text="Called\nthe target", payload_out=kept)
    answer = get(f"{MONITORING}/logs/{instance.pk}")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.content.decode().endswith("attempt 1 INFO called: Called the target\n")
    assert b"canary" not in answer.content


@pytest.fixture
def abort(client, person):
    headers = person("view_instance", "discard_instance", name="omar").headers

    def post(instance, body=None):
        url = f"{LIST}/{instance.pk}/abort"
        return client.post(url, body or {}, content_type="application/json", headers=headers)

    return post


@pytest.mark.parametrize("status", ["ready", "running", "waiting"])
def test_what_is_under_way_is_aborted_and_its_holder_loses_it(abort, make_instance, status):
    instance = make_instance(status=status, fence=3)
    Attempt.objects.create(instance=instance, number=3, holder="w")
    body = abort(instance, {"reason": "wrong file"}).json()
    assert (body["status"], body["state"]) == ("ABORTED", "discarded")
    instance.refresh_from_db()
    assert (instance.fence, instance.lease_until) == (4, None)
    assert instance.attempts.get().outcome == "fenced"
    assert instance.activities.get().text == "Aborted by omar: wrong file"
    assert AuditEntry.objects.get(action="abort").detail == {"reason": "wrong file", "was": status}


def test_what_it_called_is_aborted_with_it(abort, make_instance):
    parent = make_instance(status="running")
    child = make_instance(status="running", parent=parent)
    grandchild = make_instance(status="running", parent=child)
    done = make_instance(status="succeeded", parent=parent)
    assert abort(parent).status_code == 200
    states = dict(Instance.objects.values_list("pk", "status"))
    assert (states[child.pk], states[grandchild.pk], states[done.pk]) == (
        "discarded",
        "discarded",
        "succeeded",
    )


def test_an_aborted_replay_leaves_the_error_of_what_it_replays_open(abort, make_error, make_instance):
    error = make_error()
    ErrorInstance.objects.update(state="resubmitted")
    assert abort(make_instance(replay_of=error.instance)).status_code == 200
    error.refresh_from_db()
    assert error.state == "open"


def test_what_has_ended_cannot_be_aborted(abort, make_instance):
    said = fault_of(abort(make_instance(status="succeeded")), 409, "HUB-CONFLICT")["detail"]
    assert "it is succeeded" in said
