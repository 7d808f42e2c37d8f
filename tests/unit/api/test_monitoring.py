"""The monitoring API: OIC's shapes, permissions, criteria, orders."""

import uuid
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.utils import timezone

from integrations.adapters.contract import TestStep
from integrations.models import Activity, AuditEntry, BusinessKey, Connection, ErrorInstance, Flow, Instance
from integrations.storage import payload_put
from lookups.models import Lookup, Row
from tests.unit.api.conftest import ACK, DESIGN, MONITORING, fault_of

LIST, ERRORS = f"{MONITORING}/instances", f"{MONITORING}/errors"


@pytest.fixture
def viewer(person):
    return person("view_instance", "view_flow", "view_connection", "view_lookup").headers


@pytest.fixture
def operator(person):
    return person(
        "view_instance", "resubmit_instance", "discard_instance", "read_payload", name="omar"
    ).headers


@pytest.fixture
def get(client, viewer):
    def read(url, **params):
        return client.get(url, params, headers=viewer)

    return read


@pytest.fixture
def order(client, operator):
    def post(url, body=None):
        return client.post(
            url, {} if body is None else body, content_type="application/json", headers=operator
        )

    return post


def ids(response):
    assert response.status_code == 200, response.content
    return [item["id"] for item in response.json()["items"]]


def test_the_list_has_oics_shape_newest_first(get, make_instance):
    old, new = make_instance(), make_instance(status="succeeded")
    body = get(LIST).json()
    assert [item["id"] for item in body["items"]] == [str(new.pk), str(old.pk)]
    assert {key: body[key] for key in ("hasMore", "limit", "offset", "totalResults")} == {
        "hasMore": False, "limit": 50, "offset": 0, "totalResults": 2,
    }  # fmt: skip
    assert body["links"][0]["rel"] == "self"


def test_an_instance_is_told_in_oics_words(get, make_instance, dacs, flow):
    at = timezone.now()
    instance = make_instance(
        status="failed", client=dacs.client, started_at=at, ended_at=at + timedelta(milliseconds=1500),
        fault_code="HUB-LOOKUP", fault_class="technical", fault_text="no row", fault_step="map",
        primary_key_name="syncRequestId", primary_key_value="77",
    )  # fmt: skip
    BusinessKey.objects.create(instance=instance, name="syncRequestId", value="77")
    body = get(f"{LIST}/{instance.pk}").json()
    assert (body["status"], body["state"], body["duration"], body["invokedBy"]) == (
        "FAILED",
        "failed",
        1500,
        "dacs",
    )
    assert body["integrationId"] == f"{ACK}|{flow.version}"
    assert body["trackings"] == [{"name": "syncRequestId", "value": "77", "primary": True}]
    assert body["fault"] == {"class": "technical", "code": "HUB-LOOKUP", "text": "no row", "step": "map"}
    assert body["hasRecoverableFaults"] is True


@pytest.mark.parametrize(
    ("state", "told"),
    [("ready", "IN_PROGRESS"), ("waiting", "IN_PROGRESS"), ("succeeded", "COMPLETED"), ("skipped", "COMPLETED"),
     ("held", "FAILED"), ("discarded", "ABORTED")],
)  # fmt: skip
def test_states_are_told_in_oics_four_words(get, make_instance, state, told):
    assert get(f"{LIST}/{make_instance(status=state).pk}").json()["status"] == told


def test_pages_follow_each_other_by_their_links(client, get, viewer, make_instance):
    made = [str(make_instance().pk) for _ in range(5)][::-1]
    first = get(LIST, limit=2).json()
    links = {link["rel"]: link["href"] for link in first["links"]}
    second = client.get(links["next"], headers=viewer).json()
    assert [item["id"] for item in first["items"] + second["items"]] == made[:4]
    assert first["hasMore"] is True
    last = get(LIST, limit=2, offset=4).json()
    assert (last["hasMore"], {link["rel"] for link in last["links"]}) == (False, {"self", "prev"})


