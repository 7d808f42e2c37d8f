"""Texts in every member of every operation: hostile ones are kept as they are, long ones refused or cut as said."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from lxml import etree

from crm.models import CallerContact, Incident, Nonce, ReceivedMessage, TroubleTicket
from crm.operations.registry import OPERATIONS, operation_named
from crm.wire.types import ComplexType, message_element
from tests.crm.answers import CREATED, RECEIVE, TYPES, fault_text, reply, rest, tickets, verdict
from tests.crm.conftest import SOAP_11, Crm, Plain, envelope, header, ticket
from tests.crm.rows import a_ticket, an_incident
from tests.crm.wording import TRANSPORTS, over

HOSTILE = [
    "' OR 1=1 --",
    '"; DROP TABLE crm_troubleticket; --',
    "<script>alert(1)</script>",
    "</m:name></m:TroubleTicket>",
    "]]>",
    "&amp;&lt;&#1;&xxe;",
    "{0} {1} {} %s %(a)s ${a} {{a}} {% a %}",
    "\\u0000 \\x00 \\",
    "a\tb\nc",
    "\u202egnp.exe\U0001f4a1 Zoe\u0308",
    "../../etc/passwd",
    "=cmd|' /C calc'!A0",
]
Path = tuple[str, ...]
# What a member needs beside it, and where texts are not what is meant.
BESIDE: dict[Path, Plain] = {
    ("User", "Organization"): {"UserID": "u"},
    ("Property", "Value"): {"Name": "n"},
    ("Option", "value"): {"name": "n"},
}
ELSEWHERE = {"OperationSet", "Compressed", "Result", "Verb", "Noun", "Nonce"}
ALL_HOSTILE = " ".join(HOSTILE)[:255]


def leaves(kind: ComplexType, above: Path = ()) -> Iterator[tuple[Path, str]]:
    """Paths of all members that hold texts, and the type of each."""
    for member in kind.members:
        here = (*above, member.name)
        if member.name in ELSEWHERE:
            continue
        if member.type is not None:
            yield from leaves(member.type, here)
        elif member.kind in ("string", "ShortText", "IDType"):
            yield here, member.kind


def all_texts() -> list[Any]:
    return [
        pytest.param(one.name, path, kind, id=f"{one.name}-{'.'.join(path)}")
        for one in OPERATIONS
        for path, kind in leaves(_type(one.name))
    ]


def _type(operation: str) -> ComplexType:
    known = operation_named(operation)
    found = message_element(known.asks_in, known.name).type
    assert found is not None
    return found


def document(operation: str, path: Path, text: str) -> Plain:
    """A message whose member at this path has this text."""
    key = "Request" if operation.startswith("Get") else "Payload"
    made: Plain = {"Header": header(operation, Context="all"), key: {}}
    if operation.startswith("Get"):
        made[key][operation] = {}
    else:
        outer, inner = operation_named(operation).item_path
        made[key][outer] = {inner: {"csrId": "csr7"} if operation.startswith("Changed") else {}}
    at = made
    for name in path[:-1]:
        at = at.setdefault(name, {})
    at[path[-1]] = text
    for name, value in BESIDE.get(path[-2:], {}).items():
        at.setdefault(name, value)
    return made


def both(crm: Crm, operation: str, given: Plain) -> Iterator[Any]:
    """The answers over REST and over SOAP."""
    yield rest(crm, operation, given)
    yield crm.soap(operation_named(operation).service, envelope(operation, given))


@pytest.mark.parametrize(("operation", "path", "kind"), all_texts())
def test_every_member_takes_texts_of_any_kind_and_length(crm: Crm, operation, path, kind):
    """Answered with a reply, which is valid; what is too long for a short text is InvalidMessage."""
    for text in ("\U0001f4a1" * 255, ALL_HOSTILE, "x" * 256, "x" * 10_000):
        for answer in both(crm, operation, document(operation, path, text)):
            assert verdict(operation, answer) in ("OK", "PARTIAL", "FAILED"), text
            if kind == "ShortText":
                assert (b"InvalidMessage" in answer.content) is (len(text) > 255)


@pytest.mark.parametrize("text", ["\U0001f4a1" * 255, *HOSTILE])
def test_a_nonce_may_be_any_text_once(crm: Crm, text):
    """In the same breath over SOAP: it was used before."""
    replay = {"ReplayDetection": {"Nonce": text, "Created": header(CREATED)["Timestamp"]}}
    given = {"Header": header(CREATED, **replay), **tickets(ticket())}
    first, second = both(crm, CREATED, given)
    assert verdict(CREATED, first) == "OK"
    assert fault_text(second, 401) == "The message was refused as a replay: The nonce was used before"
    assert Nonce.objects.get().value == text.strip()


@pytest.fixture(params=TRANSPORTS)
def either(request: pytest.FixtureRequest, make_crm: Callable[..., Crm]) -> Crm:
    """A client over REST, and one over SOAP whose replies are validated."""
    return over(make_crm(), request.param)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_kept_as_they_are(either: Crm, text):
    person = {
        "firstName": text,
        "lastName": text,
        "electronicAddress": {"email1": text},
        "landlinePhone": {"localNumber": text},
    }
    said = either.create(
        {
            "name": text,
            "comment": text,
            "csrId": text,
            "CustomerData": person,
            "UsagePoint": {"mRID": text},
            "Location": [{"PositionPoint": {"xPosition": text, "yPosition": "1"}}],
        },
        Source=text,
        User={"UserID": text, "Organization": text},
        Comment=text,
        ReplyAddress=text,
        Property=[{"Name": text, "Value": text}],
    )
    assert (said.result, said.reasons) == ("OK", ["InvalidPositionPoint"])
    row = TroubleTicket.objects.get()
    assert {row.name, row.comment, row.csr_id, row.usage_point} == {text}
    assert row.location == [{"PositionPoint": {"xPosition": text, "yPosition": "1"}}]
    contacts = CallerContact.objects.all()
    assert {part for one in contacts for part in (one.first_name, one.last_name, one.value)} == {text}
    message = ReceivedMessage.objects.get()
    assert {message.source, message.user_id, message.organization, message.reply_address} == {text}
    assert message.header["Property"] == [{"Name": text, "Value": text}]
    found = either.get(name=text).tickets
    assert [(one["comment"], one["csrId"]) for one in found] == [(text, text)]
    assert found[0]["CustomerData"]["electronicAddress"] == {"email1": text}


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_found_by_themselves_alone(either: Crm, text):
    a_ticket(name="EXT-1", point="SDP-1")
    for criterion in ({"name": text}, {"mRID": text}, {"IncidentRecord": {"mRID": text}}):
        said = either.get("all", **criterion)
        assert (said.result, said.reasons, said.tickets) == ("FAILED", ["EntityNotFound"], [])
        assert said.errors[0]["details"].endswith(f": {text}")
    said = either.get("all", UsagePoint={"mRID": text})
    assert (said.result, said.reasons, said.tickets) == ("OK", ["EntityNotFound"], [])
    assert TroubleTicket.objects.count() == 1


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "</m:name>", "]]>", "a & b"])
def test_texts_are_escaped_in_xml(crm: Crm, text):
    incident = an_incident(text, comment=text, cause=text[:100], status=text)
    a_ticket(incident, name="EXT-1", comment=text, source=text, trouble_code=text)
    given = {
        "Header": header("GetTroubleTickets", Context="all"),
        "Request": {"GetTroubleTickets": {"name": "EXT-1"}},
    }
    answer = crm.soap("GetTroubleTickets", envelope("GetTroubleTickets", given))
    body = answer.content.split(b"<m:Payload>")[1].split(b"</m:Payload>")[0]
    assert text.encode() not in body
    (found,) = reply("GetTroubleTickets", answer).tickets
    assert (found["comment"], found["IncidentRecord"]["comment"]) == (text, text)


@pytest.mark.parametrize("bad", ["\x01", "\x0b", "\x1f", "\ufffe", "\uffff"])
def test_rows_that_hold_what_xml_cannot_are_answered_all_the_same(either: Crm, bad):
    """Typed by an operator, or left by another system."""
    incident = an_incident(comment=f"a{bad}b")
    a_ticket(incident, name="EXT-1", comment=f"a{bad}b")
    (found,) = either.get(name="EXT-1").tickets
    assert found["comment"] in (f"a{bad}b", "a\N{REPLACEMENT CHARACTER}b")
    assert found["IncidentRecord"]["comment"] == found["comment"]


@pytest.mark.parametrize(
    "bad", [b"\\u0000", b"\\u0001", b"\\u001f", b"\\ud800", b"\\udc00\\ud800", b"\\ufffe", b"\x01", b"\xff"]
)
def test_characters_that_cannot_be_kept(crm: Crm, bad):
    """Over REST: U+0000 and lone surrogates are no JSON here, others no text that XML could carry."""
    content = b'{"Header":{"Verb":"created"},"Payload":{"TroubleTickets":[{"comment":"a%bb"}]}}' % bad
    answer = rest(crm, CREATED, content)
    assert verdict(CREATED, answer) in ("fault", "FAILED")
    if answer.status_code == 200:
        assert "TroubleTicket[0].comment has a character that XML cannot carry" in answer.content.decode()
    assert not TroubleTicket.objects.exists()


# -- lengths -----------------------------------------------------------------------------------------------


def test_the_longest_short_texts_are_kept_whole(either: Crm):
    """Characters, not bytes."""
    text = "\N{EURO SIGN}" * 255
    person = {"firstName": text, "mName": text, "lastName": text, "mobilePhone": {"localNumber": text}}
    said = either.create(
        {"name": text, "csrId": text, "CustomerData": person, "UsagePoint": {"mRID": text}},
        Source=text,
        MessageID=text,
        CorrelationID=text,
    )
    assert (said.result, said.document["Header"]["CorrelationID"]) == ("OK", text)
    row = TroubleTicket.objects.get()
    assert {row.name, row.csr_id, row.usage_point} == {text}
    assert CallerContact.objects.get().first_name == f"{text} {text}"
    (found,) = either.get(name=text).tickets
    assert found["CustomerData"]["firstName"] == text
    assert Incident.objects.count() == 1


@pytest.mark.parametrize("length", [256, 10_000])
@pytest.mark.parametrize("member", ["MessageID", "CorrelationID", "Source", "ReplyAddress", "Noun"])
def test_a_header_that_is_too_long_is_on_record_as_far_as_it_goes(either: Crm, member, length):
    text = "x" * length
    said = either.get("all", name="EXT-1", header={member: text})
    assert said.result == "FAILED"
    assert said.reasons == (["InvalidNoun"] if member == "Noun" else ["InvalidMessage"])
    assert ReceivedMessage.objects.get().result == "FAILED"
    if member == "CorrelationID":
        assert said.document["Header"]["CorrelationID"] == text[:255]


@pytest.mark.parametrize("length", [256, 10_000])
def test_a_context_that_is_too_long(either: Crm, length):
    said = either.get("x" * length, name="EXT-1")
    assert said.reasons == ["InvalidMessage"]
    assert said.document["Header"]["Context"] == "x" * 255


@pytest.mark.parametrize("length", [256, 10_000])
def test_a_user_that_is_too_long(either: Crm, length):
    said = either.create({}, User={"UserID": "x" * length, "Organization": "y" * length})
    assert said.reasons == ["InvalidMessage"]
    assert ReceivedMessage.objects.get().user_id == "x" * 255


@pytest.mark.parametrize(("length", "kept"), [(500, 500), (501, 500), (10_000, 500), (1_000_000, 500)])
def test_a_comment_is_cut_at_its_limit(either: Crm, length, kept):
    said = either.create({"comment": "x" * length})
    assert said.reasons == (["CommentExceedsLimit"] if length > kept else [])
    assert TroubleTicket.objects.get().comment == "x" * kept


def test_a_text_node_of_more_than_the_parser_takes(crm: Crm, settings):
    """Ten million characters in one element."""
    settings.HUB_MAX_BODY = 20_000_000
    given = {
        "Header": header(CREATED),
        "Payload": {"TroubleTickets": {"TroubleTicket": [ticket(comment="@")]}},
    }
    content = envelope(CREATED, given).replace(b"@", b"x" * 10_500_000)
    answer = crm.http.post(f"/crm/soap/{RECEIVE}", content, content_type=TYPES[SOAP_11], **crm.login)
    assert verdict(CREATED, answer) in ("fault", "OK")
    assert etree.fromstring(answer.content) is not None


@pytest.mark.parametrize("length", [61, 10_000, 200_000])
def test_very_long_names_are_quoted_in_short(crm: Crm, length):
    """Of elements, of members, of operations and services."""
    name = "n" * length
    content = envelope(CREATED, {"Header": header(CREATED)}).replace(CREATED.encode(), name.encode())
    answer = crm.soap(RECEIVE, content)
    assert verdict(CREATED, answer) == "fault"
    assert len(answer.content) < 1000
    answer = rest(crm, CREATED, {name: 1})
    assert verdict(CREATED, answer) == "FAILED"
    assert len(answer.content) < 1000
    assert len(rest(crm, name[:5000], {}).content) < 2000
    assert len(crm.soap(name[:5000], content).content) < 1000
