"""lookups: read, made, replaced and deleted whole, as JSON and as CSV archives."""

import pytest

from integrations.models import AuditEntry
from lookups.models import Lookup, Row
from tests.unit.api.conftest import DESIGN, fault_of

LOOKUPS = f"{DESIGN}/lookups"
PARTS = "multipart/form-data; boundary=frontier"


@pytest.fixture
def keeper(person):
    return person(
        "view_lookup", "add_lookup", "change_lookup", "delete_lookup", "add_row", "change_row", "delete_row",
        name="kim",
    ).headers  # fmt: skip


@pytest.fixture
def call(client, keeper):
    def send(method, url, body=None, headers=None):
        data = {} if body is None else {"data": body, "content_type": "application/json"}
        return getattr(client, method)(url, **data, headers=headers or keeper)

    return send


@pytest.fixture
def upload(client, keeper):
    def send(method, content, name="x.csv", path="archive"):
        disposition = f'Content-Disposition: form-data; name="file"; filename="{name}"'
        body = f"--frontier\r\n{disposition}\r\n\r\n".encode() + content + b"\r\n--frontier--\r\n"
        return getattr(client, method)(f"{LOOKUPS}/{path}", data=body, content_type=PARTS, headers=keeper)

    return send


@pytest.fixture
def lookup(db):
    made = Lookup.objects.create(name="Test-Types", columns=["DERMS", "DACS"])
    for cells in (["ECONOMIC", "X1EC"], ["EMERGENCY", "X1EM"]):
        Row.objects.create(lookup=made, cells=cells)
    return made


def rows(response):
    assert response.status_code in (200, 201), response.content
    return [row["rowData"] for row in response.json()["rows"]]


def test_a_lookup_is_made_with_its_rows(call, db):
    body = {"name": "New-One", "description": "d", "columns": ["A", "B"], "rows": [{"rowData": ["1", "=2"]}]}
    answer = call("post", LOOKUPS, body)
    assert answer.status_code == 201
    assert rows(call("get", answer["Location"])) == [["1", "=2"]]
    shown = answer.json()
    assert (shown["createdBy"], shown["rowCount"], shown["lockedFlag"]) == ("kim", 1, False)
    assert AuditEntry.objects.get(action="lookup_create").actor == "kim"
    fault_of(call("post", LOOKUPS, body), 409, "HUB-CONFLICT")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "N"},
        {"name": "N", "columns": ["A"]},
        {"name": "N", "columns": ["A", 1]},
        {"name": "N", "columns": ["A", "B"], "rows": [{"rowData": ["1", "2", "3"]}]},
        {"name": "N", "columns": ["A", "B"], "rows": [["1", "2"]]},
        {"name": "N", "columns": ["A", "B"], "rows": [{"rowData": [1, 2]}]},
    ],
)
def test_a_lookup_that_cannot_be_is_not_made(call, db, body):
    fault_of(call("post", LOOKUPS, body), 400, "HUB-INVALID")
    assert not Lookup.objects.filter(name="N").exists()


def test_what_was_read_can_be_sent_back_and_changes_nothing(call, lookup):
    before = call("get", f"{LOOKUPS}/test-types").json()
    assert call("put", f"{LOOKUPS}/test-types", before).status_code == 200
    assert Row.history.filter(lookup_id=lookup.pk, history_type="~").count() == 0


def test_rows_are_replaced_all_or_none_with_history(call, lookup):
    body = {
        "rows": [
            {"rowData": ["ECONOMIC", "X1EE"]},
            {"rowData": ["RELIABILITY", "X1RE"], "validFrom": "2026-01-31"},
        ]
    }
    answer = call("put", f"{LOOKUPS}/Test-Types", body)
    assert rows(answer) == [["ECONOMIC", "X1EE"], ["RELIABILITY", "X1RE"]]
    assert answer.json()["rows"][1]["validFrom"] == "2026-01-31"
    changes = Row.history.filter(lookup_id=lookup.pk, history_user__username="kim")
    assert sorted(changes.values_list("history_type", flat=True)) == ["+", "-", "~"]
    wrong = {"rows": [{"rowData": ["A", "B"], "validFrom": "soon"}]}
    assert "row 1" in fault_of(call("put", f"{LOOKUPS}/Test-Types", wrong), 400, "HUB-INVALID")["detail"]
    assert rows(call("get", f"{LOOKUPS}/Test-Types")) == rows(answer)


