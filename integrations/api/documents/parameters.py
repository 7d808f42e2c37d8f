"""What can be asked in an address, in the OpenAPI document."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

PAGING = [
    OpenApiParameter("limit", OpenApiTypes.INT, description="Items a page, 50 by default, 1000 at most."),
    OpenApiParameter("offset", OpenApiTypes.INT, description="Items to pass over, 10,000 at most."),
]
PAGE_PARAMETERS = PAGING
_WINDOW = (
    "timewindow (1h, 6h, 1d, 2d, 3d, RETENTIONPERIOD), startdate and enddate (yyyy-MM-dd HH:mm:ss in UTC)"
)


def _q(names: str) -> OpenApiParameter:
    return OpenApiParameter(
        "q", str, description=f"Criteria, e.g. {{code:'…', status:'FAILED'}}; knows {names}."
    )


def _choice(name: str, choices: list[str], about: str = "") -> OpenApiParameter:
    return OpenApiParameter(name, str, enum=choices, description=about)


def _in_path(name: str, about: str) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.PATH, description=about)


INTEGRATION_ID = _in_path("integration_id", "CODE|VERSION, the | as %7C.")
CONNECTION_ID = _in_path("connection_id", "The connection's name.")
LOOKUP_NAME = _in_path("lookup_name", "Its name, or another spelling of it.")
PACKAGE_NAME = _in_path("package_name", "The package's name.")

RETURN = [_choice("return", ["all", "minimal"], "minimal: without business keys and milestones.")]
RETURN_ANY = [OpenApiParameter("return", str, description="OIC's; let pass, as the answer always tells all.")]
INSTANCE_QUERY = [
    _q(
        f"{_WINDOW}, code, version, projectCode, status (COMPLETED, FAILED, ABORTED, IN_PROGRESS), state, "
        "primaryValue, secondaryValue, tertiaryValue, businessIDValue, jobid, runId, requestId, id, parentInstanceId, "
        "minDuration (milliseconds), includePurged (yes, no, onlyPurged)"
    ),
    *PAGING,
    _choice(
        "orderBy",
        ["creationdate", "lastupdateddate", "executiontime"],
        "The last two sort the newest 10,000 that fit.",
    ),
    _choice("fields", ["all", "id", "runId"]),
    _choice("groupBy", ["integration"], "How many of each flow, among the newest 10,000."),
    *RETURN,
]
STREAM_QUERY = [
    *PAGING,
    _choice("payloads", ["false", "true"], "With the texts of kept payloads, masked, for who may read them."),
]
EXPAND_ERROR = [
    OpenApiParameter("expand", str, description="integration, connection, or both with a comma."),
    *RETURN_ANY,
]
ERROR_QUERY = [
    _q(
        f"{_WINDOW}, status, code, version, projectCode, errorCode, faultClass, family, connection, primaryValue, "
        "secondaryValue, tertiaryValue, businessIDValue, id, instanceId"
    ),
    *PAGING,
    _choice(
        "groupBy",
        ["messages", "integration", "connection"],
        "How many in each group, among the newest 10,000 (by connection 1,000).",
    ),
    *EXPAND_ERROR,
]
JOB_QUERY = [_q(f"{_WINDOW}, status, id"), *PAGING]
AUDIT_QUERY = [_q(f"{_WINDOW}, actor, action, subject; without a window or dates, the last hour"), *PAGING]
MONITORED_QUERY = [
    _q("timewindow (an hour unless it says another), code, name, version, status, projectCode"),
    *PAGING,
    _choice("orderBy", ["name", "errors"]),
    OpenApiParameter("return", str, description="OIC's; let pass."),
]
_EXPAND_CONNECTION = OpenApiParameter(
    "expand", str, description="connection, schedule, or both with a comma."
)
EXPAND_INTEGRATION = [_EXPAND_CONNECTION]
INTEGRATION_QUERY = [
    _q("name ('x', or /x/ for a part of it), code, version, status, projectCode"),
    *PAGING,
    _choice("orderBy", ["name", "time", "code"]),
    _choice("status", ["ACTIVATED", "CONFIGURED"]),
    _EXPAND_CONNECTION,
    OpenApiParameter("return", str, description="OIC's; let pass."),
]
ACTIVATION_QUERY = [
    OpenApiParameter(
        "enableAsyncActivationMode", str, description="OIC's; let pass, as switching takes no time."
    ),
]
_EXPAND_ANY = OpenApiParameter("expand", str, description="OIC's; let pass.")
CONNECTION_QUERY = [
    _q("name ('x', or /x/ for a part of it), role, adapterType"),
    *PAGING,
    _choice("orderBy", ["name", "time"]),
    _EXPAND_ANY,
]
LOOKUP_QUERY = [
    _q("name ('x', or /x/ for a part of it), package"),
    *PAGING,
    _choice("orderBy", ["name", "time"]),
    _EXPAND_ANY,
]
PACKAGE_QUERY = [
    _q("name ('x', or /x/ for a part of it)"),
    *PAGING,
    OpenApiParameter("orderBy", str, description="OIC's; let pass, packages come by name."),
    _EXPAND_ANY,
]
IMPORT_QUERY = [_choice("preview", ["false", "true"], "Only say what would change.")]
