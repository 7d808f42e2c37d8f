"""SOAP against real HTTP servers, with WSDLs and schemas of the tests' own (tests/contracts/wsdl)."""

import json
import os
import re
import shutil
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from lxml import etree
from pytest_httpserver import HTTPServer
from werkzeug import Response as Answer

from integrations.adapters import adapter_class, soap_wsdl, wsdl_folders
from integrations.adapters.contract import Endpoint, Request
from integrations.adapters.errors import (
    AdapterError,
    AddressRefused,
    BadAnswer,
    BadMessage,
    Misconfigured,
    Refused,
    TimedOut,
    Unreachable,
)
from integrations.adapters.soap import Soap
from integrations.adapters.wsdl_folders import wsdl_folder, wsdl_names, wsdl_path

HERE = Path(__file__).parent / "wsdl"
PATH = "/services/SendNotes"
V11, V12 = "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"
M, N, C = "{urn:test:notes-message}", "{urn:test:notes#}", "{urn:test:common}"
NOTE = {"id": {"_value_1": "17", "kind": "mRID"}, "text": "Grüße & <mehr>", "count": 3}
MESSAGE = {
    "Header": {"Verb": "created", "Sent": "2024-05-01T10:00:00+02:00", "AckRequired": True},
    "Payload": {"Notes": {"Note": [NOTE]}},
}
HEADER = "<m:Header><c:Verb>reply</c:Verb></m:Header>"
REPLY = "<m:Reply><c:Result>OK</c:Result></m:Reply>"


def envelope(inside, version=V11):
    return f'<s:Envelope xmlns:s="{version}"><s:Body>{inside}</s:Body></s:Envelope>'


