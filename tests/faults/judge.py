"""The judge: what a hub did to the files and mails, looked at from outside, and what it tells of itself."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.faults.hub import FaultHub

SENT = "SENT-"
MOVED = ("moved", "not copied again", "was delivered before the interruption")
RENAMED = ("renamed", "its rename is recorded now")


@dataclass
class Judged:
    """What the files and mails of one case look like in the end; 0 everywhere, and nothing said, is right."""

    files: int = 0
    lost: int = 0
    doubled: int = 0
    damaged: int = 0
    mails_doubled: int = 0
    uploads_left: int = 0
    said: list[str] = field(default_factory=list)


def judge(hub: FaultHub, *, maybe_twice: bool = False) -> Judged:
    """Every file exactly once, whole, under its final name, renamed at the source, and told of; each mail once."""
    found = Judged(files=len(hub.files))
    there, published = hub.target.contents(), hub.watch.published
    for name, expected in hub.files.items():
        _judge_file(found, name, expected, there.pop(name, None), published[name])
    for name in there:
        found.damaged += 1
        found.said.append(f"{name} is at the target and should not be")
    at_source = sorted(hub.source.contents())
    if at_source != sorted(f"{SENT}{name}" for name in hub.files):
        found.said.append(f"The source has {at_source}")
    for said in hub.watch.stop():
        found.damaged += 1
        found.said.append(said)
    found.uploads_left = len(hub.target.uploads())
    _judge_mails(found, hub, maybe_twice=maybe_twice)
    _judge_stories(found, hub)
    return found


def _judge_file(
    found: Judged, name: str, expected: tuple[int, str], there: tuple[int, str] | None, published: int
) -> None:
    if there is None:
        found.lost += 1
        found.said.append(f"{name} is not at the target")
        return
    if there != expected:
        found.damaged += 1
        found.said.append(f"{name} is damaged: {there[0]} bytes of {expected[0]}")
    if published != 1:
        found.doubled += 1
        found.said.append(f"{name} was given its final name {published} times")


def _judge_mails(found: Judged, hub: FaultHub, *, maybe_twice: bool) -> None:
    received = Counter(mail["headers"]["Message-ID"] for mail in hub.mail.received())
    rows = hub.ask("mails")
    for row in rows:
        times = received.pop(row["message_id"], 0)
        found.mails_doubled += times > 1
        allowed = (1, 2) if maybe_twice and row["maybe_twice"] else (1,)
        if times not in allowed:
            found.said.append(f"The {row['kind']} mail came {times} times (maybe_twice={row['maybe_twice']})")
    found.said.extend(f"A mail nobody queued: {left}" for left in received)
    runs = [row for row in hub.ask("instances") if not row["child"] and row["status"] == "succeeded"]
    told = Counter(row["instance_id"] for row in rows if row["kind"] in ("process-complete", "no-file"))
    for run in (row["id"] for row in runs if row["files"]):
        if told[run] != 1:
            found.said.append(f"The run {run} has {told[run]} mails of its end")


def _judge_stories(found: Judged, hub: FaultHub) -> None:
    """For each file the streams tell that it was moved and that it was renamed; for each run, that it ended."""
    lines = hub.ask("stories")
    for name in hub.files:
        of_it = [line for line in lines if name in line["text"] and line["level"] != "error"]
        for what, words in (("moved", MOVED), ("renamed", RENAMED)):
            if not any(_tells(line, words) for line in of_it):
                found.said.append(f"No line of the activity stream tells that {name} was {what}")
    ends = Counter(line["instance_id"] for line in lines if line["kind"] == "ended")
    for row in hub.ask("instances"):
        if not row["child"] and row["status"] == "succeeded" and ends[row["id"]] != 1:
            found.said.append(f"The run {row['id']} tells {ends[row['id']]} times that it ended")


def _tells(line: dict[str, Any], words: tuple[str, ...]) -> bool:
    return line["kind"] == words[0] or any(word in line["text"] for word in words[1:])
