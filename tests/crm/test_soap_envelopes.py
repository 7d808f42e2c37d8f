"""SOAP's versions and envelopes: what is answered how, what is forgiven, and what is not."""

from typing import Any

import pytest
from lxml import etree

from crm.models import TroubleTicket
from crm.operations.registry import OPERATIONS
from tests.crm.answers import CREATED, RECEIVE, TYPES, created, reply, soap_fault, wrapped
from tests.crm.conftest import SOAP_11, SOAP_12, Crm, crm_property, element, envelope


@pytest.fixture
def mistaken(crm: Crm):
    """Send what is no message; nothing of it may be left."""

    def send(content: bytes, *, service: str = RECEIVE, version: str = SOAP_11) -> Any:
        answer = crm.soap(service, content, version=version)
        assert not TroubleTicket.objects.exists()
        return answer

    return send


# -- versions --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", TYPES)
@pytest.mark.parametrize("operation", [one.name for one in OPERATIONS])
def test_every_operation_answers_in_the_callers_version(crm: Crm, operation, version):
    body = {
        CREATED: created(),
        "ChangedTroubleTickets": {"Payload": {"TroubleTickets": {"TroubleTicket": [{"csrId": "csr7"}]}}},
        "GetTroubleTickets": {"Request": {"GetTroubleTickets": {}}},
        "GetCallbacks": {"Request": {"GetCallbacks": {}}},
        "CreatedCallBacksResults": {"Payload": {"CallBacksResults": {"CallBackResult": [{}]}}},
    }[operation]
    said = crm.soap_call(
        operation, {name: one for name, one in body.items() if name != "Header"}, version=version
    )
    assert (said.status, said.document["Header"]["Verb"]) == (200, "reply")


@pytest.mark.parametrize("version", TYPES)
def test_the_answers_content_type_is_the_versions(crm: Crm, version):
    content = envelope(CREATED, created(), version=version)
    assert crm.soap(RECEIVE, content, version=version)["Content-Type"] == TYPES[version]


def test_the_envelope_decides_where_the_content_type_says_another_version(crm: Crm):
    """SOAP 1.2 sent as text/xml is SOAP 1.2."""
    answer = crm.soap(RECEIVE, envelope(CREATED, created(), version=SOAP_12), version=SOAP_11)
    assert answer["Content-Type"] == TYPES[SOAP_12]
    assert reply(CREATED, answer).result == "OK"


@pytest.mark.parametrize("version", TYPES)
@pytest.mark.parametrize("namespace", ["http://www.w3.org/2001/12/soap-envelope", "urn:soap", None])
def test_an_envelope_of_no_known_version(mistaken, namespace, version):
    """It is answered in the version of the content type."""
    content = b"<Envelope><Body/></Envelope>"
    if namespace is not None:
        content = wrapped(element(CREATED, created()), version=namespace)
    text = soap_fault(mistaken(content, version=version), 400, "VersionMismatch", version)
    assert text == "The envelope is of no SOAP version known here"


# -- envelopes -------------------------------------------------------------------------------------------


def test_a_body_that_is_empty(mistaken):
    assert soap_fault(mistaken(wrapped()), 400, "Client") == "The Body has 0 elements; it takes one message"
    assert soap_fault(mistaken(wrapped("  <!-- none -->\n")), 400, "Client").startswith(
        "The Body has 0 elements"
    )


def test_a_body_with_two_messages(mistaken):
    message = element(CREATED, created())
    assert soap_fault(mistaken(wrapped(message, message)), 400, "Client").startswith(
        "The Body has 2 elements"
    )


def test_an_envelope_with_two_bodies(mistaken):
    content = wrapped(element(CREATED, created()))
    body = content[content.index(b"<s:Body>") : content.index(b"</s:Envelope>")]
    assert soap_fault(mistaken(content.replace(body, body + body)), 400, "Client").startswith(
        "The envelope has 2 Body elements"
    )


def test_an_envelope_without_a_body(mistaken):
    content = f'<s:Envelope xmlns:s="{SOAP_11}"/>'.encode()
    assert soap_fault(mistaken(content), 400, "Client").startswith("The envelope has 0 Body elements")


