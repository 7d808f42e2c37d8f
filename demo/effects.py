"""What the main job has to bring about, looked for at the neighbours and nowhere else."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Any

from demo.acknowledgements import OK, Answered
from demo.ccs import Ccs, Extract
from demo.dacs import Dacs
from demo.extracts import BATCHES, digest
from demo.mail import MailServer
from demo.people import is_refused_by_dacs
from demo.shelf import Folder
from demo.sync_requests import ERROR, SYNCHRONISED

Mail = dict[str, Any]
SENT_PREFIX = "SENT-"
MOST_DETAIL = 500
COMPLETE = "process-complete"
MESSAGE_CATEGORY, MESSAGE_NUMBER = 11114, 11001  # seed 001 chapter 6: ccs.error.ack.message.*


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that has to be true at a neighbour. `done` of `total` for what comes bit by bit."""

    what: str
    expected: object
    seen: object
    detail: str = ""
    done: int = 0
    total: int = 0

    @property
    def ok(self) -> bool:
        """Whether it is."""
        return self.expected == self.seen

    @property
    def reason(self) -> str:
        """What was seen instead of what was expected, and why, in one line."""
        why = f": {' '.join(self.detail.split())[:MOST_DETAIL]}" if self.detail else ""
        return f"{self.what}: expected {self.expected}, saw {self.seen}{why}"


@dataclass(frozen=True, slots=True)
class Started:
    """One run of the customer sync flow, for one extract."""

    extract: Extract
    instance: str


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Where effects are looked for."""

    ccs: Ccs
    dacs: Dacs
    source: Folder
    target: Folder
    mail: MailServer


def effects(started: Sequence[Started], places: Neighbourhood) -> list[Effect]:
    """Everything the main job has to bring about, as it stands now."""
    extracts = [one.extract for one in started]
    return [
        _delivered(extracts, places.target),
        _renamed(extracts, places.source),
        _mailed(started, places.mail),
        _read(extracts, places),
        _answered(extracts, places.dacs),
        _acknowledged(extracts, places.ccs, refused=False),
        _acknowledged(extracts, places.ccs, refused=True),
        _no_error_mail(started, places),
    ]


def count_of(what: str, wanted: int, found: int, detail: str = "") -> Effect:
    """An effect that comes one by one."""
    return Effect(what, wanted, found, detail, done=found, total=wanted)


def _delivered(extracts: Sequence[Extract], target: Folder) -> Effect:
    there = {item.name for item in target.items()}
    whole = [one.name for one in extracts if one.name in there and _digest(target, one.name) == one.sha256]
    missing = sorted({one.name for one in extracts} - set(whole))
    return count_of("Files at DACS, byte for byte", len(extracts), len(whole), f"not {', '.join(missing)}")


def _digest(folder: Folder, name: str) -> str:
    with folder.open(name) as content:
        return digest(content)


def _renamed(extracts: Sequence[Extract], source: Folder) -> Effect:
    names = {item.name for item in source.items()}
    kept = sorted(
        one.name for one in extracts if one.name in names or f"{SENT_PREFIX}{one.name}" not in names
    )
    found = len(extracts) - len(kept)
    return count_of(f"Files at CCS renamed to {SENT_PREFIX}…", len(extracts), found, f"not {', '.join(kept)}")


def _mailed(started: Sequence[Started], mail: MailServer) -> Effect:
    told = [
        one.extract.name
        for one in started
        if any(tells_of(entry, one.instance, one.extract.name) for entry in mail.received())
    ]
    missing = sorted({one.extract.name for one in started} - set(told))
    return count_of(
        "Process-complete mails naming their file", len(started), len(told), f"not {', '.join(missing)}"
    )


def tells_of(mail: Mail, instance: str, name: str) -> bool:
    """Whether it says that this instance is done with what has this name."""
    return _about(mail) == (COMPLETE, instance) and name in mail["body"]


def _no_error_mail(started: Sequence[Started], places: Neighbourhood) -> Effect:
    """Of the runs and of their acknowledgements: what an earlier start left may be told of now."""
    wanted = _references([one.extract for one in started])
    own = {one.answer.instance for one in places.dacs.outbox.all() if one.reference in wanted}
    return no_error_mail(places.mail, own | {one.instance for one in started})


def no_error_mail(mail: MailServer, instances: Set[str]) -> Effect:
    """That none of these instances was told of as an error."""
    errors = error_mails(mail, instances)
    return Effect("Error mails", 0, len(errors), errors[0] if errors else "")


def error_mails(mail: MailServer, instances: Set[str]) -> list[str]:
    """The subjects of the mails that tell of these instances as errors."""
    told = ((one["subject"], *_about(one)) for one in mail.received())
    return [subject for subject, kind, instance in told if kind == "error" and instance in instances]


def _about(mail: Mail) -> tuple[str, str]:
    """What kind of mail it is, and of which instance."""
    return _header(mail, "X-Busbar-Kind"), _header(mail, "X-Busbar-Instance")


def _header(mail: Mail, name: str) -> str:
    return next((str(value) for key, value in mail["headers"].items() if key.lower() == name.lower()), "")


def _refused(extract: Extract, ccs: Ccs) -> set[str]:
    """The sync requests that DACS has to refuse, by what CCS knows of its customers."""
    entity = BATCHES[extract.batch].entity
    return {
        one.id
        for one in ccs.sync_requests.find(entity=entity)
        if one.file == extract.name and is_refused_by_dacs(entity, one.customer)
    }


def _read(extracts: Sequence[Extract], places: Neighbourhood) -> Effect:
    wanted = sum(one.records for one in extracts)
    uploads = [one for one in places.dacs.uploads() if one.sha256 in {extract.sha256 for extract in extracts}]
    return count_of("Records read by DACS", wanted, sum(one.accepted + one.rejected for one in uploads))


def _answered(extracts: Sequence[Extract], dacs: Dacs) -> Effect:
    wanted = _references(extracts)
    sent = [one for one in dacs.outbox.all() if one.reference in wanted]
    trouble = next((one.answer for one in sent if one.tries and not one.settled), Answered())
    settled = sum(one.settled for one in sent)
    return count_of(
        f"Acknowledgements the hub answered with {OK}",
        len(wanted),
        settled,
        f"{trouble.status or ''} {trouble.body}".strip(),
    )


def _acknowledged(extracts: Sequence[Extract], ccs: Ccs, *, refused: bool) -> Effect:
    odd = {key for extract in extracts for key in _refused(extract, ccs)}
    wanted = odd if refused else _references(extracts) - odd
    found = [one for one in ccs.sync_requests.find(ERROR if refused else SYNCHRONISED) if one.id in wanted]
    right = [one for one in found if not refused or _says_why(one.exceptions)]
    what = (
        "Negative acknowledgements at CCS, with the reason" if refused else "Positive acknowledgements at CCS"
    )
    return count_of(what, len(wanted), len(right))


def _says_why(exceptions: Iterable[dict[str, Any]]) -> bool:
    """Whether the message of seed 001 chapter 6 came, with DACS's text."""
    return any(
        (one["messageCategory"], one["messageNumber"]) == (MESSAGE_CATEGORY, MESSAGE_NUMBER)
        and "extendable lookup" in one["messageParameters"][0]["messageParameterValue"]
        for one in exceptions
    )


def _references(extracts: Sequence[Extract]) -> set[str]:
    return {reference for one in extracts for reference in one.references}