def response(inside, version=V11):
    spaces = (
        'xmlns:m="urn:test:notes-message" xmlns:c="urn:test:common" xmlns:n="urn:test:notes#"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    )
    return envelope(f"<m:NotesResponse {spaces}>{HEADER}{inside}</m:NotesResponse>", version)


@pytest.fixture(scope="module")
def running():
    with HTTPServer(host="127.0.0.1", threaded=True) as found:
        yield found


@pytest.fixture
def server(running):
    yield running
    running.clear()


@pytest.fixture(autouse=True)
def shipped(monkeypatch):
    """The tests' folder is the only one, and nothing is compiled yet."""
    monkeypatch.setattr(wsdl_folders, "_folders", {})
    monkeypatch.setattr(soap_wsdl, "_compiled", {})
    wsdl_folder("test", HERE / "services")


@pytest.fixture
def compiled(monkeypatch):
    """The WSDLs that were parsed, one entry each time."""
    found, parse = [], soap_wsdl.Document

    def counted(location, *args, **options):
        found.append(location)
        return parse(location, *args, **options)

    monkeypatch.setattr(soap_wsdl, "Document", counted)
    return found


def endpoint(url, secrets=None, **changes):
    settings = {"url": url, "wsdl": "test/SendNotes.wsdl", **changes.pop("settings", {})}
    return Endpoint("IVR", "soap", settings, secrets or {}, **{"read_timeout": 5.0, **changes})


def base(server):
    return f"http://127.0.0.1:{server.port}{PATH}"


def call(found, message=MESSAGE, operation="CreatedNotes", **more):
    with Soap(found) as adapter:
        return adapter.invoke(Request(operation, body=json.dumps(message).encode(), **more))


def answering(server, content, **options):
    """The server answers with this, and what it was sent is kept."""
    seen = []

    def answer(request):
        seen.append((dict(request.headers), request.get_data()))
        return Answer(content, **{"content_type": "text/xml", **options})

    server.expect_request(PATH, method="POST").respond_with_handler(answer)
    return seen


# -- what is sent --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_an_operation_is_called_as_its_version_has_it(server, version):
    space = {"1.1": V11, "1.2": V12}[version]
    seen = answering(server, response(REPLY, space))
    given = endpoint(base(server), settings={"soap_version": version})
    answer = call(given, headers={"Idempotency-Key": "i-1"})
    assert (answer.status, json.loads(answer.body)) == (
        200,
        {"Header": {"Verb": "reply"}, "Reply": {"Result": "OK"}},
    )
    assert (answer.method, answer.url) == ("POST", base(server))
    headers, body = seen[0]
    action = "urn:test:send-notes/CreatedNotes"
    if version == "1.1":
        assert headers["Content-Type"] == "text/xml; charset=utf-8"
        assert headers["Soapaction"] == f'"{action}"'
    else:
        assert headers["Content-Type"] == f'application/soap+xml; charset=utf-8; action="{action}"'
        assert "Soapaction" not in headers
    assert (headers["Idempotency-Key"], headers["User-Agent"]) == ("i-1", "Busbar")
    root = etree.fromstring(body)
    assert root.tag == f"{{{space}}}Envelope"
    sent = root.find(f"{{{space}}}Body/{M}CreatedNotes")
    note = sent.find(f"{M}Payload/{N}Notes/{N}Note")
    assert [child.tag for child in sent] == [f"{M}Header", f"{M}Payload"]
    assert sent.findtext(f"{M}Header/{C}Sent") == "2024-05-01T10:00:00+02:00"
    assert sent.findtext(f"{M}Header/{C}AckRequired") == "true"
    assert (note.findtext(f"{N}id"), note.find(f"{N}id").get("kind")) == ("17", "mRID")
    assert note.findtext(f"{N}text") == "Grüße & <mehr>"


def test_what_is_sent_is_valid_and_in_the_schemas_order(server):
    seen = answering(server, response(REPLY))
    note = {
        "token": "t", "phone": ["1", "2"], "weights": [1.5, 1e30], "amount": 0.1, "draft": False, "text": None,
        "id": "plain", "count": 12345678901234567890, "closed": None, "image": "aGk=", "day": "2024-05-01+02:00",
    }  # fmt: skip
    other = {f"{N}Notes": {"Note": {"id": "x"}}}
    call(
        endpoint(base(server)),
        {"Payload": {"Notes": {"Note": note}}, "Header": {**other, "Verb": "created"}},
    )
    sent = etree.fromstring(seen[0][1])[0][0]
    schema = etree.XMLSchema(etree.parse(HERE / "schemas" / "NotesMessage.xsd"))
    assert schema.validate(sent), schema.error_log
    made = sent.find(f"{M}Payload/{N}Notes/{N}Note")
    assert made.get("draft") == "false"
    assert [(child.tag.removeprefix(N), child.text) for child in made] == [
        ("id", "plain"), ("count", "12345678901234567890"), ("amount", "0.1"), ("weights", "1.5 1e+30"),
        ("day", "2024-05-01+02:00"), ("phone", "1"), ("phone", "2"), ("token", "t"), ("image", "aGk="),
    ]  # fmt: skip
    assert sent.find(f"{M}Header/{N}Notes/{N}Note/{N}id").text == "x"


def changed(where, value):
    """The message with one member put in at a dotted place."""
    message = json.loads(json.dumps(MESSAGE))
    *path, last = where.split(".")
    place = message
    for name in path:
        place = place[int(name)] if name.isdigit() else place[name]
    place[last] = value
    return message


IN_NOTE = "Payload.Notes.Note.0"


@pytest.mark.parametrize(
    ("where", "value", "said"),
    [
        ("Extra", 1, "CreatedNotes has no member 'Extra'; it has Header, Payload"),
        ("self", 1, "no member 'self'"),
        ("_soapheaders", [1], "no member '_soapheaders'"),
        ("Header.Vreb", "x", "CreatedNotes.Header has no member 'Vreb'; it has Verb"),
        (f"{IN_NOTE}.txet", "x", r"CreatedNotes.Payload.Notes.Note\[0\] has no member 'txet'"),
        (f"{IN_NOTE}.id.knd", "x", r"Note\[0\].id has no member 'knd'; it has kind, rank, _value_1"),
        ("Header", "text", "CreatedNotes.Header is 'text'; it has to be an object"),
        ("Header", [{"Verb": "created"}], "CreatedNotes.Header is a list"),
        (f"{IN_NOTE}.text", {"a": 1}, "text is an object"),
        (f"{IN_NOTE}.text", 1.5, "text is 1.5; it has to be string"),
        (f"{IN_NOTE}.text", True, "text is True"),
        (f"{IN_NOTE}.text", "\x01", "text has a character that XML cannot carry"),
        (f"{IN_NOTE}.id.kind", "\x01", "kind has a character that XML cannot carry"),
        ("Header.AckRequired", "maybe", "AckRequired.*'maybe' is not a valid value.*boolean"),
        ("Header.Verb", "destroy", "Verb.*'destroy'"),
        ("Header.Verb", None, "Expected is .*Verb"),
        ("Header.Sent", "yesterday", "Sent.*'yesterday'.*dateTime"),
        (f"{IN_NOTE}.count", "many", "count.*'many'.*integer"),
        (f"{IN_NOTE}.count", 1.5, "count.*'1.5'.*integer"),
        (f"{IN_NOTE}.id", {"_value_1": "1", "rank": "high"}, "attribute 'rank'.*'high'"),
        ("Header.{urn:nobody}X", "1", "{urn:nobody}X, which no schema of the WSDL declares"),
        (f"{IN_NOTE}.{{urn:nobody}}X", "1", "no member '{urn:nobody}X'"),
    ],
)  # fmt: skip
def test_a_message_that_does_not_fit_is_not_sent_and_its_member_named(server, where, value, said):
    seen = answering(server, response(REPLY))
    with pytest.raises(BadMessage, match=said) as raised:
        call(endpoint(base(server)), changed(where, value))
    assert (seen, raised.value.sent, raised.value.passing) == ([], False, False)


def test_what_is_no_object_or_no_json_is_not_sent(server):
    seen = answering(server, response(REPLY))
    with Soap(endpoint(base(server))) as adapter:
        for body, said in ((b"{", "not JSON"), (b"[]", "is a list"), (None, "Missing child"), (b"1", "is 1")):
            with pytest.raises(BadMessage, match=said):
                adapter.invoke(Request("CreatedNotes", body=body))
        with pytest.raises(BadMessage, match="no path, query or stream"):
            adapter.invoke(Request("CreatedNotes", {"id": "1"}))
    assert seen == []


def test_unknown_operations_and_headers_of_the_connections_own_are_refused():
    with pytest.raises(Misconfigured, match="IVR has no operation 'nope'") as raised:
        call(endpoint("http://127.0.0.1:9"), operation="nope")
    assert "CreatedNotes, TellNotes" in raised.value.hint
    with pytest.raises(Misconfigured, match="no operation 'SayWord'"):  # rpc
        call(endpoint("http://127.0.0.1:9"), operation="SayWord")
    for name in ("authorization", "SOAPAction", "Content-type"):
        with pytest.raises(Misconfigured, match=name):
            call(endpoint("http://127.0.0.1:9"), headers={name: "x"})


def test_an_operation_without_an_answer_takes_any_success(server):
    seen = answering(server, "", status=202)
    assert call(endpoint(base(server)), operation="TellNotes").body == b""
    assert seen[0][0]["Soapaction"] == '""'


def test_schemas_that_stand_in_the_wsdl_are_understood(server):
    inside = '<a:Answer xmlns:a="urn:test:inside">{}</a:Answer>'
    for version, action in (("1.1", "urn:test:eleven"), ("1.2", "urn:test:twelve")):
        server.clear()
        seen = answering(server, envelope(inside.format(42)))
        found = endpoint(base(server), settings={"wsdl": "test/Inside.wsdl", "soap_version": version})
        assert call(found, {"number": [1, 2]}, "Ask").body == b"42"
        assert action in str(seen[0][0])
        ask = etree.fromstring(seen[0][1])[0][0]
        assert [(child.tag, child.text) for child in ask] == [("number", "1"), ("number", "2")]
        with pytest.raises(BadMessage, match="number"):
            call(found, {"number": [1, 2, 3]}, "Ask")
        server.clear()
        answering(server, envelope(inside.format("forty")))
        with pytest.raises(BadAnswer, match="'forty' is not a valid value"):
            call(found, {"number": 1}, "Ask")


SHOWN = {
    "mark": 3, "global": "g", "left": ["1"], "right": ["2"], "both": {"p": 1, "q": 2},
    "more": {"b": 1, "m": False, "at": 4}, "less": {"b": 1, "m": True}, "Head": {"b": 1}, "either": "true",
    "year": "2024", "anything": "text", "nothing": {}, "tree": {"tree": [{"tree": [{}]}, {}]}, "again": ["x"],
}  # fmt: skip


def shown(server, message, change=lambda text: text):
    """What comes back where the service answers with what it was sent, or that changed."""

    def echo(request):
        return Answer(change(request.get_data().decode()))

    server.clear()
    server.expect_request(PATH).respond_with_handler(echo)
    return json.loads(
        call(endpoint(base(server), settings={"wsdl": "test/Inside.wsdl"}), message, "Show").body
    )


def test_types_of_every_making_are_sent_and_read(server):
    assert shown(server, {**SHOWN, "nil": None, "left": "1"}) == SHOWN


def test_what_stands_in_anothers_place_is_read_as_what_it_is(server):
    def other(text):
        text = re.sub(r"<(n\d+):Head>(.*?)</n\d+:Head>", r"<\1:Instead>\2<m>1</m></\1:Instead>", text)
        text = text.replace("<anything>text", "<anything><any>thing</any>")
        text = text.replace("</again>", "</again><last/><again>y</again>")
        return text.replace(' mark="3"', ' mark="3" xmlns:o="urn:o" o:own="w"')

    found = shown(server, SHOWN | {"nil": 5}, other)
    assert found["{urn:test:shapes}Instead"] == [{"b": 1, "m": True}]
    assert (found["again"], found["last"], found["{urn:o}own"], found["nil"]) == (["x", "y"], "", "w", 5)
    assert "Head" not in found
    assert "thing</any>" in found["anything"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"both": {"p": 1, "q": {"a": 1}}}, "Shown.both.q is an object; it has to be int"),
        ({"less": {"b": 1, "m": False}}, "'false'.*fixed value constraint 'true'"),
        ({"more": {"b": 1, "m": 2}}, "'2' is not a valid value"),
        ({"more": {"b": True, "m": True}}, "Shown.more.b is True; it has to be int"),
        ({"right": ["1", "2", "3"]}, "right.*not expected"),
        ({"anything": [1]}, "Shown.anything is a list; it comes once"),
        ({"nothing": {"a": 1}}, "Shown.nothing has no member 'a'; it has none"),
    ],
)
def test_types_of_every_making_are_checked(server, more, said):
    with pytest.raises(BadMessage, match=said):
        shown(server, SHOWN | more)


