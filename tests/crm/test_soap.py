"""The SOAP services' addresses: WSDLs and schemas for anybody, operations for those who may call them."""

from urllib.parse import urljoin

import pytest
from lxml import etree

from crm.models import CrmCaller, TroubleTicket
from crm.operations.registry import SERVICES, operations_of
from crm.wire.types import SCHEMAS
from integrations.models import AuditEntry
from lookups.models import Row
from tests.crm.answers import CREATED, RECEIVE, TYPES, created, reply, soap_fault
from tests.crm.conftest import SOAP_11, Crm, envelope, header
from tests.crm.wording import fault_reply

WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
XS = "{http://www.w3.org/2001/XMLSchema}"


# -- the WSDLs -------------------------------------------------------------------------------------------


def wsdl_of(crm: Crm, service: str, query: str = "?wsdl") -> "etree._Element":
    answer = crm.http.get(f"/crm/soap/{service}{query}")
    assert (answer.status_code, answer["Content-Type"]) == (200, TYPES[SOAP_11])
    return etree.fromstring(answer.content)


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_has_a_wsdl_that_anybody_may_read(crm: Crm, service):
    root = wsdl_of(crm, service)
    assert root.tag == f"{WSDL}definitions"
    assert root.get("targetNamespace") == f"http://iec.ch/TC57/2011/{service}"
    names = [one.get("name") for one in root.findall(f"{WSDL}portType/{WSDL}operation")]
    assert names == [one.name for one in operations_of(service)]
    assert len(root.findall(f"{WSDL}binding")) == 2
    addresses = {one.get("location") for one in root.findall(f".//{WSDL}port/*")}
    assert addresses == {f"http://testserver/crm/soap/{service}"}


def resolved(crm: Crm, address: str, seen: dict[str, bytes]) -> None:
    """Fetch a schema and all that it names, without a log-in."""
    if address in seen:
        return
    answer = crm.http.get(address)
    assert (answer.status_code, answer["Content-Type"]) == (200, TYPES[SOAP_11]), address
    seen[address] = answer.content
    for one in etree.fromstring(answer.content).iter(f"{XS}import", f"{XS}include"):
        resolved(crm, urljoin(address, one.get("schemaLocation")), seen)


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("service", SERVICES)
def test_every_schema_that_a_wsdl_names_is_beside_it(crm: Crm, tmp_path, service, slash):
    asked = f"/crm/soap/{service}{slash}"
    seen: dict[str, bytes] = {}
    for one in wsdl_of(crm, service + slash).iter(f"{XS}import"):
        resolved(crm, urljoin(asked, one.get("schemaLocation")), seen)
    assert len(seen) >= 3
    for address, content in seen.items():
        (tmp_path / address.rpartition("/")[2]).write_bytes(content)
    for path in tmp_path.glob("*Message.xsd"):
        etree.XMLSchema(etree.parse(str(path)))


def test_the_schemas_are_those_that_messages_are_checked_by(crm: Crm):
    for path in SCHEMAS.glob("*.xsd"):
        assert crm.http.get(f"/crm/soap/{path.name}").content == path.read_bytes()


@pytest.mark.parametrize(
    "path", ["/crm/soap/Nothing.xsd", "/crm/soap/..%2Ftypes.xsd", "/crm/soap/GetCallbacks/x.xsd"]
)
def test_a_schema_that_is_not_there(crm: Crm, path):
    answer = crm.http.get(path)
    assert (answer.status_code, answer.json()["o:errorCode"]) == (404, "HUB-NOT-FOUND")


@pytest.mark.parametrize("query", ["?wsdl", "?WSDL", "?wsdl=1", "?singleWsdl&wsdl"])
def test_the_wsdl_is_asked_for_in_any_spelling(crm: Crm, query):
    assert wsdl_of(crm, "GetCallbacks", query).get("name") == "GetCallbacks"


def test_a_get_without_wsdl_says_where_it_is(crm: Crm):
    answer = crm.http.get(f"/crm/soap/{RECEIVE}")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert b"?wsdl" in answer.content
    assert crm.http.head(f"/crm/soap/{RECEIVE}?wsdl").status_code == 200


# -- addresses and methods -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "service",
    [
        RECEIVE,
        f"{RECEIVE}Service",
        f"{RECEIVE}/",
        "receivetroubletickets",
        f"{RECEIVE}service/",
    ],
)
def test_a_service_is_found_under_all_its_names(crm: Crm, service):
    answer = crm.soap(service, envelope(CREATED, created()))
    assert reply(CREATED, answer).result == "OK"


