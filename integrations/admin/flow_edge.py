"""What to enter at the edge system so that it calls a flow, in the edge system's own words.

Sources: seed 001 chapter 4 (message sender, external system), seed 003 chapter 3 (the same) and chapter 4 (the table
drms_parameters); the other names of that table are those of the vendor's published list of addresses.
"""

import re
from dataclasses import dataclass

from django.conf import settings

from integrations.engine.spec import FlowSpec
from integrations.models import Flow

TIMEOUT = "300"
DERMS_TABLE = "drms_parameters"
# Flow → the row of drms_parameters that holds its address.
DERMS_ADDRESS = {
    "OUTL-BA-DRMS_OUAI_EVT_OUTC_TRNFR": "OIC_EVENT_OUTCOME_OUAI_URL",
    "OUTL-BA-DRMS_DACS_DEV_STAT_ACK": "OIC_STATUS_ACK_URL",
    "OUTL_BA_DRMS_DACS_EVT_DVCRESV": "OIC_RESERVE_DEVICE_URL",
    "OUTL-BA-DRMS_DACS_ENROLLRQ": "OIC_ENROLL_URL",
    "OUTL-BA-DRMS_DACS_SYNC_ACK": "OIC_ENROLL_ACK_URL",
    "OUTL-BA-DRMS_DACS_EVT_OUTC_TRNFR": "OIC_DEVICE_OUTCOME_DACS_URL",
    "OUTL-BA-DRMS_DACS_STAGE_STAT_UPD": "OIC_STAGE_STATUS_CHANGE_URL",
    "OUTL-BA-DERMS_DACS_SPNWLOC_TRNFR": "OIC_MODEL_EXPORT_URL",
}
STAGE_STATUS = "OUTL-BA-DRMS_DACS_STAGE_STAT_UPD"
_SYSTEM = re.compile(r"^OU \w+ (?P<system>\S.*?) for ")


@dataclass(frozen=True, slots=True)
class Setting:
    """One line to enter. `exact`: to be copied as it is; else it says what to put there."""

    where: str
    name: str
    value: str
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Sheet:
    """All of it for one flow."""

    system: str
    settings: list[Setting]
    addresses: list[str]
    clients: list[str]


def addresses_of(spec: FlowSpec) -> list[str]:
    """Every address the flow answers at, the one to enter first; [] for a flow no URL starts."""
    if spec.trigger.kind != "inbound":
        return []
    base = f"{settings.HUB_URL.rstrip('/')}/ic/api/integration"
    words = ("oracleutilities", "rest") if _message_type(spec) else ("rest", "oracleutilities")
    resources = (spec.trigger.resource, *spec.trigger.also)
    at = [f"{spec.identifier}/1.0/{resource}" for resource in resources]
    found = [f"{base}/v1/flows/{word}/{one}" for word in words for one in at]
    if project := spec.package.project:
        found += [f"{base}/v2/flows/{words[0]}/project/{project}/{one}" for one in at]
    return found


def sheet_of(spec: FlowSpec, flow: Flow) -> Sheet | None:
    """What the flow's page prints; None for a flow no URL starts."""
    addresses = addresses_of(spec)
    if not addresses:
        return None
    clients = list(flow.clients.filter(enabled=True).values_list("client_id", flat=True))
    user = " or ".join(clients) or "the id of a client that may call this flow"
    system = _system(spec)
    if _message_type(spec):
        lines = _message_sender(spec, addresses[0], user, exact=len(clients) == 1)
    elif system == "DERMS":
        lines = _derms(spec, addresses[0], user, exact=len(clients) == 1)
    else:
        lines = _plain(spec, addresses[0], user, exact=len(clients) == 1)
    return Sheet(system, lines, addresses, clients)


def sheet_text(spec: FlowSpec, sheet: Sheet) -> str:
    """The same as plain text, to be printed or sent to whoever sets up the edge system."""
    width = max(len(one.name) for one in sheet.settings)
    lines = [f"{spec.name}", f"{spec.identifier}", f"To enter at: {sheet.system}", ""]
    where = ""
    for one in sheet.settings:
        if one.where != where:
            where = one.where
            lines += ["", where, "-" * len(where)]
        lines.append(f"{one.name:<{width}}  {one.value if one.exact else f'({one.value})'}")
    lines += ["", "The flow also answers at", "------------------------", *sheet.addresses[1:], ""]
    return "\n".join(lines)