def test_each_criterion_of_q_narrows_the_list(get, make_instance, flow):
    other = Flow.objects.exclude(pk=flow.pk).first()
    wanted = make_instance(status="failed", primary_key_value="77", flow_version="09.00.0000")
    BusinessKey.objects.create(instance=wanted, name="account", value="A1")
    child = make_instance(flow=other, parent=wanted, purged_at=timezone.now())
    Instance.objects.filter(pk=child.pk).update(created_at=timezone.now() - timedelta(hours=3))
    for q in (
        f"{{code:'{ACK.lower()}'}}", "{status:'FAILED'}", "{state: failed}", "{primaryValue:'77'}", "{timewindow:'1h'}",
        '{businessIDValue:"A1"}', "{version:'09.00.0000', status : 'FAILED'}", f"{{id:'{wanted.pk}'}}",
        "includePurged:no",
    ):  # fmt: skip
        assert ids(get(LIST, q=q)) == [str(wanted.pk)], q
    for q in (f"{{parentInstanceId:'{wanted.pk}'}}", "{includePurged:'onlyPurged'}"):
        assert ids(get(LIST, q=q)) == [str(child.pk)], q
    for q in (
        "",
        "{}",
        "{timewindow:'RETENTIONPERIOD'}",
        "{startdate:'2020-01-01 00:00:00', enddate:'2999-01-01 00:00:00'}",
    ):
        assert len(ids(get(LIST, q=q))) == 2, q


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"q": "{colour:'red'}"}, "q does not know colour"),
        ({"q": "{code"}, "cannot be read from '{code'"),
        ({"q": "{status:'NICE'}"}, "COMPLETED"),
        ({"q": "{state:'NICE'}"}, "succeeded"),
        ({"q": "{timewindow:'9y'}"}, "1h"),
        ({"q": "{id:'7'}"}, "no instance id"),
        ({"q": "{startdate:'yesterday'}"}, "yyyy-MM-dd"),
        ({"q": "{includePurged:'maybe'}"}, "onlyPurged"),
        ({"q": "{code:'a\0b'}"}, "U+0000"),
        ({"limit": "0x1"}, "limit"),
        ({"limit": "1001"}, "up to 1000"),
        ({"limit": "9" * 5000}, "up to 1000"),
        ({"offset": "-1"}, "offset"),
        ({"fields": "some"}, "all, id"),
        ({"orderBy": "colour"}, "creationdate"),
        ({"colour": "red"}, "colour is not known"),
    ],
)
def test_a_parameter_without_effect_is_refused_by_name(get, params, said):
    assert said in fault_of(get(LIST, **params), 400, "HUB-INVALID")["detail"]


def test_the_name_oic_wants_in_every_query_is_let_pass(get, db):
    assert get(LIST, integrationInstance="prod").status_code == 200


def test_fields_id_gives_ids_and_links_only(get, make_instance):
    make_instance()
    assert set(get(LIST, fields="id").json()["items"][0]) == {"id", "links"}


def test_a_client_sees_what_it_sent_and_nothing_else(client, dacs, make_instance):
    own, other = make_instance(client=dacs.client), make_instance()
    headers = {"X-API-Key": dacs.api_key}
    assert ids(client.get(LIST, headers=headers)) == [str(own.pk)]
    assert client.get(f"{LIST}/{own.pk}", headers=headers).status_code == 200
    fault_of(client.get(f"{LIST}/{other.pk}", headers=headers), 404, "HUB-NOT-FOUND")
    fault_of(client.get(f"{LIST}/{other.pk}/activityStream", headers=headers), 404, "HUB-NOT-FOUND")


def test_a_person_without_permission_is_forbidden_and_on_record(client, person):
    fault_of(client.get(LIST, headers=person().headers), 403, "HUB-FORBIDDEN")
    entry = AuditEntry.objects.get(action="call_refused")
    assert (entry.actor, entry.detail) == (
        "olivia",
        {"method": "GET", "permission": "integrations.view_instance"},
    )


