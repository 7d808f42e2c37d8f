"""What a reply's Result says, for messages that the hub itself sends (seed 004 table 10.21)."""

from typing import Any

import orjson

from integrations.engine.faults import BusinessFault
from integrations.engine.invoke import Answer

OK, PARTIAL, FAILED = "OK", "PARTIAL", "FAILED"


def result_of(answer: Answer) -> str:
    """The Result; "" where there is no Reply, as a REST service may have none."""
    return str(_reply(answer).get("Result") or "")


def reasons_of(answer: Answer) -> str:
    """The Error entries in one line, each with its code, reason and details."""
    told = [
        " ".join(str(one[name]) for name in ("code", "reason", "details") if one.get(name))
        for one in _reply(answer).get("Error") or []
    ]
    return "; ".join(told) or "it does not say why"


def refusal(answer: Answer, connection: str) -> BusinessFault:
    """The fault for a Result that is no OK. After PARTIAL it is not known which of the items were taken."""
    return BusinessFault(
        f"{connection} answered {result_of(answer)}: {reasons_of(answer)}",
        hint="Put right what it says, then resubmit: the same items are sent again.",
        uncertain=result_of(answer) == PARTIAL,
        connection=connection,
        target_status=answer.status,
        target_body=orjson.dumps(answer.data),
    )


def _reply(answer: Answer) -> dict[str, Any]:
    found = answer.data.get("Reply") if isinstance(answer.data, dict) else None
    return found if isinstance(found, dict) else {}