# -- what comes back -----------------------------------------------------------------------------------------


def test_an_answer_is_json_with_nothing_lost(server):
    answering(server, response(
        "<m:Reply><c:Result>FAILED</c:Result><c:Error><c:code>1.8</c:code></c:Error>"
        '<c:Error xsi:type="c:LocatedError"><c:code>2.9</c:code><c:line> 7 </c:line></c:Error></m:Reply>'
        '<m:Payload><n:Notes><n:Note draft="1"><n:id kind="mRID" rank="2">a<!-- b -->c</n:id><n:text/>'
        "<n:count>123456789012345678901</n:count><n:amount>12345678901234567.89</n:amount>"
        "<n:weights>1.5 INF 2</n:weights><n:day>2024-05-01+02:00</n:day><n:closed xsi:nil='true'/>"
        "<n:phone>1</n:phone><n:mail>x@y</n:mail><n:phone>2</n:phone><n:token> a  b </n:token>"
        "<n:image>aGk=</n:image></n:Note><n:Note><n:id>2</n:id><n:text> x </n:text><n:count>-3</n:count>"
        "<n:amount>1.50</n:amount><n:closed>2024-05-01T24:00:00Z</n:closed></n:Note></n:Notes></m:Payload>"
    ).replace("</c:Verb>", '</c:Verb><c:AckRequired>1</c:AckRequired><n:Notes/><x xmlns="urn:x">y</x>'))  # fmt: skip
    assert json.loads(call(endpoint(base(server))).body) == {
        "Header": {
            "Verb": "reply",
            "AckRequired": True,
            f"{N}Notes": [{}],
            "{urn:x}x": [_x()],
        },
        "Reply": {"Result": "FAILED", "Error": [{"code": "1.8"}, {"code": "2.9", "line": 7}]},
        "Payload": {"Notes": {"Note": [
            {
                "draft": True, "id": {"kind": "mRID", "rank": 2, "_value_1": "ac"}, "text": "",
                "count": "123456789012345678901", "amount": "12345678901234567.89",
                "weights": [1.5, "INF", 2.0], "day": "2024-05-01+02:00", "phone": ["1", "2"], "mail": ["x@y"],
                "token": "a b", "image": "aGk=",
            },
            {
                "id": {"_value_1": "2"}, "text": " x ", "count": -3, "amount": 1.5,
                "closed": "2024-05-01T24:00:00Z",
            },
        ]}},
    }  # fmt: skip


