import json
import logging
from pathlib import Path

import pytest
from django.conf import settings
from django.db.migrations.state import ProjectState

from lookups.models import Alias, Lookup, Row
from lookups.properties import Properties
from lookups.services import FixtureInvalid, lookups_load, packaged_lookups_load, row_save, schema_is_current

FIXTURE = Path(settings.BASE_DIR) / "fixtures/lookups/outl.ba.ccs_dacs.json"
SEED_001 = {
    "notification.type.email": "email",
    "notification.email.error.flag": "true",
    "notification.email.process.complete.flag": "true",
    "notification.email.process.nofile.flag": "true",
    "ccs.ftp.custsync.input.directory": "/sploutput/CCSEnv/CustomerSync",
    "ccs.prefixtag.file.uploaded": "SENT-",
    "ccs.os.custsync.namespace": "ccsnamespace",
    "ccs.os.custsync.bucketname": "CCSDACS_CustomerSync",
    "dacs.file.target.transfer.pref": "ftp",
    "dacs.os.custsync.namespace": "dacsnamespace",
    "dacs.os.custsync.bucketname": "CCSDACS_CustomerSync",
    "ccs.error.ack.message.category": "11114",
    "ccs.error.ack.message.number": "11001",
}


@pytest.fixture
def fixture(tmp_path):
    """Writes a package's file with one property list and one table."""

    def write(value="v1", *, kind="text", table=(["a", "1"],), description="d"):
        rows = [{"name": "p", "value": value, "kind": kind, "description": description}]
        props = {"name": "P", "kind": "properties", "columns": ["Name", "Value", "Description"], "rows": rows}
        codes = {"name": "T", "kind": "table", "columns": ["A", "B"], "rows": list(table)}
        path = tmp_path / "package.json"
        path.write_text(json.dumps({"package": "pack", "lookups": [props, codes]}))
        return path

    return write


def test_every_property_of_seed_001_is_there_with_its_sample_value_and_a_description(config):
    rows = {row.cells[0]: row.cells for row in config.rows.all()}
    assert {name: rows[name][1] for name in SEED_001} == SEED_001
    assert set(rows) - set(SEED_001) == {
        "dacs.ftp.custsync.output.directory",
        "hub.syncrequest.tracking.flag",
    }
    assert all(cells[2] for cells in rows.values())


def test_the_recipients_of_seed_001_are_there(db):
    emails = Properties("OUTL-BRT-CCS_DACS_Email_ID")
    assert emails.addresses("from") == ["admin@myCy.com"]
    assert emails.addresses("to") == ["errorDist@myCy.com"]
    assert emails.addresses("to.ProcessNotification") == ["busUserDist@myCy.com"]


def test_a_second_load_does_nothing(db):
    history = Row.history.count()
    again = packaged_lookups_load()
    assert vars(again) == {
        **dict.fromkeys(("lookups", "added", "updated", "removed", "conflicts", "aliases"), 0)
    }
    assert Row.history.count() == history


def test_what_a_person_deleted_of_a_property_list_comes_back(flag, config):
    flag.delete()
    assert lookups_load(FIXTURE).added == 1
    assert config.rows.filter(folded="notification.email.error.flag").exists()


def test_a_value_that_nobody_edited_follows_the_package(db, fixture):
    lookups_load(fixture("v1", table=[["a", "1"]]))
    done = lookups_load(fixture("v2", table=[["a", "2"], ["b", "3"]]))
    assert Properties("P").text("p") == "v2"
    assert [row.cells for row in Lookup.objects.get(name="T").rows.all()] == [["a", "2"], ["b", "3"]]
    assert (done.added, done.updated) == (1, 2)


def test_a_value_that_somebody_edited_stays_while_its_description_follows(db, fixture):
    lookups_load(fixture())
    row = Row.objects.get(lookup__name="P")
    row.cells[1] = "site"
    row_save(row=row)
    lookups_load(fixture("v2", description="new words"))
    assert Row.objects.get(pk=row.pk).cells == ["p", "site", "new words"]


def test_a_row_of_a_table_that_somebody_deleted_stays_away(db, fixture):
    lookups_load(fixture())
    Row.objects.filter(lookup__name="T").delete()
    lookups_load(fixture())
    assert not Row.objects.filter(lookup__name="T").exists()


def test_rows_with_the_same_first_cell_are_loaded_once_each(db, fixture):
    twice = fixture(table=[["a", "1"], ["a", "2"]])
    lookups_load(twice)
    assert lookups_load(twice).added == 0
    assert Row.objects.filter(lookup__name="T").count() == 2


def test_a_site_value_that_a_new_kind_forbids_stays_and_is_said(db, fixture, caplog):
    lookups_load(fixture("true"))
    row = Row.objects.get(lookup__name="P")
    row.cells[1] = "perhaps"
    row_save(row=row)
    with caplog.at_level(logging.WARNING, "lookups"):
        lookups_load(fixture("true", kind="boolean"))
    assert "p of P stays as it was: p is 'perhaps', not true or false" in caplog.text
    assert Row.objects.get(pk=row.pk).kind == "text"


@pytest.mark.parametrize(
    "content",
    [
        "{",
        '{"lookups": [{"kind": "table"}]}',
        '{"lookups": [{"name": "T", "kind": "table", "columns": ["A"]}]}',
    ],
)
def test_a_fixture_that_is_wrong_is_named_and_leaves_nothing(db, tmp_path, content):
    path = tmp_path / "broken.json"
    path.write_text(content)
    before = Lookup.objects.count()
    with pytest.raises(FixtureInvalid, match=r"broken.json cannot be loaded"):
        lookups_load(path)
    assert Lookup.objects.count() == before


def test_nothing_is_loaded_into_tables_of_another_state():
    assert schema_is_current() is True
    assert schema_is_current(ProjectState().apps) is False


def test_the_aliases_of_the_flows_texts_are_there(db):
    known = dict(Alias.objects.filter(of="property").values_list("spelling", "meaning"))
    assert known["ccs.prefixtag.fileuploaded"] == "ccs.prefixtag.file.uploaded"
    assert known["ccs.error.ack.messagenumber"] == "ccs.error.ack.message.number"
