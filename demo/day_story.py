"""What the days of all projects have in common: their steps, and what of them is looked for in the end."""

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from demo.acknowledgements import Answered
from demo.effects import Effect, count_of, no_error_mail, tells_of
from demo.mail import MailServer
from demo.neighbour import HttpNeighbour
from demo.shelf import Shelf

Answers = dict[str, Answered]
Message = dict[str, Any]
SUCCESS = "SUCCESS"
SENT_PREFIX = "Sent-"
TAKEN = (200, 202)
_REFUSAL = 300


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `does`, `then`: what is said once `effects` are seen; `after`: the steps that have to be done;
    `mails`: what a process-complete mail of it names, "" where there is none.
    """

    name: str
    does: str
    then: str
    act: Callable[[], Answered]
    effects: Callable[[], list[Effect]]
    after: Sequence[str] = ()
    mails: str = ""


class Story:
    """What is seen of a day as it stands now. `answers`: what the hub has said to each step so far, by its name."""

    def __init__(self, neighbours: Sequence[HttpNeighbour], mail: MailServer) -> None:
        """`neighbours`: whose refusals explain what has not come about."""
        self.answers: Answers = {}
        self._neighbours = neighbours
        self._mail = mail

    def instances(self) -> set[str]:
        """The day's own instances at the hub, none of which may be told of as an error."""
        return {one.instance for one in self.answers.values() if one.instance}

    def refusal(self) -> str:
        """The last call that a neighbour did not answer well, "" where there was none."""
        calls = [
            (
                one["at"],
                f"{neighbour.name} answered {one['status'] or 'nothing'} to {one['method']} {one['path']}",
            )
            for neighbour in self._neighbours
            for one in neighbour.received()
            if not one["status"] or one["status"] >= _REFUSAL
        ]
        return max(calls, default=("", ""))[1]

    def overall(self, steps: Sequence[Step]) -> list[Effect]:
        """What all steps have in common: the hub's answers, and the mails."""
        said_yes = [one for one in steps if is_yes(self.answers.get(one.name))]
        mailed = [one for one in steps if one.mails]
        return [
            count_of("Messages the hub took, and runs it began", len(steps), len(said_yes)),
            *([self._mailed(mailed)] if mailed else []),
            no_error_mail(self._mail, self.instances()),
        ]

    def instance_of(self, step: str) -> str:
        """The instance that the hub began for a step, "" where there is none."""
        answer = self.answers.get(step)
        return answer.instance if answer else ""

    def _mailed(self, steps: Sequence[Step]) -> Effect:
        mails = self._mail.received()
        missing = [
            one.mails
            for one in steps
            if not any(tells_of(mail, self.instance_of(one.name), one.mails) for mail in mails)
        ]
        what = "Process-complete mails naming their event or file"
        return count_of(what, len(steps), len(steps) - len(missing), f"not {', '.join(missing)}")


@dataclass(frozen=True, slots=True)
class Script:
    """A day to be played. `title`: of its table; `way`: who talks to whom, said when it is over."""

    title: str
    way: str
    steps: Sequence[Step]
    story: Story


def is_yes(answer: Answered | None) -> bool:
    """Whether the hub took it, and, where it answers by a MsgAck, that says SUCCESS."""
    if answer is None or answer.status not in TAKEN:
        return False
    return bool(_object(answer).get("ackType", SUCCESS) == SUCCESS)


def said(answer: Answered) -> str:
    """What the hub said, in words: of a fault body its detail, of a MsgAck what it says to each request."""
    if is_yes(answer):
        return f"the hub took it as instance {answer.instance}"
    reasons = "; ".join(dict.fromkeys(str(one.get("value", "")) for one in responses(answer)))
    text = reasons or _object(answer).get("detail") or answer.body
    return f"the hub answered {answer.status or 'nothing'}: {text}"


def responses(answer: Answered | None) -> list[Message]:
    """The responses of a MsgAck, none where it is something else."""
    found = _object(answer).get("responses", {}) if answer else {}
    return list(found.get("response", []))


def _object(answer: Answered) -> Message:
    try:
        body = json.loads(answer.body or "{}")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def put(shelf: Shelf, name: str, content: bytes) -> None:
    """A file on a shelf, whole from the start."""
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / "content"
        made.write_bytes(content)
        shelf.put(name, made)


def arrived(what: str, shelf: Shelf, name: str, content: bytes) -> Effect:
    """That a file is on a shelf with this content."""
    there = _digest_at(shelf, name) == sha256(content).hexdigest()
    return count_of(f"{what}, byte for byte", 1, int(there), f"not {name}")


def renamed(what: str, shelf: Shelf, name: str) -> Effect:
    """That a file on its owner's shelf says by its name that it was sent."""
    names = {item.name for item in shelf.items()}
    done = name not in names and f"{SENT_PREFIX}{name}" in names
    return count_of(f"{what} renamed to {SENT_PREFIX}…", 1, int(done))


def _digest_at(shelf: Shelf, name: str) -> str:
    """The SHA-256 of a file, "" where it is not there."""
    if name not in {item.name for item in shelf.items()}:
        return ""
    with shelf.open(name) as content:
        return sha256(content.read()).hexdigest()
