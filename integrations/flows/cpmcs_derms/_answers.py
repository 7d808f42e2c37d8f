"""What both sides answer: DERMS's MsgAck, and its ackType that has to be SUCCESS."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from integrations.engine.faults import BusinessFault, fault_of
from integrations.flows.cpmcs_derms.package import DERMS

if TYPE_CHECKING:
    from integrations.engine.context import Run
    from integrations.engine.invoke import Answer

SUCCESS, ERROR, FAILURE = "SUCCESS", "ERROR", "FAILURE"


def expect_success(answer: "Answer") -> None:
    """BusinessFault where DERMS answered 200 with another ackType than SUCCESS, or none (seed 002, Opt Out step 4)."""
    data = answer.data if isinstance(answer.data, dict) else {}
    if data.get("ackType") == SUCCESS:
        return
    raise BusinessFault(
        f"{DERMS} answered {answer.status} with ackType {data.get('ackType')!r}, where SUCCESS means done"
        f"{reasons(data)}",
        connection=DERMS,
        target_status=answer.status,
    )


def reasons(data: dict[str, Any]) -> str:
    """What a MsgAck says beside its ackType, as the end of a sentence."""
    said = data.get("responses")
    given = said.get("response") if isinstance(said, dict) else None
    one = given if isinstance(given, list) else [given]
    texts = [str(item["value"]) for item in one if isinstance(item, dict) and item.get("value")]
    return f": {'; '.join(texts)[:500]}" if texts else ""


@contextmanager
def answering_failure(run: "Run", mapping: str, source: dict[str, Any]) -> Iterator[None]:
    """A fault in the block is answered to DERMS with a FAILURE made by this mapping; the instance fails with it."""
    try:
        yield
    except Exception as error:
        fault = fault_of(error)
        fault.answer = run.map(
            mapping, {**source, "ackType": FAILURE, "responseCode": FAILURE, "value": fault.text}
        )
        raise fault from error