def _message_type(spec: FlowSpec) -> str:
    """The outbound message type that the caller sends, where the address names one."""
    return next((one for one in (spec.trigger.resource, *spec.trigger.also) if one.startswith("X1-")), "")


def _system(spec: FlowSpec) -> str:
    """The caller's short name, from the connection that calls: `OU REST CPMCS for …`."""
    if _base(spec) in DERMS_ADDRESS:
        return "DERMS"
    found = _SYSTEM.match(spec.trigger.source)
    return {"DRMS": "DERMS"}.get(found["system"], found["system"]) if found else "the calling system"


def _base(spec: FlowSpec) -> str:
    return spec.clone_of or spec.identifier


def _message_sender(spec: FlowSpec, address: str, user: str, *, exact: bool) -> list[Setting]:
    sender, context, external = "Message Sender", "Message Sender, Context", "External System"
    lines = [
        Setting(sender, "Invocation Type", "Real-time"),
        Setting(sender, "Message Class", "RTJSONSNDR"),
        Setting(sender, "Active", "checked", exact=False),
        Setting(sender, "MSG Encoding", "UTF-8 message encoding"),
        Setting(context, "HTTP Header", "application/json"),
        Setting(context, "HTTP Login User", user, exact=exact),
        Setting(context, "HTTP Login Password", "that client's secret", exact=False),
        Setting(context, "HTTP Method (POST/GET)", "POST"),
        Setting(context, "HTTP Timeout", TIMEOUT),
        Setting(context, "HTTP Transport Method", "SendReceive"),
        Setting(context, "HTTP URL 1", address),
        Setting(external, "Outbound Message Type", _message_type(spec)),
        Setting(external, "Processing Method", "Real-time"),
        Setting(external, "Message Sender", "the message sender above", exact=False),
        Setting(external, "Date/Time Format", "XSD"),
        Setting(external, "JSON Conversion Method", "Base JSON conversion"),
    ]
    if _message_type(spec) == "X1-SYNREQACK":
        lines.append(Setting("Algorithm X1-CRESRACK", "Outbound Message Type", "X1-SYNREQACK"))
    return lines


def _derms(spec: FlowSpec, address: str, user: str, *, exact: bool) -> list[Setting]:
    where = f"Table {DERMS_TABLE}"
    name = DERMS_ADDRESS.get(_base(spec))
    first = (
        Setting(where, name, address)
        if name
        else Setting(where, "the parameter with this message's address", address)
    )
    lines = [
        first,
        Setting(where, "OIC_USER", user, exact=exact),
        Setting(where, "OIC_PASS", "that client's secret", exact=False),
        Setting(where, "MAX_RETRIES", "how often DERMS sends a failed message again", exact=False),
    ]
    if _base(spec) == STAGE_STATUS:
        said = "the stage statuses that are sent at all"
        lines.append(Setting(where, "OIC_NOTIFY_STAGE_STATUSES", said, exact=False))
    return [*lines, *_request(spec)]


def _plain(spec: FlowSpec, address: str, user: str, *, exact: bool) -> list[Setting]:
    where = "HTTP call"
    return [
        Setting(where, "URL", address),
        Setting(where, "User (HTTP Basic)", user, exact=exact),
        Setting(where, "Password", "that client's secret", exact=False),
        *_request(spec),
    ]


def _request(spec: FlowSpec) -> list[Setting]:
    where = "HTTP call"
    many = spec.trigger.multipart
    said = "multipart/form-data: part request (JSON), part file" if many else "application/json"
    return [
        Setting(where, "Method", "POST"),
        Setting(where, "Time-out in seconds", TIMEOUT),
        Setting(where, "Content type", said, exact=not many),
        Setting(where, "Date format", "XSD, e.g. 2024-11-30T14:30:00-05:00", exact=False),
    ]