def test_who_may_edit_rows_may_not_change_columns(call, client, person, lookup):
    editor = person("view_lookup", "add_row", "change_row", "delete_row", name="eve").headers
    url = f"{LOOKUPS}/Test-Types"
    assert rows(call("put", url, {"rows": []}, editor)) == []
    fault_of(call("put", url, {"columns": ["DERMS", "DACS", "More"]}, editor), 403, "HUB-FORBIDDEN")
    fault_of(call("delete", url, headers=editor), 403, "HUB-FORBIDDEN")
    assert call("put", url, {"columns": ["DERMS", "DACS", "More"]}).json()["columns"][2] == "More"
    fault_of(call("put", url, {"name": "Other"}), 400, "HUB-INVALID")


def test_a_lookup_nobody_reads_is_deleted_and_one_that_is_read_stays(call, lookup):
    assert call("delete", f"{LOOKUPS}/Test-Types").status_code == 204
    assert not Lookup.objects.filter(pk=lookup.pk).exists()
    assert AuditEntry.objects.get(action="lookup_delete").detail == {"name": "Test-Types"}
    used = next(one for one in call("get", f"{LOOKUPS}?limit=1000").json()["items"] if one["usage"])
    fault_of(call("delete", f"{LOOKUPS}/{used['name']}"), 409, "HUB-CONFLICT")


def test_an_archive_comes_back_as_it_went(call, upload, lookup):
    Row.objects.create(lookup=lookup, cells=["=1+1", "x,y"])
    answer = call("get", f"{LOOKUPS}/Test-Types/archive")
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer.content.splitlines()[0] == b"DVM,Test-Types,"
    before = rows(call("get", f"{LOOKUPS}/Test-Types"))
    fault_of(upload("post", answer.content), 409, "HUB-CONFLICT")
    call("delete", f"{LOOKUPS}/Test-Types")
    made = upload("post", answer.content)
    assert (made.status_code, made.content) == (204, b"")
    assert made["Location"].endswith("/lookups/Test-Types")
    assert rows(call("get", made["Location"])) == before


def test_an_archive_replaces_the_rows_of_the_lookup_its_name_says(upload, call, lookup):
    answer = upload("put", b"DERMS,DACS\r\nECONOMIC,X1E2\r\n", name="Test-Types.csv")
    assert answer.json() == {"name": "Test-Types", "rowCount": 1}
    fault_of(upload("put", b"A,B\r\n1,2\r\n", name="Nobody.csv"), 404, "HUB-NOT-FOUND")
    fault_of(upload("put", b"A,B\r\n1,2\r\n", name="Test-Types.csv"), 400, "HUB-INVALID")
    fault_of(upload("post", b"\xff\xfe\x00", name="N.csv"), 400, "HUB-INVALID")


def test_a_body_that_is_no_file_is_refused(client, keeper, db):
    answer = client.post(f"{LOOKUPS}/archive", b"A,B", content_type="text/csv", headers=keeper)
    fault_of(answer, 415, "HUB-MEDIA-TYPE")
    empty = client.post(f"{LOOKUPS}/archive", b"--frontier--\r\n", content_type=PARTS, headers=keeper)
    fault_of(empty, 400, "HUB-BAD-MULTIPART")


def test_in_a_project_a_lookup_belongs_to_its_package(call, lookup):
    project = f"{DESIGN}/projects/OUTL-BA-DACS_DERMS/lookups"
    fault_of(call("get", f"{project}/Test-Types"), 404, "HUB-NOT-FOUND")
    answer = call("post", project, {"name": "Of-Project", "columns": ["A", "B"]})
    assert answer.json()["package"] == "OU CPMCS DERMS"
    assert "Of-Project" in [one["name"] for one in call("get", f"{project}?limit=1000").json()["items"]]
    assert call("get", f"{LOOKUPS}?q={{name:/of-proj/}}").json()["totalResults"] == 1
