"""Messages that are too large, by bytes or by what is in them: refused with the limit named, in bounded memory."""

import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from crm.models import ReceivedMessage, TroubleTicket
from tests.crm.answers import CREATED, MIB, RECEIVE, TYPES, Stream, fault_text, reply, rest, streamed
from tests.crm.conftest import SOAP_11, SOAP_12, Crm, Plain, crm_property, envelope, header, ticket

SOAP_PATH, REST_PATH = f"/crm/soap/{RECEIVE}", f"/api/crm/v1/{CREATED}"
JSON = "application/json"
PAYLOAD = b"http://iec.ch/TC57/2011/TroubleTickets#"
TOO_MANY = "100000 TroubleTicket elements in one message; 10000 are the most"


def message(*given: Plain, version: str = SOAP_11) -> tuple[bytes, bytes]:
    """What comes before and after the tickets of an envelope."""
    document = {
        "Header": header(CREATED),
        "Payload": {"TroubleTickets": {"TroubleTicket": [ticket(name="@")]}},
    }
    content = envelope(CREATED, document, version=version)
    begin = content.rindex(b"<", 0, content.index(b":TroubleTicket>"))
    end = content.rindex(b"</", 0, content.index(b":TroubleTickets></"))
    return content[:begin], content[end:]


def hundred_mib(kind: str) -> Iterator[bytes]:
    """A body that is good as far as it is read; nobody holds it."""
    one = (
        b'{"troubleCode":"No Power"},'
        if kind == JSON
        else (b"<TroubleTicket xmlns='%b'><troubleCode>No Power</troubleCode></TroubleTicket>" % PAYLOAD)
    )
    block = one * (MIB // len(one))
    yield b'{"Payload":{"TroubleTickets":[' if kind == JSON else message()[0]
    for _ in range(100):
        yield block


@pytest.mark.parametrize(
    ("path", "kind"), [(SOAP_PATH, TYPES[SOAP_11]), (SOAP_PATH, TYPES[SOAP_12]), (REST_PATH, JSON)]
)
@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "chunked"])
def test_a_hundred_mebibytes_are_refused_and_not_kept(crm: Crm, settings, path, kind, chunked):
    body = Stream(hundred_mib(kind))
    length: Plain = {"HTTP_TRANSFER_ENCODING": "chunked"} if chunked else {"CONTENT_LENGTH": str(100 * MIB)}
    tracemalloc.start()
    answer = streamed(crm, path, body, kind, **length)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert fault_text(answer, 413).startswith(
        f"The body is larger than {settings.HUB_MAX_BODY} bytes. Send less"
    )
    assert body.taken < settings.HUB_MAX_BODY + MIB
    assert peak < 2.5 * settings.HUB_MAX_BODY
    assert not TroubleTicket.objects.exists()
    assert not ReceivedMessage.objects.exists()


@pytest.mark.parametrize("version", TYPES)
def test_the_fault_comes_in_the_callers_version(crm: Crm, settings, version):
    settings.HUB_MAX_BODY = 1000
    answer = crm.soap(RECEIVE, b"x" * 1001, version=version)
    assert fault_text(answer, 413).startswith("The body is larger than 1000 bytes")
    assert answer["Content-Type"] == TYPES[version]


def test_a_service_and_an_operation_may_have_limits_of_their_own(crm: Crm, settings):
    settings.HUB_MAX_BODY_BY_FLOW = {RECEIVE: 1000, CREATED: 2000}
    assert "1000 bytes" in fault_text(crm.soap(RECEIVE, b"x" * 1001), 413)
    assert "not well-formed" in fault_text(crm.soap("GetCallbacks", b"x" * 1001))
    assert "2000 bytes" in fault_text(rest(crm, CREATED, b"x" * 2001), 413)


# -- a hundred thousand tickets --------------------------------------------------------------------------


def soap_of(one: bytes, count: int) -> bytes:
    before, after = message()
    return before + one * count + after


def rest_of(one: bytes, count: int) -> bytes:
    before = b'{"Header":%s,"Payload":{"TroubleTickets":{"TroubleTicket":[' % json_header()
    return before + b",".join([one] * count) + b"]}}}"


def json_header() -> bytes:
    return orjson.dumps(header(CREATED))


FULL_XML = b"<TroubleTicket xmlns='%b'><comment>%b</comment></TroubleTicket>" % (PAYLOAD, b"x" * 100)
FULL_JSON = b'{"comment":"' + b"x" * 100 + b'"}'


@pytest.mark.parametrize("kind", ["soap", "rest"])
def test_a_hundred_thousand_tickets_over_the_limit_in_bytes(crm: Crm, kind):
    if kind == "soap":
        answer = crm.soap(RECEIVE, soap_of(FULL_XML, 100_000))
    else:
        answer = rest(crm, CREATED, rest_of(FULL_JSON, 100_000))
    assert fault_text(answer, 413).startswith("The body is larger than")
    assert not TroubleTicket.objects.exists()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ["soap", "rest"])
