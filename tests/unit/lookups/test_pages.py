"""The lookups' own pages: try a value, compare, revert, decide; who may do what."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone

from integrations.models import AuditEntry
from lookups.lines import Source
from lookups.models import Lookup, Row, RowConflict
from lookups.services import lookup_merge, row_save
from lookups.usage import User as Using
from lookups.usage import _sources, usage_from


def bring(rows):
    return lookup_merge(
        name="M",
        kind="table",
        package="pack",
        description="",
        columns=["Key", "Code"],
        rows=rows,
        source=Source.SHIPPED,
    )


@pytest.fixture
def conflict(db):
    bring([["A", "1"], ["B", "1"]])
    row = Row.objects.get(lookup__name="M", text__startswith="A")
    row.cells[1] = "ours"
    row_save(row=row)
    bring([["A", "2"], ["B", "2"]])
    return RowConflict.objects.get()


@pytest.fixture
def viewer(client, db):
    user = User.objects.create_user("vera", password="a long password", is_staff=True)
    user.groups.add(Group.objects.get(name="Viewer"))
    client.force_login(user)
    return client


def page(lookup, **asked):
    query = "&".join(f"{key}={value}" for key, value in asked.items())
    return f"/admin/lookups/lookup/{lookup.pk}/change/?{query}"


def decide_url(conflict):
    return f"/admin/lookups/rowconflict/{conflict.pk}/change/"


# -- try a value -------------------------------------------------------------------------------------------


def test_a_tried_value_is_answered_with_the_row_that_answers(viewer, asset_types):
    url = page(asset_types, try_source="DERMS", try_value="evse", try_target="DACS", try_on="2026-01-01")
    trial = viewer.get(url).context["tried"]["trial"]
    assert (trial.value, trial.how, trial.row.position) == ("X1EV", "in other capitals", 3)


def test_a_tried_value_that_is_not_there_shows_the_sentence_a_flow_fails_with(viewer, asset_types):
    url = page(asset_types, try_source="DERMS", try_value="<b>", try_target="DACS")
    shown = viewer.get(url).content.decode()
    assert "has no DACS for DERMS &#x27;&lt;b&gt;&#x27;." in shown
    assert "<b>" not in shown.split("A flow would fail with")[1].split("</section>")[0]


def test_a_property_is_tried_by_any_of_its_names(viewer, config):
    url = page(config, try_source="Property Name", try_value="ccs.prefixtag.fileuploaded", try_target="Value")
    assert viewer.get(url).context["tried"]["trial"].value == "SENT-"


def test_a_day_that_is_none_is_told(viewer, asset_types):
    url = page(asset_types, try_value="x", try_on="soon")
    assert viewer.get(url).context["tried"]["problem"] == "The date is 'soon', not a day as 2026-01-31."


# -- used by -----------------------------------------------------------------------------------------------


def test_flows_that_use_a_lookup_are_linked_on_its_page_its_rows_and_the_list(viewer, asset_types):
    usage_from(lambda: {asset_types.name: [Using("FLOW-A", "/admin/somewhere/"), "FLOW-B"]})
    rows = f"/admin/lookups/row/?lookup__id__exact={asset_types.pk}"
    shown = [viewer.get(url).content.decode() for url in (page(asset_types), rows, "/admin/lookups/lookup/")]
    _sources.pop()
    assert all('<a href="/admin/somewhere/">FLOW-A</a>' in one and "FLOW-B" in one for one in shown)


def test_the_hubs_flows_are_linked_to_their_pages(viewer, config):
    users = viewer.get(page(config)).context["users"]
    assert users
    assert viewer.get(users[0].url).status_code == 200


# -- compare -----------------------------------------------------------------------------------------------


def compare(client, lookup, query=""):
    return client.get(f"/admin/lookups/lookup/{lookup.pk}/compare/?{query}")


def test_now_is_compared_with_what_the_package_brought(viewer, conflict):
    found = compare(viewer, conflict.lookup).context
    (line,) = found["compared"]
    assert [cell["text"] for cell in line["left"]] == ["A", "2"]
    assert [(cell["text"], cell["changed"]) for cell in line["right"]] == [("A", False), ("ours", True)]
    assert found["counts"]["same"] == 1


def test_two_times_are_compared(viewer, asset_types):
    then = timezone.localtime() - timedelta(days=2)
    Row.history.filter(lookup_id=asset_types.pk).update(history_date=then - timedelta(days=1))
    row, gone = asset_types.rows.first(), asset_types.rows.last()
    row.cells[1] = "NEW"
    row_save(row=row)
    gone.delete()
    row_save(row=Row(lookup=asset_types, cells=["PV", "X1PV"]))
    asked = f"left=at&left_at={then:%Y-%m-%dT%H:%M}&right=now"
    states = [line["state"] for line in compare(viewer, asset_types, asked).context["compared"]]
    assert sorted(states) == ["changed", "only left", "only right"]
    assert len(compare(viewer, asset_types, f"{asked}&all=1").context["compared"]) == 4


@pytest.mark.parametrize("at", ["", "yesterday", "2026-13-01T00:00"])
def test_a_time_that_is_none_is_told(viewer, asset_types, at):
    shown = compare(viewer, asset_types, f"left=at&left_at={at}").content.decode()
    assert "Give the date and time for the left." in shown


# -- history -----------------------------------------------------------------------------------------------


@pytest.fixture
def change(flag):
    flag.cells[1] = "false"
    row_save(row=flag)
    return Row.history.latest()


def test_a_change_is_reverted_by_a_post_that_was_asked_for(business, change, config):
    url = f"/admin/lookups/historicalrow/{change.pk}/revert/"
    asked = business.get(url)
    assert asked.context["lines"] == [{"name": "Value", "old": "true", "new": "false", "now": "false"}]
    assert config.rows.get(pk=change.id).cells[1] == "false"
    answer = business.post(url)
    assert answer.url == f"/admin/lookups/historicalrow/?lookup__id__exact={config.pk}"
    assert config.rows.get(pk=change.id).cells[1] == "true"
    assert AuditEntry.objects.get(action="revert").subject == f"row:{change.id}"


def test_a_lookups_history_has_its_own_changes_too(business, asset_types):
    asset_types.columns = ["DERMS", "Renamed"]
    asset_types.save()
    answer = business.get(f"/admin/lookups/lookup/{asset_types.pk}/history/", follow=True)
    assert answer.context["own_changes"][0].what == [("columns", "DERMS, DACS", "DERMS, Renamed")]


# -- conflicts ---------------------------------------------------------------------------------------------


def test_waiting_conflicts_are_counted_on_the_list_and_the_lookups_page(business, conflict):
    assert "1 conflict</a>" in business.get("/admin/lookups/lookup/").content.decode()
    assert business.get(page(conflict.lookup)).context["conflicts"] == 1


@pytest.mark.parametrize(
    ("posted", "code", "state"),
    [
        ({"choice_1": "theirs"}, "2", "taken"),
        ({"choice_1": "own", "own_1": " 3 "}, "3", "merged"),
        ({"choice_1": "ours"}, "ours", "kept"),
        ({"whole": "theirs"}, "2", "taken"),
        ({"whole": "ours"}, "ours", "kept"),
    ],
)
def test_a_conflict_is_decided_cell_by_cell_or_as_a_whole(business, conflict, posted, code, state):
    seen = business.get(decide_url(conflict)).context["seen"]
    assert business.post(decide_url(conflict), {"seen": seen, **posted}).status_code == 302
    conflict.refresh_from_db()
    assert (conflict.state, conflict.decided_by.username) == (state, "bea")
    assert Row.objects.get(pk=conflict.row_id).cells == ["A", code]
    assert AuditEntry.objects.get(action="decide_conflict").actor == "bea"


def test_what_was_typed_stays_when_a_decision_cannot_be(business, conflict):
    shown = business.post(
        decide_url(conflict),
        {"seen": json.dumps(["A", "ours"]), "choice_1": "own", "own_1": "x" * 4001},
    )
    assert "has 4001 characters" in shown.content.decode()
    (cell,) = [one for one in shown.context["cells"] if one.chosen_here]
    assert (cell.choice, len(cell.own)) == ("own", 4001)


@pytest.mark.parametrize(
    ("posted", "said"),
    [
        ({"seen": '["A", "ours"]'}, "Choose what shall stand for Code."),
        ({"seen": '["A", "before"]', "choice_1": "ours"}, "was edited since you opened this page"),
        ({"seen": "{", "choice_1": "ours"}, "look at A of M again"),
    ],
)
def test_a_decision_that_is_incomplete_or_late_is_told(business, conflict, posted, said):
    assert said in business.post(decide_url(conflict), posted).content.decode()
    conflict.refresh_from_db()
    assert conflict.is_open


def test_many_conflicts_are_decided_from_the_list(business, conflict):
    url = "/admin/lookups/rowconflict/"
    business.post(url, {"action": "take_theirs", "_selected_action": [conflict.pk]})
    conflict.refresh_from_db()
    assert conflict.state == "taken"


# -- a viewer ----------------------------------------------------------------------------------------------


def test_a_viewer_is_refused_and_the_attempt_audited(viewer, conflict, change):
    revert = f"/admin/lookups/historicalrow/{change.pk}/revert/"
    rows = f"/admin/lookups/row/?lookup__id__exact={conflict.lookup.pk}"
    tries = [
        (decide_url(conflict), {"whole": "theirs"}),
        ("/admin/lookups/rowconflict/", {"action": "take_theirs", "_selected_action": [conflict.pk]}),
        (revert, {}),
        ("/admin/lookups/historicalrow/", {"action": "revert", "_selected_action": [change.pk]}),
        (rows, {"_save": "Save", "form-TOTAL_FORMS": 0}),
    ]
    assert [viewer.post(url, data).status_code for url, data in tries] == [403] * len(tries)
    assert AuditEntry.objects.filter(action="refused", actor="vera").count() == len(tries)
    assert viewer.get(decide_url(conflict)).context["may_decide"] is False
    assert viewer.get(revert).context["may_revert"] is False
    conflict.refresh_from_db()
    assert conflict.is_open


def test_rows_are_filtered_by_their_state_and_show_it(business, asset_types):
    day = timezone.localdate()
    row_save(row=Row(lookup=asset_types, cells=["SOON", "1"], valid_from=day + timedelta(days=1)))
    row_save(row=Row(lookup=asset_types, cells=["PAST", "1"], valid_until=day - timedelta(days=1)))
    rows = f"/admin/lookups/row/?lookup__id__exact={asset_types.pk}"
    for asked, first in (
        ("coming", ["SOON"]),
        ("ended", ["PAST"]),
        ("valid", ["THERMOSTAT", "thermostat", "EVSE"]),
    ):
        found = business.get(f"{rows}&valid={asked}").context["cl"].result_list
        assert [row.cells[0] for row in found] == first
    assert "coming, from" in business.get(rows).content.decode()


def test_a_rows_days_are_edited_on_its_page(business, config, flag):
    url = f"/admin/lookups/row/{flag.pk}/change/"
    business.post(url, {"cell_1": "true", "valid_from": "2020-01-01", "valid_until": "2020-01-01"})
    flag.refresh_from_db()
    assert (flag.validity, flag.cells[1]) == ("ended", "true")
    late = business.post(url, {"cell_1": "true", "valid_from": "2021-01-01", "valid_until": "2020-01-01"})
    assert "Valid until 2020-01-01 is before valid from 2021-01-01" in late.content.decode()
    assert Lookup.objects.get(pk=config.pk).rows.get(pk=flag.pk).valid_from.year == 2020
