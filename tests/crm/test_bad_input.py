"""What is sent as XML and is no good message: each is refused in words, nothing is fetched, nothing is kept."""

import gzip
import time
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from crm.models import TroubleTicket
from tests.crm.answers import CREATED, RECEIVE, TYPES, Stream, fault_text, reply, rest, streamed, tickets
from tests.crm.conftest import SOAP_11, Crm, envelope, header, ticket

NO_DOCTYPE = "A DOCTYPE is not taken"
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def message(*, version: str = SOAP_11, **given: Any) -> bytes:
    """A good one, with one ticket."""
    document = {"Header": header(CREATED), **tickets(ticket(name="EXT-1", **given))}
    return envelope(CREATED, document, version=version)


def laughs(levels: int = 12, each: int = 10) -> str:
    """Entities of entities: a thousand million of them in a few lines."""
    lines = ['<!ENTITY l0 "lol">']
    lines += [f'<!ENTITY l{n} "{f"&l{n - 1};" * each}">' for n in range(1, levels)]
    return f"<!DOCTYPE x [{''.join(lines)}]>"


QUADRATIC = f'<!DOCTYPE x [<!ENTITY a "{"a" * 50_000}">]>'
BOMBS = {
    "a bare one": "<!DOCTYPE x>",
    "billion laughs": laughs(),
    "quadratic": QUADRATIC,
    "an attribute that grows": QUADRATIC.replace("]>", '<!ATTLIST x a CDATA "&a;&a;&a;">]>'),
    "a file": '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    "a parameter entity": '<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>',
    "an external one": '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
    "a public one": '<!DOCTYPE x PUBLIC "-//W3C//DTD XHTML 1.0//EN" "file:///etc/passwd">',
}


@pytest.fixture
def send(crm: Crm):
    """Send bytes; the answer comes soon, and no ticket is there afterwards."""

    def post(content: bytes, **more: Any) -> Any:
        began = time.monotonic()
        answer = crm.soap(RECEIVE, content, **more)
        assert time.monotonic() - began < 5
        assert not TroubleTicket.objects.exists()
        return answer

    return post


# -- no XML ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", TYPES)
@pytest.mark.parametrize("content", [b"", b"  \n"])
def test_nothing(send, content, version):
    text = "The body is empty; a SOAP envelope is expected"
    assert fault_text(send(content, version=version)) == text


@pytest.mark.parametrize(
    "content",
    [
        b"hello",
        b'{"Header": {}}',
        b"<!-- only -->",
        b"<a><b></a></b>",
        b"<a/><b/>",
        b"<a>&nbsp;</a>",
        b"<a b=1/>",
        b"%PDF-1.7\x00\x01",
        message()[:-20],
        b"\xef\xbb\xbf",
        b"\xff\xfe",
    ],
)
def test_what_is_not_xml(send, content):
    assert fault_text(send(content)).startswith("The message is not well-formed XML: ")


@pytest.mark.parametrize("version", TYPES)
def test_a_fault_comes_in_the_version_of_the_content_type(send, version):
    assert send(b"hello", version=version)["Content-Type"] == TYPES[version]


@pytest.mark.parametrize(
    "content", [b"<html><body>hello</body></html>", b"<Envelope/>", b"<x:y xmlns:x='urn:x'/>"]
)
def test_what_is_not_soap(send, content):
    said = fault_text(send(content))
    assert said.startswith(("The message is no SOAP envelope", "The envelope is of no SOAP version"))


# -- DOCTYPEs --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BOMBS)
def test_a_doctype_is_refused_whatever_it_declares(send, name):
    content = message().replace(b"EXT-1", b"&a;&l11;")
    assert fault_text(send(BOMBS[name].encode() + content)) == NO_DOCTYPE


