"""The ways to log in, in the OpenAPI document. Importing this module registers them."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

_BASIC = {"type": "http", "scheme": "basic", "description": "Client id and secret."}
_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "description": "An access token of /o/token/ (client credentials).",
}
_API_KEY = {"type": "apiKey", "in": "header", "name": "X-API-Key"}


class CallerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its metaclass has no types
    """What flows take."""

    target_class = "integrations.api.auth.CallerAuthentication"
    name = ["basic", "bearer", "apiKey"]

    def get_security_definition(self, auto_schema: Any) -> Any:
        """One for each name."""
        return [_BASIC, _BEARER, _API_KEY]


class MonitoringScheme(CallerScheme):  # type: ignore[no-untyped-call]  # as above
    """What the monitoring API takes: the same, people's names and passwords, and the console's session."""

    target_class = "integrations.api.auth.MonitoringAuthentication"
    name = ["basicOrPerson", "monitoringBearer", "monitoringApiKey", "session"]

    def get_security_definition(self, auto_schema: Any) -> Any:
        """One for each name."""
        people = {**_BASIC, "description": "A person's name and password, or a client's id and secret."}
        return [people, _BEARER, _API_KEY, {"type": "apiKey", "in": "cookie", "name": "sessionid"}]