def test_a_hundred_thousand_tickets_under_the_limit_in_bytes(crm: Crm, settings, kind):
    """Refused in the time that reading them takes, with the limit named."""
    settings.HUB_MAX_BODY_BY_FLOW = {RECEIVE: 100 * MIB, CREATED: 100 * MIB}
    began = time.monotonic()
    if kind == "soap":
        said = reply(CREATED, crm.soap(RECEIVE, soap_of(FULL_XML, 100_000)))
    else:
        answer = rest(crm, CREATED, rest_of(FULL_JSON, 100_000))
        said = answer.json()["Reply"]["Error"][0]
    took = time.monotonic() - began
    entry = said if isinstance(said, dict) else said.error("InvalidMessage")
    assert entry["code"] == "1.8"
    assert entry["details"] == f"Received message is invalid against xsd schema. Reason: {TOO_MANY}."
    assert took < 60
    assert not TroubleTicket.objects.exists()
    assert ReceivedMessage.objects.get().result == "FAILED"


OPEN, CLOSE = b"<TroubleTicket xmlns='%b'>" % PAYLOAD, b"</TroubleTicket>"
SLOW = {
    "all in another order": (OPEN + b"<x/><troubleCode>No Power</troubleCode><comment/>" + CLOSE, 100_000),
    "all wrong": (OPEN + b"<x/>" + CLOSE, 100_000),
    "wrong members": (OPEN + b"<Location><x/></Location>" * 20 + CLOSE, 20_000),
    "one with too many members": (OPEN + b"<Location><x/></Location>" * 300_000 + CLOSE, 1),
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("most", [10_000, 1_000_000])
@pytest.mark.parametrize("kind", SLOW)
def test_messages_that_validators_take_long_over(crm: Crm, settings, kind, most):
    """An error's place is counted by its siblings: what took minutes takes seconds."""
    settings.HUB_MAX_BODY = 100 * MIB
    crm_property("message.items.limit", str(most))
    one, count = SLOW[kind]
    began = time.monotonic()
    said = reply(CREATED, crm.soap(RECEIVE, soap_of(one, count)))
    assert said.reasons == ["InvalidMessage"]
    assert time.monotonic() - began < 60
    assert not TroubleTicket.objects.exists()


def test_a_list_of_several_thousands_is_whole_after_it_was_validated(crm: Crm, settings):
    """It is validated a part at a time; what is wrong is found in the last part as well."""
    given = [ticket(name=str(place)) for place in range(2_500)]
    assert reply(CREATED, crm.soap(RECEIVE, envelope_of(given))).result == "OK"
    names = list(TroubleTicket.objects.order_by("pk").values_list("name", flat=True))
    assert names == [one["name"] for one in given]
    given[-1] = {"name": "x" * 256}
    assert reply(CREATED, crm.soap(RECEIVE, envelope_of(given))).reasons == ["InvalidMessage"]


def envelope_of(given: list[Plain]) -> bytes:
    document = {"Header": header(CREATED), "Payload": {"TroubleTickets": {"TroubleTicket": given}}}
    return envelope(CREATED, document)


@pytest.mark.parametrize("count", [500, 501])
def test_no_element_has_more_members_than_a_message_needs(crm: Crm, count):
    """`ticket` adds two of its own."""
    said = crm.create({"IncidentHazard": [{"mRID": "fire"}] * (count - 2)})
    if count <= 500:
        assert (said.result, TroubleTicket.objects.get().hazards) == ("OK", ["fire"])
    else:
        assert "TroubleTicket has 501 elements; 500 are the most" in said.errors[0]["details"]


@pytest.mark.timeout(300)
def test_a_hundred_thousand_results(crm: Crm, settings):
    settings.HUB_MAX_BODY = 100 * MIB
    said = crm.report(*[{"csrId": "csr7"}] * 100_000)
    assert "100000 CallBackResult elements in one message; 10000 are the most" in said.errors[0]["details"]


def test_how_many_are_taken_is_configured(crm: Crm):
    crm_property("message.items.limit", "2")
    assert crm.create({}, {}).result == "OK"
    said = crm.create({}, {}, {})
    assert "3 TroubleTicket elements in one message; 2 are the most" in said.errors[0]["details"]
    assert TroubleTicket.objects.count() == 2


@pytest.mark.timeout(300)
def test_ten_thousand_results_of_nothing(crm: Crm, settings):
    """As many as are taken, none of them known: one Error entry, and a reply for each."""
    settings.HUB_MAX_BODY = 100 * MIB
    given: list[Any] = [
        {"mRID": f"00000000-0000-0000-0000-{place:012}", "status": {"value": "Busy"}}
        for place in range(10_000)
    ]
    said = crm.report(*given)
    assert (said.result, said.reasons) == ("FAILED", ["EntityNotFound"])
    assert [one["mRID"] for one in said.results] == [one["mRID"] for one in given]
