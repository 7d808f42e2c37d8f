"""OU CRM Send Callbacks: the adapter's side of the SendCallBacks service, which the IVR hosts."""

from itertools import count
from typing import TYPE_CHECKING, Any

from crm.config import PACKAGE, config
from crm.flows.package import GRIDOPS_CRM, IVR
from crm.flows.replies import OK, refusal, result_of
from crm.services.callbacks_take import callbacks_message, callbacks_take_again, callbacks_take_for_ivr
from integrations.engine.faults import AnswerUnusable
from integrations.engine.spec import FILE, Scheduled, flow
from integrations.engine.steps import is_done, keep_step

if TYPE_CHECKING:
    from crm.services.callbacks_take import Plain, Taken
    from integrations.engine.context import Run
    from integrations.engine.invoke import Answer

OPERATION = "CreatedCallBacks"


@flow(
    f"{PACKAGE}_SEND_CALLBACKS",
    name="OU CRM Send Callbacks",
    package=GRIDOPS_CRM,
    pattern=FILE,
    trigger=Scheduled(),
    connections=(IVR,),
    operations={IVR: (OPERATION,)},
    properties=("adapter.csr.id", "ivr.batch"),
    recipients=(),
    source="seed 004, chapter 9",
)
def send_callbacks(run: "Run", _: Any) -> Any:
    """Send unassigned callbacks of the configured priorities, and those marked as automatic, to the IVR."""
    if not run.properties.flag("site.active", True):
        run.skip("this site is the standby")
    goes_on = is_done(run, _taking(1))
    sent = 0
    for number in count(1):
        taken = _take(run, number, more=not goes_on)
        if taken is None:
            break
        sent += _send(run, number, taken)
    if not sent:
        run.skip("no callback is to be sent to the IVR")
    return {"callbacks": sent}


def _taking(number: int) -> str:
    """The step that keeps what a message is about."""
    return f"callbacks of message {number}"


def _take(run: "Run", number: int, *, more: bool) -> "Taken | None":
    """The callbacks of this run's message of this number; None where there is no such message.

    `more`: others may be taken. An attempt that goes on sends what the one before had taken, and no others.
    """

    def take() -> "Taken | None":
        taken = callbacks_take_for_ivr() if more else None
        for callback in taken["callbacks"] if taken else ():
            run.key("callback", callback)
        return taken

    found: Taken | None = keep_step(run, _taking(number), take)
    return found


def _send(run: "Run", number: int, taken: "Taken") -> int:
    """Send them as one message, once; how many they are."""
    key = f"{OPERATION} {number}"
    if is_done(run, key):
        return len(taken["callbacks"])
    if run.instance.round > 1:  # a person asked for it: the time they were assigned for may be over
        again = f"{_taking(number)}, round {run.instance.round}"
        keep_step(run, again, lambda: callbacks_take_again(taken=taken))
    message = callbacks_message(taken=taken, run=run.instance.pk)
    sent = len(message["Payload"]["CallBacks"]["CallBack"]) if message else 0
    if gone := len(taken["callbacks"]) - sent:
        run.note(f"{gone} callbacks are closed, with an agent or in the queue again: not sent", warning=True)
    if message:
        _call(run, key, message)
    return sent


def _call(run: "Run", key: str, message: "Plain") -> None:
    try:
        answer = run.invoke(IVR, OPERATION, message, key=key, check=_expect_ok)
    except AnswerUnusable as fault:
        raise _invalid(fault) from fault
    said = answer.data["Header"].get("CorrelationID")
    if said != message["Header"]["CorrelationID"]:
        run.note(f"{IVR} answered with the CorrelationID {said}, which is not this message's", warning=True)


def _expect_ok(answer: "Answer") -> None:
    """Table 10.21: a Result that is PARTIAL or FAILED is an error."""
    if result_of(answer) != OK:
        raise refusal(answer, IVR)


def _invalid(fault: AnswerUnusable) -> AnswerUnusable:
    """The fault in the words of table 9.1: code, level, reason and details of an invalid response message."""
    row = config().error(OPERATION, "InvalidMessage")
    said = f"{row.code} {row.level} {row.reason}: {row.details.replace('{0}', fault.text)}"
    return AnswerUnusable(
        said,
        hint=fault.hint,
        uncertain=fault.uncertain,
        connection=fault.connection,
        target_status=fault.target_status,
        target_body=fault.target_body,
    )
