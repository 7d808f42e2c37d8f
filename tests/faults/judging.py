"""The end of every case: judged, kept for the report, asserted."""

from tests.faults.hub import FaultHub
from tests.faults.judge import judge
from tests.faults.report import Case


def settle(
    hub: FaultHub,
    case: Case,
    *,
    maybe_twice: bool = False,
    unsettled: int = 0,
) -> None:
    """Every file once and whole, every mail once, nothing running for ever; kept before it is asserted.

    May be called several times for one case: figures add up, and the case passes with its last call. `unsettled`:
    how many files of the ledger are not done, because they were not to arrive.
    """
    case.passed = False
    hub.mails_settled()
    judged = judge(hub, maybe_twice=maybe_twice)
    case.add(judged)
    left = [row for row in hub.ask("transfers") if row["state"] != "done"]
    if len(left) != unsettled:
        judged.said.append(f"The ledger is not settled: {left}")
    if judged.uploads_left:
        judged.said.append(f"{judged.uploads_left} multipart uploads are left at the target")
    case.said += judged.said
    assert judged.said == [], f"{judged.said}\n{hub.state()}"
    case.passed = not case.said
