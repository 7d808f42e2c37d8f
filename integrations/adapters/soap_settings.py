"""What a SOAP connection is set up with, checked when it is saved."""

from integrations.adapters.contract import Endpoint, Field, missing_fields
from integrations.adapters.errors import AdapterError
from integrations.adapters.rest_auth import AUTH_FIELDS, auth_problems
from integrations.adapters.rest_settings import REST_FIELDS, url_problems
from integrations.adapters.soap_wsdl import VERSIONS, wsdl_of
from integrations.adapters.tls import client_context

_AS_REST = ("client_certificate", "client_key", "client_key_password", "max_response_bytes")

SOAP_FIELDS = (
    Field(
        "url",
        "Address",
        required=True,
        help="Where the service is called, e.g. https://host/SendCallBacks; what the WSDL says is not used.",
    ),
    Field(
        "wsdl",
        "WSDL",
        required=True,
        help="The name of one that is shipped with the hub, e.g. crm/SendCallBacks.wsdl.",
    ),
    Field("soap_version", "SOAP version", choices=VERSIONS, default=VERSIONS[0]),
    *AUTH_FIELDS,
    *(field for field in REST_FIELDS if field.name in _AS_REST),
)


def wsdl_name(endpoint: Endpoint) -> str:
    """The connection's WSDL, by its name."""
    return str(endpoint.settings.get("wsdl") or "").strip()


def version_of(endpoint: Endpoint) -> str:
    """The SOAP version the connection calls with: 1.1 or 1.2."""
    return str(endpoint.settings.get("soap_version") or VERSIONS[0])


def settings_problems(endpoint: Endpoint) -> list[str]:
    """What is wrong with these settings, a sentence each."""
    found = missing_fields(SOAP_FIELDS, endpoint) + auth_problems(endpoint)
    for name, label in (("url", "Address"), ("token_url", "Token URL")):
        found += url_problems(label, str(endpoint.settings.get(name) or ""))
    for check in (_wsdl_can_be_read, client_context):
        try:
            check(endpoint)
        except AdapterError as error:
            found.append(error.text)
    return found


def _wsdl_can_be_read(endpoint: Endpoint) -> None:
    if name := wsdl_name(endpoint):
        wsdl_of(name)