@pytest.mark.parametrize(
    "path",
    [
        "monitoring/errors", f"monitoring/errors/{uuid.UUID(int=1)}", "integrations", "integrations/X", "connections",
        "connections/X", "lookups", "lookups/X", "monitoring/instances",
    ],
)  # fmt: skip
def test_every_reading_endpoint_asks_for_its_permission(client, person, path):
    fault_of(client.get(f"{DESIGN}/{path}", headers=person().headers), 403, "HUB-FORBIDDEN")
    fault_of(client.get(f"{DESIGN}/{path}"), 401, "HUB-AUTH")


@pytest.mark.parametrize(
    "path",
    [
        "errors/resubmit",
        "errors/discard",
        f"errors/{uuid.UUID(int=1)}/resubmit",
        f"errors/{uuid.UUID(int=1)}/discard",
    ],
)
def test_every_ordering_endpoint_asks_for_its_permission(client, viewer, path):
    fault_of(client.post(f"{MONITORING}/{path}", headers=viewer), 403, "HUB-FORBIDDEN")
    fault_of(client.post(f"{MONITORING}/{path}"), 401, "HUB-AUTH")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("post", "instances", "GET, HEAD"),
        ("get", "errors/resubmit", "POST"),
        ("delete", "errors", "GET, HEAD"),
        ("options", "instances", "GET, HEAD"),
    ],
)
def test_other_methods_are_405_and_told_which(client, db, method, path, allow):
    answer = getattr(client, method)(f"{MONITORING}/{path}")
    fault_of(answer, 405, "HUB-METHOD")
    assert answer["Allow"] == allow


def test_head_is_answered_as_get_is(client, viewer, db):
    assert client.head(LIST, headers=viewer).status_code == 200


def test_the_activity_stream_is_in_order(get, make_instance):
    instance = make_instance()
    connection = Connection.objects.create(name="CCS", adapter="rest")
    Activity.objects.create(instance=instance, kind="received", text="first")
    Activity.objects.create(
        instance=instance, kind="called", text="second", connection=connection, operation="PATCH", status_code=200,
        duration_ms=12.5, bytes_out=3, bytes_in=4,
    )  # fmt: skip
    lines = get(f"{LIST}/{instance.pk}/activityStream").json()["items"]
    assert [line["message"] for line in lines] == ["first", "second"]
    assert (lines[1]["connection"], lines[1]["statusCode"], lines[1]["durationMs"]) == ("CCS", 200, 12.5)
    assert "payloadOut" not in lines[1]


@pytest.fixture
def traced(make_instance):
    instance = make_instance()
    kept = payload_put(b'{"secret":"canary"}', content_type="application/json")
    Activity.objects.create(instance=instance, kind="called", text="x", payload_out=kept)
    return f"{LIST}/{instance.pk}/activityStream"


def test_payloads_are_for_those_who_may_read_them(client, traced, operator, viewer):
    line = client.get(traced, {"payloads": "true"}, headers=operator).json()["items"][0]
    assert line["payloadOut"]["content"] == '{"secret":"canary"}'
    assert line["payloadIn"] is None
    assert AuditEntry.objects.get(action="payload_read").actor == "omar"
    fault_of(client.get(traced, {"payloads": "true"}, headers=viewer), 403, "HUB-FORBIDDEN")


def test_an_answer_has_so_many_bytes_of_payloads_and_the_trail_says_which(
    client, traced, operator, monkeypatch
):
    instance = Instance.objects.get()
    first = Activity.objects.get().payload_out
    other = payload_put(b'{"another":"message"}', content_type="application/json")
    Activity.objects.create(instance=instance, kind="called", text="y", payload_in=other, payload_out=first)
    monkeypatch.setattr("integrations.api.stream_payloads.ANSWER_BYTES", 2 * first.size)
    one, two = client.get(traced, {"payloads": "true"}, headers=operator).json()["items"]
    assert one["payloadOut"]["content"] == two["payloadOut"]["content"] == '{"secret":"canary"}'
    assert two["payloadIn"]["content"].startswith("Left out: too much for one page")
    assert AuditEntry.objects.get(action="payload_read").detail["digests"] == [first.digest]


