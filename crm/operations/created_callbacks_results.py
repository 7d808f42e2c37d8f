"""CreatedCallBacksResults: what came of callbacks (seed 004 chapter 8)."""

from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from crm.models import Callback
from crm.operations.base import Asked, Done, Operation, Plain
from crm.operations.ticket_replies import FAILED, UPDATED, status
from crm.outage.callback_results import record_result
from crm.outage.incident_ends import close_finished
from crm.wire.values import moment_of, text_of, uuid_or_none

AT_ONCE = 1000


@dataclass
class Result:
    """One result of the message. `key`: the same for all spellings of an mRID, the mRID itself where it is none."""

    given: Plain
    mrid: str
    key: UUID | str
    label: str
    value: str = ""
    fatal: bool = False


class CreatedCallBacksResults(Operation):
    """Taken from the CSR a callback is assigned to, or from any where the adapter holds it."""

    name = "CreatedCallBacksResults"
    service = "ReceiveCallBacksResults"
    verb, noun, replies = "created", "CallBacksResults", "CallbacksResults"
    asks_in = answers_in = "CallBacksResults"
    item_path = ("CallBacksResults", "CallBackResult")

    def prepare(self, asked: Asked) -> list[Result]:
        """The results, each checked as far as no callback is needed for it."""
        results = [_result(one, place) for place, one in enumerate(self.items(asked.payload), 1)]
        counted = Counter(result.key for result in results)
        for result in results:
            _check(result, counted, asked)
            if result.given.get("dateTime"):
                moment_of(result.given["dateTime"])
        return results

    def perform(self, asked: Asked, prepared: Any) -> Done:
        """Record them; an incident whose last callback is closed is closed."""
        results: list[Result] = prepared
        rows = _callbacks(results)
        changed: list[Callback] = []
        for result in results:
            row = rows.get(result.key)
            _check_callback(result, row, asked)
            if row is not None and not result.fatal:
                _record(row, result, asked)
                changed.append(row)
        Callback.objects.bulk_update(
            changed,
            ["state", "result", "result_at", "comment", "release_at", "last_update_user", "closed_at"],
            batch_size=500,
        )
        close_finished({row.incident_id for row in changed}, settings=asked.settings, now=asked.now)
        replies = [_reply(result) for result in results]
        payload = {"CallBacksResults": {"CallBackResult": replies}}
        return Done(payload, len(results), len(changed))


def _result(given: Plain, place: int) -> Result:
    mrid = text_of(given.get("mRID"))
    return Result(given, mrid, uuid_or_none(mrid) or mrid, mrid or str(place))


def _check(result: Result, counted: Counter[UUID | str], asked: Asked) -> None:
    problems = asked.problems
    if not result.mrid:
        result.fatal = True
        problems.add("MissingMRIDs", named=result.label)
    elif counted[result.key] > 1:
        result.fatal = True
        problems.add("DuplicateMRIDs", value=result.mrid)
    said = text_of((result.given.get("status") or {}).get("value"))
    if not said:
        result.fatal = True
        problems.add("CallbackResultMissing", named=result.label)
        return
    found = asked.settings.results.find(said)
    if found is None:
        result.fatal = True
        problems.add("InvalidCallBackResult", value=said, named=result.label)
    else:
        result.value = found


def _callbacks(results: list[Result]) -> dict[UUID | str, Callback]:
    """Those there are by their keys, held until the message is done; always in one order, or two would wait."""
    keys = sorted({result.key for result in results if isinstance(result.key, UUID)})
    found: dict[UUID | str, Callback] = {}
    for start in range(0, len(keys), AT_ONCE):
        rows = Callback.objects.filter(
            pk__in=keys[start : start + AT_ONCE], incident__archived_at__isnull=True
        )
        found |= {row.pk: row for row in rows.select_for_update(of=("self",)).order_by("pk")}
    return found


def _check_callback(result: Result, row: Callback | None, asked: Asked) -> None:
    if not result.mrid:
        return
    if row is None:
        result.fatal = True
        asked.problems.add("EntityNotFound", value=result.mrid)
        return
    csr = text_of(result.given.get("csrId"))
    holder = row.assigned_to
    if row.state == Callback.State.QUEUED or not holder or holder not in (csr, asked.settings.adapter_csr):
        result.fatal = True
        asked.problems.add("DifferentCsrId", value=csr or "(none)", named=result.label)


def _record(row: Callback, result: Result, asked: Asked) -> None:
    given = result.given
    fits = record_result(
        row,
        result=result.value,
        csr=text_of(given.get("csrId")),
        comment=text_of(given.get("comment")),
        settings=asked.settings,
        now=asked.now,
        at=moment_of(given["dateTime"]) if given.get("dateTime") else None,
    )
    if not fits:
        asked.problems.add("CommentExceedsLimit", named=str(row.pk))


def _reply(result: Result) -> Plain:
    return {"mRID": result.mrid or None, "status": status(FAILED if result.fatal else UPDATED)}
