"""integrations, schedules, connections, packages and projects; and that who may only look changes nothing."""

from urllib.parse import quote

import pytest

from integrations.models import AuditEntry, Connection, Flow, Instance, Schedule
from integrations.services.flow_switch import FlowNotReady
from tests.unit.api.conftest import ACK, DESIGN, MONITORING, fault_of

FILE_FLOW = "OUTL-BA-CCS_DACS_CUST_SYNC_FTP"
ACK_URL = f"{DESIGN}/integrations/{quote(ACK + '|1.0', safe='')}"


@pytest.fixture
def configurator(person):
    return person(
        "view_flow", "view_instance", "activate_flow", "run_flow", "clone_flow", "change_schedule",
        "view_connection", "change_connection", "view_agentgroup", name="carla",
    ).headers  # fmt: skip


@pytest.fixture
def call(client, configurator):
    def send(method, url, body=None, **headers):
        data = {} if method == "get" else {"data": b"" if body is None else body}
        kind = {} if method == "get" else {"content_type": "application/json"}
        return getattr(client, method)(url, **data, **kind, headers=configurator | headers)

    return send


CHANGES = [
    ("patch", ACK_URL), ("post", f"{ACK_URL}/clone"), ("post", f"{ACK_URL}/schedule/start"),
    ("post", f"{ACK_URL}/schedule/stop"), ("post", f"{ACK_URL}/schedule/pause"),
    ("post", f"{ACK_URL}/schedule/resume"), ("post", f"{ACK_URL}/schedule/jobs"),
    ("patch", f"{DESIGN}/connections/X"), ("post", f"{DESIGN}/connections/X/test"),
    ("post", f"{DESIGN}/lookups"), ("put", f"{DESIGN}/lookups/X"), ("delete", f"{DESIGN}/lookups/X"),
    ("post", f"{DESIGN}/lookups/archive"), ("put", f"{DESIGN}/lookups/archive"),
    ("post", f"{MONITORING}/instances/00000000-0000-0000-0000-000000000001/abort"),
    ("post", f"{DESIGN}/packages/archive"), ("put", f"{DESIGN}/packages/archive"),
    ("put", f"{DESIGN}/projects/P/lookups/X"), ("patch", f"{DESIGN}/projects/P/integrations/X"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "url"), CHANGES)
def test_a_viewers_client_changes_nothing_and_is_on_record(client, person, dacs, method, url):
    viewer = person("view_flow", "view_instance", "view_connection", "view_lookup")
    dacs.client.user = viewer
    dacs.client.save()
    fault_of(getattr(client, method)(url, headers={"X-API-Key": dacs.api_key}), 403, "HUB-FORBIDDEN")
    entry = AuditEntry.objects.get(action="call_refused")
    assert (entry.actor, entry.detail["method"]) == ("dacs", method.upper())


@pytest.mark.parametrize(
    "path",
    [
        "monitoring/integrations", "monitoring/auditRecords", "monitoring/agentgroups", "packages", "packages/X",
        "projects", "monitoring/errors/recoveryJobs", "monitoring/errors/recoveryJobs/1", "lookups/X/archive",
        "packages/X/archive",
    ],
)  # fmt: skip
def test_every_further_reading_address_asks_for_its_permission(client, person, path):
    fault_of(client.get(f"{DESIGN}/{path}", headers=person().headers), 403, "HUB-FORBIDDEN")
    fault_of(client.get(f"{DESIGN}/{path}"), 401, "HUB-AUTH")


@pytest.mark.parametrize("way", ["patch", "override"])
def test_a_flow_is_activated_and_deactivated(call, flow, monkeypatch, way):
    monkeypatch.setattr("integrations.services.flow_switch.flow_problems", lambda flow: [])
    method, headers = ("patch", {}) if way == "patch" else ("post", {"X-HTTP-Method-Override": "PATCH"})
    url = f"{ACK_URL}?enableAsyncActivationMode=true"
    for status in ("ACTIVATED", "CONFIGURED"):
        assert call(method, url, {"status": status}, **headers).json()["status"] == status
        assert call("get", f"{ACK_URL}/activationStatus").json() == {"activationStatus": status}
    actions = AuditEntry.objects.filter(subject=f"flow:{ACK}").values_list("action", flat=True)
    assert set(actions) == {"activate", "deactivate"}


def test_a_post_without_the_override_is_405_and_another_override_is_refused(call, flow):
    fault_of(call("post", ACK_URL, {"status": "ACTIVATED"}), 405, "HUB-METHOD")
    answer = call("patch", ACK_URL, {"status": "ACTIVATED"}, **{"X-HTTP-Method-Override": "DELETE"})
    fault_of(answer, 400, "HUB-INVALID")