def _x():
    """An element that no schema describes comes as the XML it is, with the namespaces it stood in."""
    spaces = {"m": "urn:test:notes-message", "c": "urn:test:common", "n": "urn:test:notes#"}
    declared = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in spaces.items())
    return f'<x xmlns="urn:x" {declared} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:s="{V11}">y</x>'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (response("<m:Reply><c:Result>PERHAPS</c:Result></m:Reply>"), "Result.*'PERHAPS'"),
        (response(""), "Missing child element.*Reply"),
        (response("<m:Unknown/>"), "Unknown"),
        (envelope("<other/>"), "with other, where the WSDL has {urn:test:notes-message}NotesResponse"),
        (envelope(""), "with nothing, where the WSDL has"),
        ("", "with nothing, where the WSDL has"),
        ("<html><body>Welcome</body></html>", "no SOAP: it is a html, not an envelope"),
        ("Welcome", "it is not XML"),
        (response(REPLY)[:-20], "it is not XML"),
        (f'<s:Envelope xmlns:s="{V11}"/>', "its envelope has no body"),
        ("<!DOCTYPE x>" + response(REPLY), "it has a DOCTYPE"),
        ('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + response("&e;"), "it has a DOCTYPE"),
        ("<a>" * 300 + "</a>" * 300, "it is not XML"),
    ],
)
def test_an_answer_that_cannot_be_used_is_said_so_and_kept(server, content, said):
    answering(server, content)
    with pytest.raises(BadAnswer, match=said) as raised:
        call(endpoint(base(server)))
    error = raised.value
    assert error.text.startswith(f"CreatedNotes at {base(server)} answered 200 with")
    assert (error.status, error.passing, error.sent) == (200, False, True)
    assert error.body == content.encode()