def test_an_envelope_with_something_else_in_it(mistaken):
    content = wrapped(element(CREATED, created())).replace(b"</s:Envelope>", b"<x/></s:Envelope>")
    assert "others that do not belong there" in soap_fault(mistaken(content), 400, "Client")


def test_what_is_no_envelope(mistaken):
    content = etree.tostring(element(CREATED, created()))
    text = "The message is no SOAP envelope: its root is CreatedTroubleTickets"
    assert soap_fault(mistaken(content), 400, "Client") == text


def test_an_operation_there_is_not(mistaken):
    content = envelope(CREATED, created()).replace(CREATED.encode(), b"DeletedTroubleTickets")
    text = (
        "DeletedTroubleTickets is no operation of ReceiveTroubleTickets; "
        "it has CreatedTroubleTickets, ChangedTroubleTickets"
    )
    assert soap_fault(mistaken(content), 400, "Client") == text


@pytest.mark.parametrize("version", TYPES)
def test_an_operation_of_another_service(mistaken, version):
    answer = mistaken(envelope(CREATED, created(), version=version), service="GetCallbacks", version=version)
    text = "CreatedTroubleTickets is no operation of GetCallbacks; it has GetCallbacks"
    assert soap_fault(answer, 400, "Client" if version == SOAP_11 else "Sender", version) == text


@pytest.mark.parametrize("version", TYPES)
@pytest.mark.parametrize("value", ["1", "true"])
def test_a_header_that_must_be_understood(mistaken, value, version):
    block = f'<w:Security xmlns:w="urn:wsse" s:mustUnderstand="{value}"/>'
    head = f"<s:Header>{block}</s:Header>"
    answer = mistaken(wrapped(element(CREATED, created()), version=version, head=head), version=version)
    text = "The header Security must be understood, and is not"
    assert soap_fault(answer, 400, "MustUnderstand", version) == text


@pytest.mark.parametrize(
    ("version", "block"),
    [
        (SOAP_11, '<a:To xmlns:a="urn:wsa" s:mustUnderstand="0">here</a:To>'),
        (SOAP_11, '<a:To xmlns:a="urn:wsa">here</a:To>'),
        (SOAP_11, '<a:Log xmlns:a="urn:a" s:mustUnderstand="1" s:actor="urn:another"/>'),
        (SOAP_12, '<a:Log xmlns:a="urn:a" s:mustUnderstand="true" s:role="urn:another"/>'),
    ],
)
def test_headers_that_need_not_be_understood_here(crm: Crm, version, block):
    content = wrapped(element(CREATED, created()), version=version, head=f"<s:Header>{block}</s:Header>")
    answer = crm.soap(RECEIVE, content, version=version)
    assert reply(CREATED, answer).result == "OK"


@pytest.mark.parametrize(
    "role", [f"{SOAP_12}/role/next", f"{SOAP_12}/role/ultimateReceiver"], ids=["next", "ultimate"]
)
def test_headers_for_whoever_answers_have_to_be_understood(mistaken, role):
    head = f'<s:Header><a:Log xmlns:a="urn:a" s:mustUnderstand="true" s:role="{role}"/></s:Header>'
    answer = mistaken(wrapped(element(CREATED, created()), version=SOAP_12, head=head), version=SOAP_12)
    assert soap_fault(answer, 400, "MustUnderstand", SOAP_12)


def test_comments_and_instructions_in_between_are_passed_over(crm: Crm):
    content = wrapped("<!-- one --><?two?>", element(CREATED, created()), "<!-- three -->")
    content = b'<?xml version="1.0"?><!-- zero -->' + content.replace(b"EXT-1", b"EXT<!-- in -->-1")
    answer = crm.soap(RECEIVE, content)
    assert reply(CREATED, answer).result == "OK"
    assert TroubleTicket.objects.get().name == "EXT-1"


def test_text_in_cdata_is_text(crm: Crm):
    """Whatever it says."""
    text = "<!DOCTYPE html><!ENTITY a 'b'><b>&amp;</b>"
    content = envelope(CREATED, created()).replace(b"EXT-1", f"<![CDATA[{text}]]>".encode())
    answer = crm.soap(RECEIVE, content)
    assert reply(CREATED, answer).result == "OK"
    assert TroubleTicket.objects.get().name == text