def test_payloads_are_not_loaded_unless_asked_for(client, traced, operator, monkeypatch):
    monkeypatch.setattr(
        "integrations.api.stream_payloads.payload_seen", lambda *_, **__: pytest.fail("loaded")
    )
    line = client.get(traced, headers=operator).json()["items"][0]
    assert set(line["payloadOut"]) == {"sha256", "size", "contentType"}


def test_errors_list_the_open_ones(get, make_error):
    error, settled = make_error(), make_error()
    ErrorInstance.objects.filter(pk=settled.pk).update(state="discarded")
    assert ids(get(ERRORS)) == [str(error.instance_id)]
    assert ids(get(ERRORS, q="{status:'discarded'}")) == [str(settled.instance_id)]
    for q in (
        f"{{code:'{ACK}'}}",
        "{errorCode:'HUB-TARGET-DOWN'}",
        "{faultClass:'remote'}",
        f"{{family:'{error.family_id}'}}",
    ):
        assert ids(get(ERRORS, q=q)) == [str(error.instance_id)], q
    assert ids(get(ERRORS, q="{primaryValue:'none'}")) == []


@pytest.mark.parametrize("q", ["{status:'nice'}", "{family:'x'}", f"{{family:'{'9' * 30}'}}"])
def test_an_errors_criterion_that_cannot_be_is_refused(get, q):
    fault_of(get(ERRORS, q=q), 400, "HUB-INVALID")


def test_one_error_is_found_by_its_instances_id(get, make_error):
    error = make_error(primary_key_value="77")
    body = get(f"{ERRORS}/{error.instance_id}").json()
    assert (body["errorCode"], body["errorMessage"], body["recoverable"]) == (
        "HUB-TARGET-DOWN",
        "CCS did not answer",
        True,
    )
    assert body["pkValue"] == "77"
    fault_of(get(f"{ERRORS}/{uuid.uuid4()}"), 404, "HUB-NOT-FOUND")


@pytest.fixture
def resubmitted(monkeypatch):
    calls = []

    def fake(**given):
        calls.append(given)
        return given["instance"]

    monkeypatch.setattr("integrations.api.error_orders.instance_resubmit", fake)
    return calls


def test_resubmit_without_a_body_goes_on_from_the_checkpoint(client, operator, make_error, resubmitted):
    error = make_error()
    answer = client.post(f"{ERRORS}/{error.instance_id}/resubmit", b"", "application/json", headers=operator)
    assert (answer.status_code, answer.json()["acceptedIds"]) == (202, [str(error.instance_id)])
    given = resubmitted[0]
    assert (given["actor"], given["from_start"], given["message"], given["reason"]) == (
        "omar",
        False,
        None,
        "",
    )
    assert given["user"].username == "omar"


def test_resubmit_takes_an_edited_message_with_a_reason(order, make_error, resubmitted):
    body = {"fromStart": True, "reason": "typo", "message": {"a": 1}}
    assert order(f"{ERRORS}/{make_error().instance_id}/resubmit", body).status_code == 202
    assert (resubmitted[0]["message"], resubmitted[0]["reason"], resubmitted[0]["from_start"]) == (
        b'{"a":1}',
        "typo",
        True,
    )