def test_entities_that_multiply_do_not(server):
    steps = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<!DOCTYPE x [<!ENTITY e0 "lol">{steps}]>' + response("<m:Reply c='&e11;'>&e11;</m:Reply>")
    answering(server, bomb)
    with pytest.raises(BadAnswer, match="no SOAP"):
        call(endpoint(base(server)))


def test_an_answer_that_is_too_large_is_not_taken(server):
    answering(server, response(REPLY) + " " * 5000)
    with pytest.raises(AdapterError, match="more than 1000 bytes") as raised:
        call(endpoint(base(server), settings={"max_response_bytes": 1000}))
    assert raised.value.sent


F11 = (
    "<s:Fault><faultcode>s:{}</faultcode><faultstring>Not  like\nthis</faultstring>"
    "<detail><e:E xmlns:e='urn:e'><e:code>1.8</e:code><e:reason>InvalidMessage</e:reason></e:E></detail></s:Fault>"
)
F12 = (
    "<s:Fault><s:Code><s:Value>s:{}</s:Value><s:Subcode><s:Value>x:y</s:Value></s:Subcode></s:Code>"
    "<s:Reason><s:Text xml:lang='en'>Not like this</s:Text></s:Reason>"
    "<s:Detail><code>1.8</code><reason>InvalidMessage</reason></s:Detail></s:Fault>"
)


@pytest.mark.parametrize(
    ("fault", "space", "code", "status", "passing"),
    [
        (F11, V11, "Client", 500, False),
        (F11, V11, "Client.Authentication", 500, False),
        (F11, V11, "Server", 500, True),
        (F11, V11, "Server", 200, True),
        (F11, V11, "Client", 200, False),
        (F11, V11, "Client", 429, True),
        (F11, V11, "Own", 500, True),
        (F11, V11, "Own", 200, False),
        (F12, V12, "Sender", 400, False),
        (F12, V12, "Receiver", 500, True),
        (F12, V12, "Sender", 200, False),
    ],
)
def test_a_fault_is_a_refusal_in_its_own_words(server, fault, space, code, status, passing):  # noqa: PLR0917  (pytest passes them by name)
    content = envelope(fault.format(code), space)
    answering(server, content, status=status)
    settings = {"soap_version": "1.1" if space == V11 else "1.2"}
    with pytest.raises(Refused) as raised:
        call(endpoint(base(server), settings=settings))
    error = raised.value
    assert error.text == (
        f"CreatedNotes at {base(server)} answered {status} with the fault s:{code}: Not like this"
        " (1.8; InvalidMessage)"
    )
    assert (error.status, error.passing, error.sent, error.body) == (
        status, passing, True, content.encode(),
    )  # fmt: skip


def test_a_fault_that_says_little_is_a_refusal_all_the_same(server):
    answering(server, envelope(f"<s:Fault><detail>{'x' * 5000}</detail></s:Fault>"), status=500)
    with pytest.raises(Refused, match="fault without a code: it does not say why") as raised:
        call(endpoint(base(server)))
    assert len(raised.value.text) < 800