def test_a_flow_that_is_not_ready_is_412_with_each_thing_that_is_missing(call, flow, monkeypatch):
    def refuse(**given):
        raise FlowNotReady(ACK, ["there is no connection 'CCS'", "no address"])

    monkeypatch.setattr("integrations.api.integrations.flow_activate", refuse)
    body = fault_of(call("patch", ACK_URL, {"status": "ACTIVATED"}), 412, "HUB-CONFLICT")
    assert [one["title"] for one in body["o:errorDetails"]] == ["there is no connection 'CCS'", "no address"]


@pytest.mark.parametrize("body", [{}, {"status": "ON"}, {"colour": "red"}])
def test_a_switch_that_says_nothing_is_refused(call, flow, body):
    fault_of(call("patch", ACK_URL, body), 400, "HUB-INVALID")


def test_payload_tracing_takes_the_permission_to_trace(call, client, person, flow):
    fault_of(call("patch", ACK_URL, {"payloadTracingEnabledFlag": True}), 403, "HUB-FORBIDDEN")
    tracer = person("activate_flow", "trace_flow", name="tess").headers
    body = {"payloadTracingEnabledFlag": True}
    assert client.patch(ACK_URL, body, content_type="application/json", headers=tracer).status_code == 200
    flow.refresh_from_db()
    assert (flow.tracing, flow.active) == ("audit", False)


def test_flows_are_found_by_name_and_ordered(call, db):
    items = call("get", f"{DESIGN}/integrations?q={{code:/ccs_dacs/}}&orderBy=code").json()["items"]
    codes = [item["code"] for item in items]
    assert FILE_FLOW in codes
    assert codes == sorted(codes)
    assert all("CCS_DACS" in code for code in codes)


def test_expanded_a_flow_has_its_connections(call, flow):
    item = call("get", f"{ACK_URL}?expand=connection,schedule").json()
    assert {one["name"] for one in item["dependencies"]["connections"]} == set(item["connections"])
    assert item["schedules"] == []


@pytest.fixture
def file_flow(db):
    Flow.objects.filter(identifier=FILE_FLOW).update(active=True)
    flow = Flow.objects.get(identifier=FILE_FLOW)
    flow.schedules.all().delete()
    return flow


def _url(flow):
    return f"{DESIGN}/integrations/{flow.identifier}"


def _parameters(flow):
    from integrations.engine.registry import spec_for  # noqa: PLC0415  (flows need Django set up)

    return {one.name: "X" for one in spec_for(flow.identifier).parameters if one.required}


def test_schedules_are_stopped_and_started_and_run_now_takes_their_parameters(call, file_flow):
    given = _parameters(file_flow)
    Schedule.objects.create(flow=file_flow, name="nightly", cron="0 2 * * *", parameters=given)
    for word, state in (("stop", False), ("start", True), ("pause", False), ("resume", True)):
        body = call("post", f"{_url(file_flow)}/schedule/{word}").json()
        assert [one["enabled"] for one in body["schedules"]] == [state]
        assert body["scheduleStatus"] == ("STARTED" if state else "STOPPED")
    answer = call("post", f"{_url(file_flow)}/schedule/jobs", {"action": "NOW"})
    instance = Instance.objects.get(pk=answer.json()["runId"])
    assert (answer.status_code, instance.parameters, instance.user.username) == (202, given, "carla")
    fault_of(call("post", f"{_url(file_flow)}/schedule/jobs"), 409, "HUB-CONFLICT")


def test_without_a_schedule_there_is_none_to_start_and_parameters_are_needed(call, file_flow):
    fault_of(call("post", f"{_url(file_flow)}/schedule/start"), 409, "HUB-CONFLICT")
    fault_of(call("post", f"{_url(file_flow)}/schedule/jobs"), 400, "HUB-INVALID")
    answer = call("post", f"{_url(file_flow)}/schedule/jobs", {"parameters": _parameters(file_flow)})
    assert answer.status_code == 202


def test_a_flow_is_cloned_under_another_identifier(call, flow):
    answer = call("post", f"{ACK_URL}/clone", {"code": "SITE-ACK", "name": "The site's own"})
    assert (answer.status_code, answer.json()["status"]) == (201, "CONFIGURED")
    assert answer["Location"].endswith(quote(answer.json()["id"], safe=""))
    fault_of(call("post", f"{ACK_URL}/clone", {"code": "SITE-ACK"}), 409, "HUB-CONFLICT")
    fault_of(call("post", f"{ACK_URL}/clone", {}), 400, "HUB-INVALID")


@pytest.fixture
def sftp(db):
    connection = Connection(name="OU FTP", adapter="sftp", settings={"host": "ftp.example", "user": "hub"})
    setattr(connection, "secrets", {"password": "old-canary"})  # noqa: B010  (the field's type is its stored form)
    connection.save()
    return connection


@pytest.fixture
def anything_works(monkeypatch):
    monkeypatch.setattr("integrations.services.connection_save.connection_problems", lambda **_: [])