@pytest.mark.parametrize(
    "before", ["", " \n", "<?xml version='1.0'?>", f"<!-- {'x' * 10_000} -->", "<?a b?>" * 2_000]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_doctype_is_found_in_any_encoding_behind_anything(send, encoding, before):
    """UTF-16 without a mark needs a declaration to be known; without one it is no XML."""
    if encoding.startswith("utf-16-") and "<?xml" not in before:
        before = f"<?xml version='1.0' encoding='UTF-16'?>{before.strip()}"
    content = (before + laughs() + "<x>&l11;</x>").encode(encoding)
    said = fault_text(send(content))
    assert said == NO_DOCTYPE or "XML" in said
    if encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert said == NO_DOCTYPE


@pytest.mark.parametrize("encoding", ["UTF-7", "cp037", "utf-32", "shift_jis", "hz"])
def test_a_doctype_in_an_encoding_that_few_know(send, encoding):
    content = f"<?xml version='1.0' encoding='{encoding}'?><!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"
    said = fault_text(send(content.encode(encoding)))
    assert said == NO_DOCTYPE or said.startswith("The message is not well-formed XML")


def test_an_entity_that_nothing_declares(send):
    assert "Entity 'a' not defined" in fault_text(send(message().replace(b"EXT-1", b"&a;")))


# -- nothing is fetched ----------------------------------------------------------------------------------


def test_nothing_that_a_message_names_is_fetched(crm: Crm, httpserver: HTTPServer):
    """External DTDs, entities, schemas, included documents, style sheets."""
    url = httpserver.url_for("/x")
    httpserver.expect_request("/x").respond_with_data("<x/>")
    for doctype in (f'<!DOCTYPE x SYSTEM "{url}">', f'<!DOCTYPE x [<!ENTITY % a SYSTEM "{url}"> %a;]>'):
        assert fault_text(crm.soap(RECEIVE, doctype.encode() + message())) == NO_DOCTYPE
    sheet = f'<?xml-stylesheet href="{url}"?>'.encode()
    assert reply(CREATED, crm.soap(RECEIVE, sheet + message())).result == "OK"
    included = f'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{url}" parse="text"/>'.encode()
    said = reply(CREATED, crm.soap(RECEIVE, message().replace(b"EXT-1", included)))
    assert said.reasons == ["InvalidMessage"]
    assert httpserver.log == []


@pytest.mark.parametrize("where", ["http", "file"])
@pytest.mark.parametrize("attribute", ["schemaLocation", "noNamespaceSchemaLocation"])
def test_a_schema_that_a_message_brings_is_not_read(
    crm: Crm, httpserver: HTTPServer, tmp_path, where, attribute
):
    """Nor does it change what the next message is checked by."""
    httpserver.expect_request("/x.xsd").respond_with_data("<x/>")
    (tmp_path / "x.xsd").write_text("<x/>")
    url = httpserver.url_for("/x.xsd") if where == "http" else (tmp_path / "x.xsd").as_uri()
    names = f"http://iec.ch/TC57/2011/TroubleTickets# {url} urn:x {url}"
    said = f'{XSI} xsi:{attribute}="{names if attribute == "schemaLocation" else url}"'
    content = message()
    for tag in (b"CreatedTroubleTickets ", b"TroubleTicket>"):
        changed = content.replace(tag, tag.rstrip(b" >") + b" " + said.encode() + tag[-1:], 1)
        assert reply(CREATED, crm.soap(RECEIVE, changed)).result == "OK"
    assert reply(CREATED, crm.soap(RECEIVE, content.replace(b"troubleCode>", b"code>"))).result == "FAILED"
    assert httpserver.log == []


@pytest.mark.parametrize("attribute", ['xsi:type="xs:string"', 'xsi:nil="true"', 'id="x"', 'xml:lang="en"'])
def test_attributes_that_the_schema_has_not(send, attribute):
    xs = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'
    changed = message().replace(b"TroubleTicket>", f"TroubleTicket {XSI} {xs} {attribute}>".encode(), 1)
    assert reply(CREATED, send(changed)).reasons == ["InvalidMessage"]


# -- depth and breadth -----------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["root", "body", "ticket"])
def test_a_depth_of_a_hundred_thousand(send, place):
    deep = b"<a>" * 100_000 + b"</a>" * 100_000
    content = {"root": deep, "body": message().replace(b"<s:Body>", b"<s:Body>" + deep)}.get(place)
    said = fault_text(send(content or message().replace(b"EXT-1", deep)))
    assert "depth" in said.lower()


def test_a_depth_that_the_parser_takes_is_the_schemas_to_refuse(send):
    deep = b"<a>" * 200 + b"</a>" * 200
    assert reply(CREATED, send(message().replace(b"EXT-1", deep))).reasons == ["InvalidMessage"]


def test_a_million_elements_that_are_none_of_ours(send):
    content = message().replace(b"EXT-1", b"<a/>" * 1_000_000)
    assert reply(CREATED, send(content)).reasons == ["InvalidMessage"]


def test_a_hundred_thousand_attributes_and_namespaces(send):
    many = " ".join(f'a{n}="{n}" xmlns:p{n}="urn:{n}"' for n in range(50_000)).encode()
    content = message().replace(b"TroubleTicket>", b"TroubleTicket " + many + b">", 1)
    assert reply(CREATED, send(content)).reasons == ["InvalidMessage"]


# -- encodings -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1", "windows-1252", "utf-8-sig"])
def test_encodings_that_the_document_names_are_read(crm: Crm, encoding):
    """By its byte order mark or its declaration."""
    named = "utf-8" if encoding == "utf-8-sig" else encoding
    text = f'<?xml version="1.0" encoding="{named}"?>' + message().decode().replace("EXT-1", "Zoë")
    assert reply(CREATED, crm.soap(RECEIVE, text.encode(encoding))).result == "OK"
    assert TroubleTicket.objects.get().name == "Zoë"


def posted(crm: Crm, content: bytes, kind: str, **more: Any) -> Any:
    # Not `post`, which would write the body anew in the content type's charset.
    return crm.http.generic("POST", f"/crm/soap/{RECEIVE}", content, kind, **crm.login, **more)


@pytest.mark.parametrize("charset", ["iso-8859-1", "ISO-8859-15", "windows-1252"])
def test_an_encoding_that_the_content_type_names_is_read(crm: Crm, charset):
    content = message().decode().replace("EXT-1", "Zoë").encode(charset)
    assert reply(CREATED, posted(crm, content, f"text/xml; charset={charset}")).result == "OK"
    assert TroubleTicket.objects.get().name == "Zoë"


def test_a_mark_counts_more_than_the_content_type(crm: Crm):
    content = ('<?xml version="1.0" encoding="utf-16"?>' + message().decode()).encode("utf-16")
    assert reply(CREATED, posted(crm, content, "text/xml; charset=iso-8859-1")).result == "OK"


def test_a_charset_that_nobody_knows(crm: Crm):
    text = "The charset klingon is not known here; send UTF-8"
    assert fault_text(posted(crm, message(), "text/xml; charset=klingon")) == text


@pytest.mark.parametrize(
    "bad", [b"\xff", b"\xc3(", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf", b"\x00"]
)
def test_bytes_that_are_not_utf_8(send, bad):
    """Cut sequences, lone surrogates, what is beyond Unicode, overlong forms, NUL."""
    assert fault_text(send(message().replace(b"EXT-1", bad))).startswith("The message is not well-formed XML")


@pytest.mark.parametrize(
    "reference", ["&#0;", "&#1;", "&#x1F;", "&#xD800;", "&#xFFFE;", "&#x110000;", "\x01", "\x0b"]
)
def test_control_characters(send, reference):
    content = message(comment="COMMENT").replace(b"COMMENT", reference.encode())
    assert fault_text(send(content)).startswith("The message is not well-formed XML")


def test_characters_that_look_strange_but_are_some(crm: Crm):
    strange = "\t\n \x85\x7f\u200b\u202e\ufeff\U0001f4a1\N{COMBINING ACUTE ACCENT}"
    assert crm.soap_call(CREATED, tickets(ticket(comment=strange))).result == "OK"
    assert TroubleTicket.objects.get().comment == strange


# -- around the body -------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", ["gzip", "deflate", "br, gzip"])
def test_a_packed_body_is_not_unpacked(crm: Crm, packed):
    content = gzip.compress(message())
    answer = posted(crm, content, TYPES[SOAP_11], HTTP_CONTENT_ENCODING=packed)
    assert fault_text(answer, 415) == f"Content-Encoding {packed} is not read here; send it unpacked"
    answer = rest(crm, CREATED, gzip.compress(b"{}"), HTTP_CONTENT_ENCODING=packed)
    assert fault_text(answer, 415) == f"Content-Encoding {packed} is not read here. Send it unpacked."
    assert fault_text(posted(crm, content, TYPES[SOAP_11])).startswith("The message is not well-formed XML")


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "text/plain",
        "text/html",
        "application/x-www-form-urlencoded",
        'multipart/related; type="application/xop+xml"; boundary=x',
        "nonsense",
    ],
)
def test_a_content_type_that_is_not_xml(crm: Crm, kind):
    said = fault_text(posted(crm, message(), kind), 415)
    assert said.endswith("is not read here; send text/xml for SOAP 1.1, application/soap+xml for SOAP 1.2")
    assert not TroubleTicket.objects.exists()


