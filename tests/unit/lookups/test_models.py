import pytest
from django.core.exceptions import ValidationError

from lookups.models import Alias, Lookup, Row
from lookups.services import row_save


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("notification.email.error.flag", "maybe", "is 'maybe', not true or false"),
        ("notification.email.error.flag", "", "is blank; it needs a value"),
        ("dacs.file.target.transfer.pref", "sftp", "is 'sftp', not one of ftp, os"),
        ("ccs.error.ack.message.number", "1x", "is '1x', not a whole number"),
        ("ccs.prefixtag.file.uploaded", "a\x00b", "control character U\\+0000"),
        ("ccs.os.custsync.namespace", "x" * 4001, "4001 characters"),
    ],
)
def test_a_value_of_another_kind_is_refused_when_saved(config, name, value, said):
    row = config.rows.get(folded=name)
    row.cells[1] = value
    with pytest.raises(ValidationError, match=said) as caught:
        row.save()
    assert name in str(caught.value) or "Value" in str(caught.value)


def test_addresses_are_checked_when_saved(db):
    row = Lookup.objects.get(name="OUTL-BRT-CCS_DACS_Email_ID").rows.get(folded="to")
    row.cells[1] = "a@example.org, b"
    with pytest.raises(ValidationError, match="To has 'b', which is no e-mail address"):
        row.save()


def test_a_value_that_need_not_be_there_may_be_blank(config):
    row = config.rows.get(folded="ccs.os.custsync.namespace")
    row.cells[1] = "  "
    row.save()
    assert config.rows.get(pk=row.pk).cells[1] == ""


@pytest.mark.parametrize("name", ["CCS.prefixtag.file. uploaded", "ccs.prefixtag.fileuploaded"])
def test_a_property_cannot_be_there_twice_under_any_spelling(config, name):
    with pytest.raises(ValidationError, match=r"has the property ccs.prefixtag.file.uploaded already"):
        row_save(row=Row(lookup=config, cells=[name, "X-", ""]))


def test_a_lookup_of_the_same_folded_name_is_refused(config):
    with pytest.raises(ValidationError, match="is the same name as OUTL-BRT-CCS_DACS_ConfigProps"):
        Lookup.objects.create(name="outl_brt_ccs_dacs_configprops", columns=["A", "B"])


@pytest.mark.parametrize("columns", [["A"], ["A", "a "], ["A", ""], []])
def test_columns_need_names_of_their_own(db, columns):
    with pytest.raises(ValidationError, match="column"):
        Lookup.objects.create(name="T", columns=columns)


def test_a_column_with_values_is_not_taken_away(asset_types):
    asset_types.columns = ["DERMS", "DACS", "More"]
    asset_types.save()
    row = asset_types.rows.first()
    row.cells = [*row.cells, "kept"]
    row.save()
    asset_types.columns = ["DERMS", "DACS"]
    with pytest.raises(ValidationError, match=r"1 row\(s\) have values in the columns you take away"):
        asset_types.save()


def test_a_choice_without_choices_is_refused(config):
    with pytest.raises(ValidationError, match="needs the list of what it may be"):
        row_save(row=Row(lookup=config, cells=["new.one", "x"], kind="choice"))


def test_a_default_of_another_kind_is_refused(config):
    with pytest.raises(ValidationError, match=r"The default of new.flag is 'on', not true or false"):
        row_save(row=Row(lookup=config, cells=["new.flag", "true"], kind="boolean", default="on"))


def test_an_alias_that_says_nothing_or_is_taken_is_refused(config):
    with pytest.raises(ValidationError, match="without an alias"):
        Alias.objects.create(of="lookup", spelling="OUTLBRT-CCS", meaning="outl-brt-ccs")
    with pytest.raises(ValidationError, match="has a meaning already"):
        Alias.objects.create(of="property", spelling="CCS.prefixtag.fileuploaded", meaning="x")


def test_a_row_without_any_value_is_refused(asset_types):
    with pytest.raises(ValidationError, match="A row cannot be blank"):
        row_save(row=Row(lookup=asset_types, cells=[" ", ""]))