# -- what is forgiven, and what is where the switches say so ---------------------------------------------


def shuffled() -> bytes:
    """Every level's members in the opposite order."""
    message = element(CREATED, created())
    for one in list(message.iter()):
        one[:] = reversed(one)
    return wrapped(message)


def renamed(namespace: str) -> bytes:
    """All of it in another namespace, or in none."""
    message = element(CREATED, created())
    for one in message.iter():
        local = one.tag.rpartition("}")[2]
        one.tag = f"{{{namespace}}}{local}" if namespace else local
    etree.cleanup_namespaces(message)
    return wrapped(message)


def unprefixed() -> bytes:
    """Namespaces declared where they are needed, without a prefix, as some toolkits write them."""
    message = element(CREATED, created())
    text = etree.tostring(message).decode()
    for prefix, uri in sorted({(p, u) for one in message.iter() for p, u in one.nsmap.items()}):
        text = text.replace(f"<{prefix}:", "<").replace(f"</{prefix}:", "</")
        text = text.replace(f'xmlns:{prefix}="{uri}"', f'xmlns="{uri}"')
    return wrapped(text)


TOLERATED = {
    "order": shuffled(),
    "namespace of another year": renamed("http://iec.ch/TC57/2015/TroubleTicketsMessage"),
    "namespace with www": renamed("http://www.iec.ch/TC57/2011/schema/message"),
    "no namespace": renamed(""),
}


@pytest.mark.parametrize("kind", TOLERATED)
def test_what_means_the_same_is_taken(crm: Crm, kind):
    answer = crm.soap(RECEIVE, TOLERATED[kind])
    assert reply(CREATED, answer).result == "OK"
    assert TroubleTicket.objects.get().name == "EXT-1"


def test_namespaces_without_prefixes_are_taken_whatever_the_switches_say(crm: Crm):
    for name in ("order.strict", "namespace.strict"):
        crm_property(name, "true")
    answer = crm.soap(RECEIVE, unprefixed())
    assert reply(CREATED, answer).result == "OK"


@pytest.mark.parametrize(
    ("kind", "switch"),
    [("order", "order.strict")] + [(kind, "namespace.strict") for kind in TOLERATED if kind != "order"],
)
def test_it_is_refused_where_the_switch_says_so(crm: Crm, kind, switch):
    crm_property(switch, "true")
    answer = crm.soap(RECEIVE, TOLERATED[kind])
    said = reply(CREATED, answer)
    assert (said.result, said.reasons) == ("FAILED", ["InvalidMessage"])
    assert not TroubleTicket.objects.exists()


@pytest.mark.parametrize("other", ["order.strict", "namespace.strict"])
def test_each_switch_is_for_itself(crm: Crm, other):
    crm_property(other, "true")
    kind = "order" if other == "namespace.strict" else "no namespace"
    answer = crm.soap(RECEIVE, TOLERATED[kind])
    assert reply(CREATED, answer).result == "OK"


def test_a_member_there_is_not_is_named(crm: Crm):
    content = envelope(CREATED, created()).replace(b"troubleCode>", b"trubleCode>")
    answer = crm.soap(RECEIVE, content)
    said = reply(CREATED, answer)
    details = said.error("InvalidMessage")["details"]
    assert "Element 'trubleCode': This element is not expected" in details
    assert "iec.ch" not in details.partition("Expected is")[0]


@pytest.mark.parametrize("verb", ["created", "Created", "CREATED"])
def test_verbs_and_nouns_come_in_any_case(crm: Crm, verb):
    said = crm.soap_call(CREATED, {"Payload": created()["Payload"]}, Verb=verb, Noun="TROUBLETICKETS")
    assert said.result == "OK"


@pytest.mark.parametrize("verb", ["updated", "changed", "Updated"])
def test_updated_is_changed(crm: Crm, verb):
    """Deprecated verbs mean the same (chapter 10.1.1)."""
    crm.create({"name": "EXT-1"})
    said = crm.change({"name": "EXT-1", "comment": "more"}, Verb=verb)
    assert said.result == "OK"