@pytest.mark.parametrize("kind", ["", "TEXT/XML", "application/xml", 'application/soap+xml; action="x"'])
def test_content_types_that_are_xml(crm: Crm, kind):
    assert reply(CREATED, posted(crm, message(), kind)).result == "OK"


def test_a_chunked_body(crm: Crm):
    """It has no length; the web server has joined its chunks."""
    content = message()
    body = Stream(iter([content[:100], content[100:]]))
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}
    answer = streamed(crm, f"/crm/soap/{RECEIVE}", body, TYPES[SOAP_11], **chunked)
    assert reply(CREATED, answer).result == "OK"


def test_a_body_that_ends_early(crm: Crm):
    content = message()
    body = Stream(iter([content[:200]]))
    answer = streamed(crm, f"/crm/soap/{RECEIVE}", body, TYPES[SOAP_11], CONTENT_LENGTH=str(len(content)))
    assert fault_text(answer) == f"The body ended after 200 bytes of the {len(content)} announced"
    assert not TroubleTicket.objects.exists()


@pytest.mark.parametrize("length", ["abc", "-5", "1e3", ""])
def test_a_length_that_is_none(crm: Crm, length):
    answer = streamed(
        crm, f"/crm/soap/{RECEIVE}", Stream(iter([message()])), TYPES[SOAP_11], CONTENT_LENGTH=length
    )
    assert fault_text(answer) == "The body is empty; a SOAP envelope is expected"


@pytest.mark.parametrize("name", ["Cr&#xE9;", "a.b-c", "_", "日本"])
def test_a_fault_quotes_what_was_sent_as_xml_can_have_it(send, name):
    quoted = name.replace("&#xE9;", "é").encode()
    said = fault_text(send(message().replace(CREATED.encode(), quoted)))
    assert said.startswith(f"{quoted.decode()} is no operation of ReceiveTroubleTickets")