def test_a_connection_is_changed_in_oics_form_and_keeps_what_is_not_named(call, sftp, anything_works):
    body = {
        "connectionProperties": [{"propertyName": "port", "propertyValue": "2222"}],
        "securityProperties": [{"propertyName": "password", "propertyValue": "new-canary"}],
        "description": "moved",
    }
    answer = call("post", f"{DESIGN}/connections/OU%20FTP", body, **{"X-HTTP-Method-Override": "PATCH"})
    assert answer.json()["settings"] == {"host": "ftp.example", "user": "hub", "port": 2222}
    assert b"canary" not in answer.content
    stored = Connection.objects.get(pk=sftp.pk)
    assert (stored.secrets, stored.description) == ({"password": "new-canary"}, "moved")
    assert "canary" not in str(AuditEntry.objects.get(action="connection_change").detail)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "Nothing is said"),
        ({"settings": {"colour": "red"}}, "no property 'colour'"),
        ({"settings": {"port": "many"}}, "not of its type"),
        ({"connectionProperties": ["port"]}, "no property"),
        ({"agentGroupId": "NONE"}, "no agent group"),
        ({"settings": {"host": None}}, "could not work"),
    ],
)
def test_a_change_that_cannot_work_is_refused_and_nothing_is_stored(call, sftp, body, said):
    assert (
        said in fault_of(call("patch", f"{DESIGN}/connections/OU%20FTP", body), 400, "HUB-INVALID")["detail"]
    )
    assert Connection.objects.get(pk=sftp.pk).settings == sftp.settings


def test_packages_and_projects_are_listed(call, db):
    names = [one["name"] for one in call("get", f"{DESIGN}/packages").json()["items"]]
    assert "outl.ba.ccs_dacs" in names
    (one,) = call("get", f"{DESIGN}/packages?q={{name:/cpmcs/}}").json()["items"]
    assert (one["name"], one["projectCode"]) == ("OU CPMCS DERMS", "OUTL-BA-DACS_DERMS")
    detail = call("get", f"{DESIGN}/packages/ou%20cpmcs%20derms").json()
    assert detail["countOfIntegrations"] == len(detail["integrations"]) > 5
    fault_of(call("get", f"{DESIGN}/packages/none"), 404, "HUB-NOT-FOUND")
    projects = call("get", f"{DESIGN}/projects").json()["items"]
    assert "OUTL-BA-DACS_DERMS" in [one["id"] for one in projects]


def test_a_package_is_exported_looked_at_and_imported(client, person, db):
    headers = person("package_flow", "view_flow", name="paul", is_superuser=True).headers
    answer = client.get(f"{DESIGN}/packages/OUTL.BA.CCS_DACS/archive", headers=headers)
    assert answer["Content-Disposition"] == 'attachment; filename="outl.ba.ccs_dacs.zip"'
    head = b'--frontier\r\nContent-Disposition: form-data; name="file"; filename="p.zip"\r\n\r\n'
    body = head + answer.content + b"\r\n--frontier--\r\n"
    Flow.objects.filter(identifier=ACK).update(acknowledgement_hours=7)

    def bring(method, query=""):
        kind = "multipart/form-data; boundary=frontier"
        url = f"{DESIGN}/packages/archive{query}"
        return getattr(client, method)(url, body, content_type=kind, headers=headers).json()

    assert (
        bring("post", "?preview=true")["changed"],
        Flow.objects.get(identifier=ACK).acknowledgement_hours,
    ) == (1, 7)
    done = bring("put")
    assert (done["status"], done["changed"], done["refused"]) == ("imported", 1, 0)
    assert Flow.objects.get(identifier=ACK).acknowledgement_hours == 24


def test_a_project_shows_what_is_its_own_and_nothing_else(call, flow):
    project = f"{DESIGN}/projects/OUTL-BA-DACS_DERMS"
    codes = {one["packageName"] for one in call("get", f"{project}/integrations").json()["items"]}
    assert codes == {"OU CPMCS DERMS"}
    fault_of(call("get", f"{project}/integrations/{ACK}"), 404, "HUB-NOT-FOUND")
    owners = {one["packageName"] for one in call("get", f"{project}/connections").json()["items"]}
    assert owners == {"OU CPMCS DERMS"}
    fault_of(call("get", f"{DESIGN}/projects/none/integrations"), 404, "HUB-NOT-FOUND")


def test_the_audit_trail_and_agent_groups_are_listed(client, person):
    headers = person("view_auditentry", "view_agentgroup", name="ada").headers
    AuditEntry.objects.create(actor="omar", action="resubmit", subject="instance:1", detail={"a": 1})
    AuditEntry.objects.create(actor="omar", action="discard", subject="instance:2")
    url = f"{MONITORING}/auditRecords"
    (item,) = client.get(url, {"q": "{action:'resubmit'}"}, headers=headers).json()["items"]
    assert (item["actionBy"], item["actionType"], item["detail"]) == ("omar", "resubmit", {"a": 1})
    assert client.get(f"{MONITORING}/agentgroups", headers=headers).json()["items"] == []
