"""OU DERMS CPMCS Enrollment Request."""

from typing import TYPE_CHECKING, Any

from integrations.engine.faults import ConnectionUnusable, Fault, fault_of
from integrations.engine.intake import validate
from integrations.engine.shapes import MOMENT, NAME, TEXT, each, in_order, shape
from integrations.engine.spec import SYNCHRONOUS, Inbound, flow
from integrations.flows.cpmcs_derms._answers import ERROR, FAILURE
from integrations.flows.cpmcs_derms.package import CPMCS, CPMCS_DERMS, DERMS, ENROL

if TYPE_CHECKING:
    from integrations.engine.context import Run

ASSET = shape({"specification": NAME, "assetType": NAME}, {"nicId": TEXT, "headEndSystem": TEXT})
REQUEST = shape(
    {
        "messageId": NAME,
        "customerInfo": {"type": "object"},
        "programInfo": shape({"programCode": NAME, "startDateTimeISO": MOMENT}, {"endDateTimeISO": MOMENT}),
        "locationInfo": {"type": "object"},
        "assetInfo": shape({"assetList": each(ASSET, least=1)}),
    },
    {"drmsInstanceId": TEXT},
)
Result = dict[str, Any]


def _in_each(path: str) -> tuple[str, ...]:
    """Where a value is: `params` is one request or a list of them."""
    return (f"params.{path}", f"params.*.{path}")


@flow(
    "OUTL-BA-DRMS_DACS_ENROLLRQ",
    name="OU DERMS CPMCS Enrollment Request",
    package=CPMCS_DERMS,
    pattern=SYNCHRONOUS,
    trigger=Inbound(resource="enroll-to-dacs", source=DERMS),
    connections=(CPMCS,),
    operations={CPMCS: (ENROL,)},
    mappings=("enroll_request", "enroll_response"),
    keys={
        "messageId": "params.0.messageId",
        "drmsInstanceId": "params.0.drmsInstanceId",
        "accountId": _in_each("customerInfo.cisAccountId"),
        "servicePointId": _in_each("locationInfo.cisServicePointId"),
        "nicId": _in_each("assetInfo.assetList.*.nicId"),
    },
    message_id="params.0.messageId",
    tables=(
        "OUTL-BRT-DACS_DRMS_EnrollmentStatus",
        "OUTL-BRT-DACS_DRMS_AssetSpec",
        "OUTL-BRT-DACS_DRMS_AssetType",
    ),
    # One request that is not as it should be must not stop the others, so each is looked at by itself in the loop.
    schema=shape(
        {"params": {"anyOf": [each(shape({"messageId": NAME}), least=1), shape({"messageId": NAME})]}}
    ),
    source="seed 002, Enrollment Request",
)
def enrollment_request(run: "Run", message: Any) -> Any:
    """Enrol each customer of the message at CPMCS, one call a request; DERMS gets all answers in order.

    A request that fails stops none of the others. The first technical error is mailed, and the instance fails with it
    although DERMS got its answer: sent again, the message goes on with those requests that did not get through.
    """
    requests = message["params"] if isinstance(message["params"], list) else [message["params"]]
    results: list[Result] = []
    technical: Fault | None = None
    for number, request in enumerate(requests, start=1):
        try:
            results.append(_enrol(run, number, request))
        except Exception as error:  # noqa: BLE001  (whatever keeps one request back is told in its response)
            fault = fault_of(error)
            fault.step = fault.step or f"request {number}"
            results.append(_refused(run, request, fault))
            technical = technical or (None if fault.fault_class == "business" else fault)
            if isinstance(fault, ConnectionUnusable):
                results += [_not_sent(one, fault) for one in requests[number:]]
                break
    answer = run.map("enroll_response", {"results": results})
    if technical is not None:
        technical.answer = answer
        raise technical
    return answer


def _enrol(run: "Run", number: int, request: Any) -> Result:
    """One request; what CPMCS said of it."""
    validate(REQUEST, request)
    in_order(request["programInfo"], [("startDateTimeISO", "endDateTimeISO")], at="/programInfo")
    run.key("messageId", request["messageId"])
    answer = run.invoke(CPMCS, ENROL, run.map("enroll_request", request), key=f"request {number}")
    data = answer.data if isinstance(answer.data, dict) else {}
    run.key("enrollmentId", data.get("enrollmentId"))
    return {
        "messageId": request["messageId"],
        "status": data.get("status"),
        "enrollmentId": data.get("enrollmentId"),
    }


def _refused(run: "Run", request: Any, fault: Fault) -> Result:
    run.note(f"Request {request['messageId']}: {fault.text}", warning=True)
    code = ERROR if fault.fault_class == "business" else FAILURE
    return {"messageId": request["messageId"], "code": code, "text": fault.text}


def _not_sent(request: Any, fault: Fault) -> Result:
    text = f"Not sent, as the request before it could not be: {fault.text}"
    return {"messageId": request["messageId"], "code": FAILURE, "text": text}