def test_who_may_not_read_payloads_may_not_replace_them(client, person, make_error, resubmitted):
    headers = person("resubmit_instance").headers
    url = f"{ERRORS}/{make_error().instance_id}/resubmit"
    answer = client.post(
        url, {"message": {}, "reason": "x"}, content_type="application/json", headers=headers
    )
    assert "read_payload" in fault_of(answer, 403, "HUB-FORBIDDEN")["detail"]
    assert resubmitted == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"fromStart": "yes"}, "fromStart is not of its type"),
        ({"recoveryTraceLevel": "Loud"}, "Production, Audit, Debug"),
        ({"colour": "red"}, "colour is not known"),
        ([1], "an object is expected"),
    ],
)
def test_an_order_that_cannot_be_followed_is_refused(order, make_error, resubmitted, body, said):
    answer = order(f"{ERRORS}/{make_error().instance_id}/resubmit", body)
    assert said in fault_of(answer, 400, "HUB-INVALID")["detail"]
    assert resubmitted == []


def test_an_order_in_another_content_type_is_415(client, operator, make_error, resubmitted):
    url = f"{ERRORS}/{make_error().instance_id}/resubmit"
    answer = client.post(url, b"fromStart=1", "application/x-www-form-urlencoded", headers=operator)
    fault_of(answer, 415, "HUB-MEDIA-TYPE")


def test_resubmitting_nothing_there_is_404(order, resubmitted):
    fault_of(order(f"{ERRORS}/{uuid.uuid4()}/resubmit"), 404, "HUB-NOT-FOUND")


def test_resubmitting_what_succeeded_is_a_conflict(order, make_instance):
    body = fault_of(order(f"{ERRORS}/{make_instance(status='succeeded').pk}/resubmit"), 409, "HUB-CONFLICT")
    assert "it has succeeded" in body["detail"]


def test_many_are_resubmitted_each_by_itself(order, make_error, make_instance, flow):
    good, done = make_error().instance, make_instance(status="succeeded")
    answer = order(
        f"{ERRORS}/resubmit", {"ids": [str(good.pk), str(good.pk), str(done.pk), "nonsense"], "reason": "r"}
    )
    body = answer.json()
    assert answer.status_code == 202
    assert (body["acceptedIds"], body["nonRecoverableIds"], body["invalidIds"]) == (
        [str(good.pk)],
        [str(done.pk)],
        ["nonsense"],
    )
    assert body["resubmittedInstancesCount"] == 1
    assert body["refusals"][0]["reason"].endswith("it has succeeded")
    assert body["resubmitSuccessful"] is False


@pytest.mark.parametrize("given", [None, [], [7], ["x"] * 501])
def test_a_list_of_ids_that_is_none_is_refused(order, given):
    body = {} if given is None else {"ids": given}
    assert "ids" in fault_of(order(f"{ERRORS}/resubmit", body), 400, "HUB-INVALID")["detail"]


def test_discard_keeps_the_reason(order, make_error):
    error = make_error()
    assert order(f"{ERRORS}/{error.instance_id}/discard", {"reason": "duplicate"}).status_code == 200
    error.refresh_from_db()
    assert (error.state, error.reason, error.settled_by) == ("discarded", "duplicate", "omar")


def test_discard_needs_a_reason(order, make_error):
    body = fault_of(order(f"{ERRORS}/{make_error().instance_id}/discard"), 400, "HUB-INVALID")
    assert "reason" in body["detail"]


def test_many_are_discarded_each_by_itself(order, make_error, make_instance):
    good, done = make_error().instance, make_instance(status="succeeded")
    body = order(
        f"{ERRORS}/discard", {"ids": [str(good.pk), str(done.pk), str(uuid.UUID(int=5))], "reason": "old"}
    ).json()
    assert (body["discardedIds"], body["invalidIds"]) == ([str(good.pk)], [str(uuid.UUID(int=5))])
    assert [one["id"] for one in body["refusals"]] == [str(done.pk)]


def test_flows_are_listed_as_integrations(get, flow):
    Flow.objects.filter(pk=flow.pk).update(active=True)
    items = get(f"{DESIGN}/integrations", status="ACTIVATED").json()["items"]
    assert [(item["code"], item["status"], item["resources"]) for item in items] == [
        (ACK, "ACTIVATED", ["sendCustomerSyncAck", "X1-SYNREQACK"])
    ]
    assert len(get(f"{DESIGN}/integrations", status="CONFIGURED").json()["items"]) == Flow.objects.count() - 1
    fault_of(get(f"{DESIGN}/integrations", status="ON"), 400, "HUB-INVALID")


