import pytest

from lookups.errors import LookupFault
from lookups.models import Lookup, Row
from lookups.properties import Properties
from lookups.services import row_save

CONFIG = "OUTL-BRT-CCS_DACS_ConfigProps"
EMAILS = "OUTL-BRT-CCS_DACS_Email_ID"


def put(name, value, **more):
    lookup, _ = Lookup.objects.get_or_create(
        name="Props", defaults={"kind": "properties", "columns": ["Property Name", "Value"]}
    )
    return row_save(row=Row(lookup=lookup, cells=[name, value], **more))


@pytest.mark.parametrize(
    "name",
    [
        "ccs.prefixtag.file.uploaded",
        "ccs.prefixtag.fileuploaded",
        "CCS.PrefixTag.File.Uploaded",
        "ccs.prefixtag. file.uploaded",
    ],
)
def test_a_property_is_found_under_the_seeds_spellings(config, name):
    assert Properties("OUTL_BRT_ccs_dacs_configprops").text(name) == "SENT-"


def test_the_acknowledgement_codes_are_numbers_under_either_name(config):
    props = Properties(CONFIG)
    assert (
        props.number("ccs.error.ack.messagecategory")
        == props.number("ccs.error.ack.message.category")
        == 11114
    )
    assert props.number("ccs.error.ack.messagenumber") == 11001


@pytest.mark.parametrize(("value", "on"), [("email", True), ("TRUE", True), ("false", False)])
def test_the_notification_type_is_on_for_email_or_true(db, value, on):
    put("notification.type.email", value)
    assert Properties("Props").flag("notification.type. email", words=("email",)) is on


def test_a_flag_that_is_no_boolean_is_a_fault_naming_lookup_and_property(db):
    put("some.flag", "yes")
    with pytest.raises(
        LookupFault, match=r"Property some.flag of lookup Props is 'yes', not true or false"
    ) as caught:
        Properties("Props").flag("some.flag", True)
    assert (caught.value.lookup, caught.value.column, caught.value.value) == ("Props", "some.flag", "yes")


def test_a_missing_property_is_a_fault_with_a_suggestion(config):
    with pytest.raises(
        LookupFault, match=f"Lookup {CONFIG} has no property 'dacs.file.target.transferpref'"
    ) as caught:
        Properties(CONFIG).text("dacs.file.target.transferpref")
    assert "dacs.file.target.transfer.pref" in caught.value.hint


def test_a_missing_property_takes_the_callers_default(config):
    props = Properties(CONFIG)
    assert props.flag("not.there", True) is True
    assert props.number("not.there", 7) == 7
    assert props.text("not.there", "x") == "x"
    assert props.choice("not.there", ("ftp", "os"), "os") == "os"


def test_a_blank_property_is_a_fault_unless_it_has_a_default(db):
    put("blank", "")
    put("blank.default", "", default="own")
    assert Properties("Props").text("blank.default", "callers") == "own"
    with pytest.raises(LookupFault, match="Property blank of lookup Props is blank"):
        Properties("Props").text("blank")


def test_a_missing_lookup_is_a_fault_whatever_the_default(db):
    with pytest.raises(LookupFault, match="There is no lookup 'Nowhere'"):
        Properties("Nowhere").flag("x", True)


def test_a_table_is_no_property_list(asset_types):
    with pytest.raises(LookupFault, match="is a table, not a property list"):
        Properties(asset_types.name).text("THERMOSTAT")


def test_a_choice_is_given_in_the_spelling_asked_for(db):
    put("pref", "FTP")
    assert Properties("Props").choice("pref", ("ftp", "os")) == "ftp"
    with pytest.raises(LookupFault, match="is 'FTP', not one of os, rest"):
        Properties("Props").choice("pref", ("os", "rest"))


def test_addresses_are_split_at_commas(db):
    put("to", "a@example.org, b@example.org,")
    assert Properties("Props").addresses("to") == ["a@example.org", "b@example.org"]


@pytest.mark.parametrize(
    "value", ["nobody", "a@example.org; b@example.org", "a@example.org\nBcc: c@example.org"]
)
def test_what_is_no_address_is_a_fault(db, value):
    put("to", value)
    with pytest.raises(LookupFault, match=r"Property to of lookup Props has .* no e-mail address"):
        Properties("Props").addresses("to")


def test_a_number_that_is_none_is_a_fault(db):
    put("n", "12a")
    with pytest.raises(LookupFault, match="Property n of lookup Props is '12a', not a whole number"):
        Properties("Props").number("n")
