"""What was found wrong in a message, gathered to one Error entry a reason (seed 004 tables 5.1 to 8.1)."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from crm.config import Config, ErrorDefinition

OK, PARTIAL, FAILED, EITHER = "OK", "PARTIAL", "FAILED", "PARTIAL/FAILED"
Plain = dict[str, str]
# Reasons whose {0} are the tickets or callbacks themselves; elsewhere {0} is the wrong value and {1} the tickets.
_NAME_FIRST = frozenset(
    {
        "CommentExceedsLimit",
        "CallbackPeriodEndDateTimeInPast",
        "CallbackPeriodMissing",
        "UpdateDataMissing",
        "CallbackResultMissing",
    }
)


class Stop(Exception):
    """Ends an operation: the whole message is refused for this reason."""

    def __init__(self, reason: str, value: str = "", case: str = "") -> None:
        """`case`: which of several rows of the reason is meant."""
        super().__init__(reason)
        self.reason, self.value, self.case = reason, value, case


@dataclass(slots=True)
class Found:
    """One reason with all it was found with."""

    values: dict[str, None] = field(default_factory=dict)
    named: dict[str, None] = field(default_factory=dict)


class Problems:
    """All that one message has met."""

    def __init__(self, operation: str, settings: Config) -> None:
        """Nothing yet."""
        self._operation, self._settings = operation, settings
        self._found: dict[tuple[str, str], Found] = {}

    def add(self, reason: str, *, value: str = "", named: str = "", case: str = "") -> None:
        """Note a reason, with the value that is wrong and the ticket or callback it is wrong with."""
        found = self._found.get((reason, case))
        if found is None:
            found = self._found[reason, case] = Found()
        if value:
            found.values[value] = None
        if named:
            found.named[named] = None

    @property
    def reasons(self) -> list[str]:
        """What was found, in the order it was."""
        return list(dict.fromkeys(reason for reason, _ in self._found))

    def entries(self) -> list[Plain]:
        """The Error elements."""
        return [
            {
                "code": row.code,
                "level": row.level,
                "reason": row.reason,
                "details": _details(row, reason, found),
            }
            for (reason, _), row, found in self._rows()
        ]

    def result(self, *, done: int) -> str:
        """The message's Result; `done`: how many tickets or callbacks were seen to."""
        results = {row.result for _, row, _ in self._rows()}
        if FAILED in results:
            return FAILED
        if results - {OK, PARTIAL}:  # PARTIAL/FAILED, or a word that nobody knows: rather too careful
            return PARTIAL if done else FAILED
        return PARTIAL if PARTIAL in results else OK

    def _rows(self) -> Iterable[tuple[tuple[str, str], ErrorDefinition, Found]]:
        for (reason, case), found in self._found.items():
            yield (reason, case), self._settings.error(self._operation, reason, case), found


def _details(row: ErrorDefinition, reason: str, found: Found) -> str:
    values, named = ", ".join(found.values), ", ".join(found.named)
    first = named if reason in _NAME_FIRST else values or named
    # Not str.format: what a business admin writes, and what a caller sent, may hold braces.
    left, marker, right = row.details.partition("{0}")
    if marker:
        return f"{left.replace('{1}', named)}{first}{right.replace('{1}', named)}"
    return row.details.replace("{1}", named)