def test_a_flow_whose_code_is_gone_is_not_listed_nor_fails(get, flow):
    gone = Flow.objects.create(identifier="GONE", name="Gone", package="p", pattern="sync")
    assert get(f"{DESIGN}/integrations/GONE").json()["connections"] == []
    Flow.objects.filter(pk=gone.pk).update(present=False)
    fault_of(get(f"{DESIGN}/integrations/GONE"), 404, "HUB-NOT-FOUND")


def test_a_flow_is_found_by_code_and_version(get, flow):
    for key in (ACK, f"{ACK}|1.0", f"{ACK}|{flow.version}", f"{ACK.lower()}|{flow.version}"):
        assert get(f"{DESIGN}/integrations/{quote(key, safe='')}").json()["id"] == f"{ACK}|{flow.version}"
    fault_of(get(f"{DESIGN}/integrations/{ACK}%7C99.99.9999"), 404, "HUB-NOT-FOUND")


@pytest.fixture
def sftp(db):
    connection = Connection(name="OU FTP", adapter="sftp", settings={"host": "ftp.example"})
    setattr(connection, "secrets", {"password": "canary-secret"})  # noqa: B010  (the field's type is its stored form)
    connection.save()
    return connection


def test_connections_are_shown_without_their_secrets(get, sftp):
    for answer in (get(f"{DESIGN}/connections"), get(f"{DESIGN}/connections/OU%20FTP")):
        assert b"canary-secret" not in answer.content
        assert b"ftp.example" in answer.content
    fault_of(get(f"{DESIGN}/connections/none"), 404, "HUB-NOT-FOUND")


def test_connections_are_shown_without_reading_their_secrets(
    get, sftp, django_assert_max_num_queries, monkeypatch
):
    monkeypatch.setattr("integrations.crypto.decrypt", lambda _: pytest.fail("decrypted"))
    assert get(f"{DESIGN}/connections").status_code == 200


def test_a_connection_is_tested(client, person, sftp, monkeypatch):
    steps = [
        TestStep("Resolve", ok=True, milliseconds=1.0),
        TestStep("Log in", ok=False, milliseconds=2.0, detail="refused", hint="h"),
    ]
    monkeypatch.setattr("integrations.api.connections.connection_test", lambda **given: steps)
    headers = person("test_connection").headers
    body = client.post(f"{DESIGN}/connections/OU%20FTP/test", headers=headers).json()
    assert (body["status"], body["message"]) == ("FAILED", "Log in: refused")
    assert [step["ok"] for step in body["steps"]] == [True, False]
    fault_of(client.post(f"{DESIGN}/connections/none/test", headers=headers), 404, "HUB-NOT-FOUND")


def test_testing_a_connection_takes_its_own_permission(client, viewer, sftp):
    fault_of(client.post(f"{DESIGN}/connections/OU%20FTP/test", headers=viewer), 403, "HUB-FORBIDDEN")


def test_a_lookup_has_its_columns_and_rows(get, db):
    lookup = Lookup.objects.create(name="OUTL-BRT-Test_Type", columns=["DERMS", "DACS"])
    Row.objects.create(lookup=lookup, cells=["ECONOMIC", "X1EC"])
    listed = get(f"{DESIGN}/lookups", limit=1000).json()["items"]
    assert [(item["rowCount"], item["columns"]) for item in listed if item["name"] == lookup.name] == [
        (1, ["DERMS", "DACS"])
    ]
    body = get(f"{DESIGN}/lookups/outl-brt-test_type").json()
    assert (body["name"], body["rows"]) == ("OUTL-BRT-Test_Type", [{"rowData": ["ECONOMIC", "X1EC"]}])
    fault_of(get(f"{DESIGN}/lookups/none"), 404, "HUB-NOT-FOUND")
