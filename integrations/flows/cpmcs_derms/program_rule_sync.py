"""OU CPMCS DERMS Program Rule Sync."""

from typing import TYPE_CHECKING, Any

from integrations.engine.shapes import MOMENT, NAME, TEXT, details, each, in_order, shape
from integrations.engine.spec import SYNCHRONOUS, Inbound, flow
from integrations.flows.cpmcs_derms._routing import derms_for
from integrations.flows.cpmcs_derms._sync_ack import await_acknowledgement
from integrations.flows.cpmcs_derms.package import CPMCS, CPMCS_DERMS, DERMS, DONE, PROGRAM_RULE_ACK, ROUTING

if TYPE_CHECKING:
    from integrations.engine.context import Run

RULE = shape(
    {"ruleId": NAME, "cycleFrequency": NAME, "allowEventDays": NAME}, {"weekDays": each(NAME, most=7)}
)


@flow(
    "OUTL-BA-DACS_DERMS_PROGRULE_SYNC",
    name="OU CPMCS DERMS Program Rule Sync",
    package=CPMCS_DERMS,
    pattern=SYNCHRONOUS,
    trigger=Inbound(resource="X1-GEDPGRMSG", source=CPMCS),
    connections=(DERMS,),
    operations={DERMS: ("updateProgram",)},
    calls=(PROGRAM_RULE_ACK,),
    mappings=("program_rule",),
    keys={"syncRequestId": "sendDetails.syncRequestId", "programId": "sendDetails.program.programId"},
    message_id="sendDetails.syncRequestId",
    tables=(
        ROUTING,
        "OUTL-BRT-DACS_DRMS_CycleFrequency",
        "OUTL-BRT-DACS_DRMS_WeekDay",
        "OUTL-BRT-DACS_DRMS_AllowEventDays",
    ),
    schema=details(
        {
            "syncRequestId": NAME,
            "program": shape(
                {"programId": NAME, "programCode": NAME}, {"startDateTime": MOMENT, "endDateTime": MOMENT}
            ),
            "rules": each(RULE),
        },
        {"division": TEXT},
    ),
    source="seed 002, Program Rule Sync",
)
def program_rule_sync(run: "Run", message: Any) -> Any:
    """Tell DERMS of a program and its rules; once DERMS has taken them, CPMCS's sync request is acknowledged."""
    sent = message["sendDetails"]
    in_order(sent["program"], [("startDateTime", "endDateTime")], at="/sendDetails/program")
    run.expect_taken(PROGRAM_RULE_ACK)
    derms = derms_for(run, division=sent.get("division"))
    answer = run.invoke(derms, "updateProgram", run.map("program_rule", message), expect=DONE)
    await_acknowledgement(
        run,
        sent["syncRequestId"],
        answer.data,
        PROGRAM_RULE_ACK,
        entity="Program",
        named=sent["program"]["programId"],
    )
    return {"externalId": sent["syncRequestId"]}
