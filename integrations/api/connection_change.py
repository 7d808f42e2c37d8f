"""A change to a connection, as OIC's clients write it, put on its row; nothing is saved here."""

from collections.abc import Iterator, Mapping
from typing import Any

from integrations.adapters import adapter_class
from integrations.adapters.contract import Field
from integrations.api.errors import BadRequest
from integrations.models import AgentGroup, Connection

FIELDS: dict[str, Any] = {
    "description": str,
    "agentGroupId": str | None,
    "connectionProperties": list,
    "securityProperties": list,
    "settings": dict,
    "secrets": dict,
}
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")


def change_of(connection: Connection, order: Mapping[str, Any]) -> None:
    """Set what the body says on the row; BadRequest for a property the adapter does not have."""
    if not order:
        raise BadRequest("Nothing is said to change", hint='{"connectionProperties":[…]}')
    if "description" in order:
        connection.description = _short(order["description"])
    if "agentGroupId" in order:
        connection.agent_group = _agent_group(order["agentGroupId"])
    declared = {field.name.lower(): field for field in adapter_class(connection.adapter).fields}
    settings, secrets = dict(connection.settings), dict(connection.secrets)
    for path, name, value in _properties(order):
        field = declared.get(name.lower())
        if field is None:
            known = ", ".join(field.name for field in declared.values())
            raise BadRequest(
                f"A connection by {connection.adapter} has no property {name[:60]!r}",
                hint=f"It has {known}.",
                details=[{"o:errorPath": path}],
            )
        _put(secrets if field.secret else settings, field, value, path)
    connection.settings, connection.secrets = settings, secrets


def _short(text: str) -> str:
    most = Connection._meta.get_field("description").max_length or 0
    if len(text) > most:
        raise BadRequest(f"The description is longer than {most} characters")
    return text


def _agent_group(identifier: str | None) -> AgentGroup | None:
    if not identifier:
        return None
    group = AgentGroup.objects.filter(identifier=identifier).first()
    if group is None:
        raise BadRequest(
            f"There is no agent group {identifier[:60]!r}", details=[{"o:errorPath": "/agentGroupId"}]
        )
    return group


def _properties(order: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """(where in the body, name, value) of each property, in OIC's form or in the hub's."""
    for part in ("settings", "secrets"):
        for name, value in order.get(part, {}).items():
            yield f"/{part}/{name}", name, value
    for part in ("connectionProperties", "securityProperties"):
        for place, item in enumerate(order.get(part, [])):
            path = f"/{part}/{place}"
            if not isinstance(item, dict) or not isinstance(item.get("propertyName"), str):
                raise BadRequest(
                    f"{path} is no property",
                    hint='{"propertyName":"…","propertyValue":"…"}',
                    details=[{"o:errorPath": path}],
                )
            yield path, item["propertyName"], item.get("propertyValue")


def _put(kept: dict[str, Any], field: Field, value: Any, path: str) -> None:
    """Set a property, in the type its adapter declares; None or "" takes it away."""
    if value in (None, ""):
        kept.pop(field.name, None)
        return
    try:
        kept[field.name] = _typed(field, value)
    except (TypeError, ValueError):
        raise BadRequest(
            f"{field.label} is not of its type ({field.kind.__name__})", details=[{"o:errorPath": path}]
        ) from None
    if field.choices and kept[field.name] not in field.choices:
        raise BadRequest(
            f"{field.label} is one of {', '.join(map(str, field.choices))}", details=[{"o:errorPath": path}]
        )


def _typed(field: Field, value: Any) -> Any:
    """OIC writes every value as text; a number or a switch is read from it."""
    if field.kind is bool:
        word = str(value).lower()
        if word not in (*_TRUE, *_FALSE):
            raise ValueError(word)
        return word in _TRUE
    if field.kind in (int, float):
        if isinstance(value, bool):
            raise TypeError(value)
        return field.kind(value)
    if not isinstance(value, field.kind):
        raise TypeError(value)
    return value