@pytest.mark.parametrize(
    ("status", "passing", "hint"),
    [(401, False, "user, password"), (403, False, "does not allow"), (404, False, "URL"), (503, True, "")],
)
def test_a_refusal_that_is_no_soap_is_as_rests_are(server, status, passing, hint):
    answering(server, "<html>No</html>", status=status, headers={"Retry-After": "7"})
    with pytest.raises(Refused, match=f"answered {status} .*<html>No") as raised:
        call(endpoint(base(server)))
    error = raised.value
    assert (error.status, error.passing, error.retry_after) == (status, passing, 7)
    assert hint in error.hint


def test_redirects_are_not_followed(server):
    answering(server, "", status=307, headers={"Location": "http://elsewhere/x"})
    with pytest.raises(Refused) as raised:
        call(endpoint(base(server)))
    assert "http://elsewhere/x" in raised.value.hint


# -- who calls -----------------------------------------------------------------------------------------------


def test_credentials_are_shown_and_wrong_ones_refused_with_a_hint(server):
    server.expect_request(PATH, headers={"Authorization": "Basic aXZyOnNlY3JldC0x"}).respond_with_data(
        response(REPLY)
    )
    server.expect_request(PATH).respond_with_data(
        envelope(F11.format("Client") + "<!-- secret-2 -->"), status=401
    )
    settings = {"auth": "basic", "user": "ivr"}
    assert call(endpoint(base(server), {"password": "secret-1"}, settings=settings)).status == 200
    with pytest.raises(Refused, match="answered 401 with the fault s:Client") as raised:
        call(endpoint(base(server), {"password": "secret-2"}, settings=settings))
    assert "user, password" in raised.value.hint
    assert b"secret-2" not in raised.value.body


def test_a_token_no_longer_taken_is_renewed_once(server):
    issued, calls = [], []

    def token(request):
        issued.append(f"token-{len(issued) + 1}")
        return Answer(json.dumps({"access_token": issued[-1], "expires_in": 3600}))

    def target(request):
        calls.append(request.headers["Authorization"])
        good = calls[-1] == "Bearer token-2"
        return Answer(response(REPLY) if good else "stale", status=200 if good else 401)

    server.expect_request("/token").respond_with_handler(token)
    server.expect_request(PATH).respond_with_handler(target)
    settings = {"auth": "oauth2", "token_url": f"http://127.0.0.1:{server.port}/token", "client_id": "hub"}
    found = endpoint(base(server), {"client_secret": "client-secret-1"}, settings=settings)
    assert call(found).status == 200
    assert calls == ["Bearer token-1", "Bearer token-2"]


def test_secrets_that_an_unusable_answer_echoes_are_masked(server):
    answering(server, response("<m:Reply><c:Result>very-secret</c:Result></m:Reply>"))
    settings = {"auth": "basic", "user": "ivr"}
    with pytest.raises(BadAnswer) as raised:
        call(endpoint(base(server), {"password": "very-secret"}, settings=settings))
    assert "very-secret" not in f"{raised.value.text}{raised.value.body.decode()}"
    assert "•••" in raised.value.text


# -- when it goes wrong --------------------------------------------------------------------------------------


def test_a_target_that_is_down_was_sent_nothing():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable) as raised:
            call(endpoint(f"http://127.0.0.1:{held.getsockname()[1]}"))
    assert (raised.value.passing, raised.value.sent) == (True, False)


def test_a_target_that_is_silent_is_timed_out_and_may_have_it(server):
    release = threading.Event()

    def wait(request):
        release.wait(5)
        return Answer("")

    server.expect_request(PATH).respond_with_handler(wait)
    with pytest.raises(TimedOut, match="CreatedNotes at") as raised:
        call(endpoint(base(server), read_timeout=0.3))
    release.set()
    assert (raised.value.passing, raised.value.sent) == (True, True)


def test_only_allowed_networks_are_reached(server):
    seen = answering(server, response(REPLY))
    with pytest.raises(AddressRefused, match=r"127\.0\.0\.1"):
        call(endpoint(base(server), allowed_networks=("10.0.0.0/8",)))
    assert seen == []


# -- WSDLs ---------------------------------------------------------------------------------------------------


@pytest.fixture
def own(tmp_path):
    """A folder of WSDLs that can be changed."""
    shutil.copytree(HERE, tmp_path / "the app")
    wsdl_folder("own", tmp_path / "the app" / "services")
    return tmp_path / "the app"


