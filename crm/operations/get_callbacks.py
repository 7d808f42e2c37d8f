"""GetCallbacks: the next callbacks of the queue, for the one who asks alone (seed 004 chapter 7)."""

import re
from typing import Any

from crm.models import Callback
from crm.operations.base import Asked, Done, Operation, Plain
from crm.operations.callback_replies import callbacks_reply
from crm.operations.problems import Stop
from crm.outage.callback_queue import Wanted, assign
from crm.wire.values import text_of, whole_of

_NUMBER = re.compile(r"[+-]?[0-9]+")


class GetCallbacks(Operation):
    """Oldest first within the highest priority; what is given out is assigned to the csrId."""

    name = "GetCallbacks"
    service = "GetCallbacks"
    verb, noun, replies = "get", "Callbacks", "CallBacks"
    asks_in, answers_in = "GetCallbacks", "CallBacks"

    def prepare(self, asked: Asked) -> tuple[str, Wanted]:
        """Who asks for what. Stop."""
        given = asked.request.get("GetCallbacks") or {}
        csr = text_of(given.get("csrId"))
        if not csr:
            raise Stop("CsrIdMissing")
        tickets = given.get("TroubleTickets") or {}
        priority = text_of(tickets.get("priority"))
        if priority and not _NUMBER.fullmatch(priority):
            raise Stop("PriorityNotNumber", priority)
        language = tickets.get("languageId")
        if language is not None and whole_of(language) not in asked.settings.languages:
            raise Stop("InvalidLanguageId")
        return csr, Wanted(_count(given, asked), int(priority) if priority else None, whole_of(language))

    def perform(self, asked: Asked, prepared: Any) -> Done:
        """Assign and give out."""
        csr, wanted = prepared
        rows: list[Callback] = assign(wanted, to=csr, minutes=asked.settings.release_minutes, now=asked.now)
        if not rows:
            asked.problems.add("EntityNotFound")
            return Done(None, wanted.count, 0)
        return Done({"CallBacks": {"CallBack": callbacks_reply(rows)}}, wanted.count, len(rows))


def _count(given: Plain, asked: Asked) -> int:
    """How many are asked for: one where nothing is said or 0 (table 7.1), at most as many as are given out at once."""
    count = whole_of(given.get("count")) or 1
    if count < 0:
        raise Stop("InvalidMessage", f"count is {count}; it has to be 0 or more")
    return min(count, asked.settings.properties.number("callback.pull.limit", 1000))
