"""ChangedTroubleTickets: every use case of table 5.2 without an error code, and section 5.2.1 around them."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from crm.models import CallerContact, TroubleTicket
from tests.crm.conftest import Crm, Plain
from tests.crm.wording import TRANSPORTS, over, row_set, statuses, stored

ADA = {"firstName": "Ada", "lastName": "Byron", "mobilePhone": {"localNumber": "555-0100"}}
BOB = {
    "firstName": "Bob",
    "lastName": "Late",
    "electronicAddress": {"email1": "bob@example.org"},
    "landlinePhone": {"localNumber": "555-0200"},
    "mobilePhone": {"localNumber": "555-0300"},
}


@pytest.fixture(params=TRANSPORTS)
def crm(request: pytest.FixtureRequest, make_crm: Callable[..., Crm]) -> Crm:
    """A client over REST, and one over SOAP whose replies are validated; two tickets are there."""
    crm = over(make_crm(), request.param)
    crm.create({"name": "t1", "comment": "first", "CustomerData": ADA}, {"name": "t2"})
    return crm


def contacts(name: str) -> list[tuple[str, ...]]:
    return list(stored(name).contacts.values_list("first_name", "last_name", "media", "value"))


def shown(crm: Crm, name: str) -> Plain:
    """The customer data that GetTroubleTickets gives."""
    return crm.get(name=name).tickets[0]["CustomerData"]


def test_changed_trouble_tickets_comments_are_successfully_updated(crm: Crm):
    said = crm.change({"name": "t2", "comment": "new", "csrId": "csr8"}, {"name": "t1", "comment": "second"})
    assert (said.result, said.errors, statuses(said)) == ("OK", [], ["UPDATED", "UPDATED"])
    assert [one["mRID"] for one in said.tickets] == [str(stored("t2").pk), str(stored("t1").pk)]
    assert (stored("t1").comment, stored("t2").comment) == ("first\nsecond", "new")
    assert (stored("t1").last_update_user, stored("t2").last_update_user) == ("csr7", "csr8")


def test_changed_trouble_tickets_a_comment_may_fill_the_limit_to_the_last_character(crm: Crm):
    said = crm.change({"name": "t1", "comment": "x" * 494})
    assert (said.result, said.errors, len(stored("t1").comment)) == ("OK", [], 500)
    assert crm.change({"name": "t1", "comment": "y"}).reasons == ["CommentExceedsLimit"]


def test_changed_trouble_tickets_caller_contact_data_are_successfully_updated(crm: Crm):
    said = crm.change({"name": "t1", "CustomerData": BOB})
    assert (said.result, said.errors, statuses(said)) == ("OK", [], ["UPDATED"])
    assert contacts("t1") == [
        ("Ada", "Byron", "mobile", "555-0100"),
        ("Bob", "Late", "email", "bob@example.org"),
        ("Bob", "Late", "landline", "555-0200"),
        ("Bob", "Late", "mobile", "555-0300"),
    ]
    assert stored("t1").comment == "first"


def test_changed_trouble_tickets_first_caller_s_name_stays(crm: Crm):
    crm.change({"name": "t1", "CustomerData": BOB})
    found = shown(crm, "t1")
    assert (found["firstName"], found["lastName"]) == ("Ada", "Byron")
    assert found["mobilePhone"] == {"localNumber": "555-0100"}
    assert found["electronicAddress"] == {"email1": "bob@example.org"}


def test_changed_trouble_tickets_the_same_contact_is_not_added_twice(crm: Crm):
    key = str(stored("t1").pk)
    said = crm.change({"mRID": key, "CustomerData": ADA}, {"name": "t1", "CustomerData": ADA})
    assert (said.result, statuses(said)) == ("OK", ["UPDATED", "UPDATED"])
    assert CallerContact.objects.count() == 1


def test_changed_trouble_tickets_both_mrid_and_name_are_specified(crm: Crm):
    said = crm.change({"mRID": str(stored("t1").pk), "name": "t2", "comment": "mRID counts"})
    assert (said.result, said.errors, statuses(said)) == ("OK", [], ["UPDATED"])
    assert (stored("t1").comment, stored("t2").comment) == ("first\nmRID counts", "")


def test_changed_trouble_tickets_a_wrong_mrid_is_not_made_good_by_a_name(crm: Crm):
    said = crm.change({"mRID": "of another system", "name": "t2", "comment": "mRID counts"})
    assert (said.result, said.reasons, stored("t2").comment) == ("FAILED", ["EntityNotFound"], "")


def test_changed_trouble_tickets_every_ticket_of_a_name(crm: Crm):
    crm.create({"name": "t1", "comment": "x" * 490}, {"name": "t1"})
    said = crm.change({"name": "t1", "comment": "more than that", "CustomerData": BOB})
    assert (said.result, said.reasons) == ("PARTIAL", ["CommentExceedsLimit"])
    assert statuses(said) == ["UPDATED", "FAILED", "UPDATED"]
    full = TroubleTicket.objects.get(comment="x" * 490)
    assert (full.contacts.count(), full.last_update_user, said.tickets[1]["mRID"]) == (0, "", str(full.pk))


def test_changed_trouble_tickets_nothing_but_comment_and_contacts_can_be_changed(crm: Crm):
    before = stored("t1")
    said = crm.change({"name": "t1", "comment": "c", "troubleCode": "Voltage Problem", "languageId": 21514})
    after = stored("t1")
    assert (said.result, after.trouble_code, after.language_id) == ("OK", before.trouble_code, 1033)
    assert after.updated_at > before.updated_at


def test_changed_trouble_tickets_archived_ones_are_out_of_reach(crm: Crm):
    TroubleTicket.objects.filter(name="t1").update(archived_at=timezone.now())
    assert crm.change({"name": "t1", "comment": "late"}).reasons == ["EntityNotFound"]


def test_changed_trouble_tickets_several_conditions_give_one_entry_each(crm: Crm):
    said = crm.change(
        {"name": "t8", "comment": "c"},
        {"name": "t2"},
        {"comment": "c"},
        {"name": "t9", "comment": "c"},
        {"name": "t1", "comment": "c"},
    )
    assert [one["details"] for one in said.errors] == [
        "Comment and Customer data are not provided for trouble tickets(s): t2.",
        "MrID is not specified for trouble ticket(s).",
        "Trouble ticket t8, t9 not found in ADMS.",
    ]
    assert (said.result, statuses(said)) == ("PARTIAL", ["FAILED"] * 4 + ["UPDATED"])


def test_changed_trouble_tickets_an_edited_limit_and_text_count_at_once(crm: Crm):
    row_set("ConfigProps", "comment.limit", 1, "8")
    row_set("Errors", "ChangedTroubleTickets CommentExceedsLimit", 5, "{0} is too long {braces}")
    said = crm.change({"name": "t1", "comment": "cde"}, {"name": "t2", "comment": "12345678"})
    assert said.error("CommentExceedsLimit")["details"] == "t1 is too long {braces}"
    assert (stored("t1").comment, stored("t2").comment) == ("first", "12345678")


@pytest.mark.parametrize("verb", ["changed", "updated", "CHANGED", "Updated"])
def test_changed_trouble_tickets_update_is_change(crm: Crm, verb):
    assert crm.change({"name": "t2", "comment": "c"}, Verb=verb).result == "OK"
