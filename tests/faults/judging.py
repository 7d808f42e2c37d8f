"""The end of every case: judged, kept for the report, asserted."""

from tests.faults.hub import FaultHub
from tests.faults.report import Case


def settle(hub: FaultHub, case: Case, *, maybe_twice: bool = False, unsettled: int = 0) -> None:
    """Every file once and whole, every mail once, nothing running for ever; kept before it is asserted."""
    hub.mails_settled()
    judged = hub.judge(maybe_twice=maybe_twice)
    case.files, case.lost, case.doubled = judged.files, judged.lost, judged.doubled
    case.damaged, case.mails_doubled, case.said = judged.damaged, judged.mails_doubled, judged.said
    assert judged.said == []
    left = [row for row in hub.ask("transfers") if row["state"] != "done"]
    assert len(left) == unsettled, left
    case.passed = True