def rewrite(path, old, new):
    path.write_text(path.read_text().replace(old, new))
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1_000_000))


def of_own(server_url="http://127.0.0.1:9", name="own/SendNotes.wsdl"):
    return endpoint(server_url, settings={"wsdl": name})


def test_what_is_shipped_is_found_by_name():
    assert wsdl_names() == ["test/Inside.wsdl", "test/SendNotes.wsdl"]
    assert wsdl_path("test/SendNotes.wsdl") == HERE / "services" / "SendNotes.wsdl"
    wsdl_folder("test", HERE / "services")  # twice is harmless
    for name, folder in (("test", HERE), ("", HERE), ("a/b", HERE)):
        with pytest.raises(ValueError, match="cannot be the name of"):
            wsdl_folder(name, folder)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("test/Nope.wsdl", "not shipped with the hub; there are test/Inside.wsdl, test/SendNotes.wsdl"),
        ("other/SendNotes.wsdl", "not shipped with the hub"),
        ("test", "not shipped with the hub"),
        ("SendNotes.wsdl", "not shipped with the hub"),
        ("", "not shipped with the hub"),
        ("test/../schemas/Notes.xsd", "nor climb"),
        ("test/../../wsdl/services/SendNotes.wsdl", "nor climb"),
        ("../test/SendNotes.wsdl", "nor climb"),
        (str(HERE / "services" / "SendNotes.wsdl"), "nor climb"),
        ("test\\SendNotes.wsdl", "nor climb"),
        ("test/\0", "nor climb"),
    ],
)
def test_other_names_are_refused(name, said):
    with pytest.raises(Misconfigured, match=said) as raised:
        wsdl_path(name)
    if said == "nor climb":
        assert "test/SendNotes.wsdl" in raised.value.hint


def test_a_link_out_of_the_folder_is_not_followed(own, tmp_path):
    shutil.copy(own / "services" / "Inside.wsdl", tmp_path / "Elsewhere.wsdl")
    (own / "services" / "Linked.wsdl").symlink_to(tmp_path / "Elsewhere.wsdl")
    with pytest.raises(Misconfigured, match="not shipped"):
        wsdl_path("own/Linked.wsdl")


def test_nothing_a_wsdl_refers_to_is_fetched(server, own):
    server.expect_request("/NotesMessage.xsd").respond_with_data(
        (HERE / "schemas/NotesMessage.xsd").read_text()
    )
    url = f"http://127.0.0.1:{server.port}/NotesMessage.xsd"
    rewrite(own / "services" / "SendNotes.wsdl", "../schemas/NotesMessage.xsd", url)
    with pytest.raises(Misconfigured, match=f"imports {url}, which is not shipped with the hub"):
        call(of_own(base(server)))
    assert server.log == []


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("services/SendNotes.wsdl", "../schemas/", "../../", "lies outside of"),
        ("services/SendNotes.wsdl", "../schemas/", "file:///etc/", "not shipped with the hub"),
        ("services/SendNotes.wsdl", "../schemas/NotesM", "../schemas/M", "there is no such file"),
        ("schemas/NotesMessage.xsd", "Notes.xsd", "http://x/Notes.xsd", "http://x/Notes.xsd.*not shipped"),
        ("services/SendNotes.wsdl", "<wsdl:definitions", "<wsdl:definitions <", "cannot be read"),
        ("services/SendNotes.wsdl", "<wsdl:definitions", "<!DOCTYPE x><wsdl:definitions", "cannot be read.*DTD"),
        ("services/SendNotes.wsdl", 'type="t:SendNotes_Port"', 'type="t:Nobody"', "cannot be read"),
        ("schemas/Notes.xsd", '<xs:list itemType="xs:double"/>', "<xs:list/>", "cannot be read"),
        ("schemas/Notes.xsd", 'type="xs:date"', 'type="xs:dat"', "cannot be read"),
        ("schemas/Notes.xsd", 'maxOccurs="unbounded"', 'maxOccurs="-1"', "cannot be read"),
    ],
)  # fmt: skip
def test_a_wsdl_that_cannot_be_used_says_why(own, file, old, new, said):
    rewrite(own / file, old, new)
    with pytest.raises(Misconfigured, match=said) as raised:
        call(of_own())
    assert raised.value.text.startswith("WSDL 'own/SendNotes.wsdl' ")
    assert adapter_class("soap").problems(of_own()) == [raised.value.text]