@pytest.mark.parametrize(
    "service",
    [
        "ReceiveCallBacksResults",
        "ReceiveCallbacksResults",
        "ReceiveCallBacksResultsService",
        "ReceiveCallbacksResultsService",
    ],
)
def test_callbacks_may_be_spelled_either_way(crm: Crm, service):
    assert wsdl_of(crm, service).get("name") == "ReceiveCallBacksResults"


def test_an_operation_may_be_spelled_either_way_as_well(crm: Crm):
    document = {
        "Header": header("CreatedCallBacksResults"),
        "Payload": {"CallBacksResults": {"CallBackResult": [{}]}},
    }
    content = envelope("CreatedCallBacksResults", document).replace(
        b"CreatedCallBacksResults", b"CreatedCallbacksResults"
    )
    answer = crm.soap("ReceiveCallbacksResultsService", content)
    said = reply("CreatedCallBacksResults", answer)
    assert said.reasons == ["MissingMRIDs", "CallbackResultMissing"]


def test_there_is_no_such_service(crm: Crm):
    answer = crm.soap("SendCallBacks", envelope(CREATED, created()))
    assert soap_fault(answer, 404, "Client") == "There is no such service here"
    assert crm.http.get("/crm/soap/SendCallBacks?wsdl").json()["o:errorCode"] == "HUB-NOT-FOUND"


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
@pytest.mark.parametrize("path", [f"/crm/soap/{RECEIVE}", f"/api/crm/v1/{CREATED}", "/crm/soap/Message.xsd"])
def test_other_methods_are_not_taken(crm: Crm, method, path):
    answer = getattr(crm.http, method)(path, **crm.login)
    assert (answer.status_code, answer["Content-Type"]) == (405, "application/json")
    assert answer.json()["o:errorCode"] == "HUB-METHOD"


# -- who may call ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", TYPES)
@pytest.mark.parametrize(
    "login", [{}, {"HTTP_AUTHORIZATION": "Basic Zm9vOmJhcg=="}, {"HTTP_X_API_KEY": "no"}]
)
def test_without_credentials_or_with_wrong_ones(crm: Crm, login, version):
    content = envelope(CREATED, created(), version=version)
    path = f"/crm/soap/{RECEIVE}"
    answer = crm.http.post(path, content, content_type=TYPES[version], **login)
    code = "Client" if version == SOAP_11 else "Sender"
    assert soap_fault(answer, 401, code, version) == "The credentials are missing or not valid"
    assert answer["WWW-Authenticate"].startswith("Basic realm=")
    assert not TroubleTicket.objects.exists()


def test_a_client_that_is_not_among_the_callers(make_crm):
    crm = make_crm(allowed=False)
    answer = crm.soap(RECEIVE, envelope(CREATED, created()))
    text = (
        "Client CALLCENTER may not call CreatedTroubleTickets. An administrator can add it under CRM callers."
    )
    assert soap_fault(answer, 403, "Client") == text
    assert not TroubleTicket.objects.exists()
    assert AuditEntry.objects.filter(action="call_refused").exists()
    rest = crm.http.post(f"/api/crm/v1/{CREATED}", created(), content_type="application/json", **crm.login)
    assert (rest.status_code, rest.json()["o:errorCode"]) == (403, "HUB-FORBIDDEN")


def test_a_client_may_call_what_it_was_allowed_to(make_crm):
    crm = make_crm(operations=["GetTroubleTickets"])
    assert CrmCaller.objects.get().operations == ["GetTroubleTickets"]
    assert crm.soap_call("GetTroubleTickets", {"Request": {"GetTroubleTickets": {}}}).status == 200
    assert soap_fault(crm.soap(RECEIVE, envelope(CREATED, created())), 403, "Client")


# -- faults that are nobody's mistake outside ------------------------------------------------------------


@pytest.mark.parametrize("version", TYPES)
def test_a_list_that_lacks_a_row_is_named_in_the_fault(crm: Crm, version):
    Row.objects.filter(
        lookup__name="GRIDOPS-CRM_Errors", cells__0="GetTroubleTickets ContextMissing"
    ).delete()
    document = {"Header": header("GetTroubleTickets"), "Request": {"GetTroubleTickets": {}}}
    answer = crm.soap(
        "GetTroubleTickets", envelope("GetTroubleTickets", document, version=version), version=version
    )
    text = soap_fault(answer, 500, "Server" if version == SOAP_11 else "Receiver", version)
    assert text == "Lookup GRIDOPS-CRM_Errors has no row 'GetTroubleTickets ContextMissing'"
    (entry,) = fault_reply("GetTroubleTickets", answer)["Error"]
    assert (entry["code"], entry["reason"], entry["details"]) == ("5.3", "InternalServerError", f"{text}.")
