"""The crash points of a file's way, and where each can be met."""

import re
from pathlib import Path

from tests.faults.hub import FaultHub, Shape

ROOT = Path(__file__).resolve().parents[2]
SFTP, OS, SSHD = Shape(), Shape(target="os"), Shape(sshd=True)

BEFORE_SUCCESS = (
    "renamed_not_recorded>before_success_recorded"  # the run's own: its files are all renamed by then
)
AFTER_SUCCESS = "renamed_not_recorded>after_success_recorded"
WORDS = {
    "before_claim": "before the claim",
    "after_claim": "after the claim, before any work",
    "ledger_copying": "recorded as being copied, before the first byte",
    "while_copying": "while copying",
    "copied_not_verified": "copied, not recorded as whole",
    "verified_not_renamed_at_target": "verified, not renamed at the target",
    "published_not_recorded": "renamed at the target, not recorded",
    "before_success_recorded": "at the target, the child's success not recorded",
    "after_success_recorded": "the child's success recorded, not renamed at the source",
    "delivered_not_renamed_at_source": "delivered, not renamed at the source",
    "renamed_not_recorded": "renamed at the source, not recorded",
    "between_files": "between the last file and the mail",
    "between_volleys": "between two volleys of a run",
    BEFORE_SUCCESS: "mail queued, success not recorded",
    AFTER_SUCCESS: "success recorded, task not ended",
}
# Points that are met elsewhere than on a file's way, and the test that does.
ELSEWHERE = {
    "after_insert": "test_web",
    "after_intent": "test_web",
    "request_sent_reply_unsaved": "test_web",
    "after_effect": "test_web",
    "committed_not_enqueued": "test_processes",
    "mail_sent_unsaved": "test_mails",
    "segments_intended": "test_segments",
    "segment_sent": "test_segments",
    "segments_sent_not_recorded": "test_segments",
    "posting_begun": "test_segments",
    "posted_not_recorded": "test_segments",
    "record_taken": "test_records",
    "record_sent_not_counted": "test_records",
    "counted_not_renamed": "test_records",
    "renamed_not_noted": "test_records",
}


def known_points() -> set[str]:
    """The points the hub's code passes."""
    found: set[str] = set()
    for path in (ROOT / "integrations").rglob("*.py"):
        found.update(re.findall(r'\bcrash\("(\w+)"\)', path.read_text()))
    return found


def names_in(point: str) -> set[str]:
    """The points a plan speaks of."""
    return set(re.findall(r"[a-z_]+", point))


def small(hub: FaultHub) -> None:
    """Several files that go together."""
    hub.put_many(6)


def large(hub: FaultHub) -> None:
    """One file that is streamed, at an object storage in several parts."""
    hub.put(18_000_000 if hub.shape.target == "os" else 6_000_000)


def several_large(hub: FaultHub) -> None:
    """Three that are streamed, one after the other."""
    hub.put_many(3, 5_000_000)


def volleys(hub: FaultHub) -> None:
    """So many bytes of small files that they go in two volleys."""
    hub.put_many(6, 3_500_000)