def test_a_wsdl_is_compiled_once_and_again_when_a_file_of_it_changes(server, own, compiled):
    answering(server, response(REPLY))
    for _ in range(3):
        call(of_own(base(server)))
    assert len(compiled) == 1
    rewrite(own / "schemas" / "Common.xsd", 'value="OK"', 'value="FINE"')
    with pytest.raises(BadAnswer, match="FINE"):
        call(of_own(base(server)))
    assert len(compiled) == 2
    (own / "schemas" / "Common.xsd").unlink()
    with pytest.raises(Misconfigured, match="no such file"):
        call(of_own(base(server)))


def test_threads_share_what_is_compiled_and_get_their_own_answers(server, compiled):
    def answer(request):
        sent = etree.fromstring(request.get_data()).findtext(f".//{N}text")
        bad = sent if int(sent) % 3 == 0 else "OK"
        return Answer(response(f"<m:Reply><c:Result>{bad}</c:Result></m:Reply>"))

    server.expect_request(PATH).respond_with_handler(answer)
    found = endpoint(base(server))

    def one(number):
        try:
            return call(found, changed(f"{IN_NOTE}.text", str(number))).status
        except BadAnswer as error:
            return f"'{number}'" in error.text

    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(one, range(60)))
    assert results == [True if number % 3 == 0 else 200 for number in range(60)]
    assert len(compiled) == 1


# -- test, catalog, settings ---------------------------------------------------------------------------------


def test_operations_are_those_of_the_wsdl():
    with Soap(endpoint("http://127.0.0.1:9")) as adapter:
        assert adapter.operations() == {
            "CreatedNotes": "urn:test:send-notes/CreatedNotes",
            "TellNotes": "TellNotes",
        }
        assert adapter.catalog_operations() == {
            "urn:test:send-notes/CreatedNotes": "CreatedNotes",
            "TellNotes": "TellNotes",
        }


@pytest.mark.parametrize("status", [200, 302, 400, 404, 405])
def test_test_names_each_step(server, status):
    server.expect_request(PATH, method="GET").respond_with_data("", status=status)
    settings = {"auth": "basic", "user": "ivr"}
    with Soap(endpoint(base(server), {"password": "p"}, settings=settings)) as adapter:
        steps = adapter.test()
    assert [(step.what, step.ok) for step in steps] == [
        ("Resolve name", True), ("Connect", True), ("Log in", True), ("Read WSDL", True), ("Call", True),
    ]  # fmt: skip
    assert steps[3].detail == "2 operations"
    assert f"answered {status}" in steps[4].detail


@pytest.mark.parametrize("status", [401, 403, 407, 500, 503])
def test_test_stops_where_the_service_is_not_up_or_lets_nobody_in(server, status):
    server.expect_request(PATH, method="GET").respond_with_data("wrong", status=status)
    with Soap(endpoint(base(server))) as adapter:
        last = adapter.test()[-1]
    assert (last.what, last.ok) == ("Call", False)
    assert str(status) in last.detail


def test_test_stops_at_a_wsdl_that_is_not_there(server):
    with Soap(endpoint(base(server), settings={"wsdl": "test/Nope.wsdl"})) as adapter:
        last = adapter.test()[-1]
    assert (last.what, last.ok) == ("Read WSDL", False)
    assert "not shipped" in last.detail


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"url": ""}, "Address is missing"),
        ({"url": "ftp://x"}, "Address is 'ftp://x'; it begins with https"),
        ({"url": "https://user:pw@host"}, "fields of their own"),
        ({"wsdl": ""}, "WSDL is missing"),
        ({"wsdl": "test/Nope.wsdl"}, "WSDL 'test/Nope.wsdl' is not shipped with the hub; there are test/"),
        ({"wsdl": "../x.wsdl"}, "nor climb"),
        ({"soap_version": "2.0"}, "SOAP version is '2.0'"),
        ({"auth": "basic"}, "User is missing"),
        ({"auth": "magic"}, "Authentication is 'magic'"),
        ({"max_response_bytes": "many"}, "not a whole number"),
    ],
)
def test_settings_that_cannot_work_are_named(given, said):
    problems = adapter_class("soap").problems(endpoint("https://host/x", settings=given))
    assert any(said in problem for problem in problems), problems


def test_good_settings_have_no_problems():
    assert adapter_class("soap").problems(endpoint("https://host/services/SendNotes")) == []
