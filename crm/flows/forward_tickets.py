"""OU CRM Trouble Tickets Forwarding."""

from typing import TYPE_CHECKING, Any

from crm.config import FORWARD_TICKETS
from crm.flows.package import GRIDOPS_CRM
from crm.flows.replies import FAILED, PARTIAL, reasons_of, refusal, result_of
from integrations.engine.spec import ASYNCHRONOUS, Local, flow

if TYPE_CHECKING:
    from integrations.engine.context import Run
    from integrations.engine.invoke import Answer

CONNECTION = "ims.connection"
OPERATION = "CreatedTroubleTickets"


@flow(
    FORWARD_TICKETS,
    name="OU CRM Trouble Tickets Forwarding",
    package=GRIDOPS_CRM,
    pattern=ASYNCHRONOUS,
    trigger=Local(resource="forwardTickets"),
    keys={"messageId": "Header.MessageID", "correlationId": "Header.CorrelationID"},
    source="seed 004, table 5.1: trouble ticket is forwarded to IMS",
)
def forward_tickets(run: "Run", message: Any) -> Any:
    """Send new tickets to the outage core system, over the connection that ims.connection names."""
    connection = run.properties.text(CONNECTION, "")
    if not connection:
        run.skip(f"{CONNECTION} is empty: tickets are forwarded no longer")

    def expect_taken(answer: "Answer") -> None:
        if result_of(answer) == FAILED:
            raise refusal(answer, connection)

    answer = run.invoke(connection, OPERATION, message, check=expect_taken)
    if result_of(answer) == PARTIAL:
        run.note(f"{connection} answered {PARTIAL}: {reasons_of(answer)}", warning=True)
    return {"Result": result_of(answer)}
