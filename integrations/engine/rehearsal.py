"""A flow's body over a stored message without any effect: as far as its first call, to see what stops it now.

Lookups and mappings are the real ones, as they are at this moment; calls that were made before give their recorded
answers. What a body does else ends the rehearsal, and so does any statement that would write to the database.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

from django.db import connection

from integrations.engine import mapper
from integrations.engine.context import Skip
from integrations.engine.faults import fault_of
from integrations.engine.invoke import Answer
from integrations.engine.registry import spec_for
from integrations.engine.runner import message_of
from integrations.engine.spec import FlowSpec
from integrations.engine.steps import State
from integrations.models import Instance, Step
from lookups.properties import Properties
from lookups.resolve import lookup_value

STOPS, FURTHER, UNKNOWN = "stops", "further", "unknown"
_READS = ("SELECT", "SAVEPOINT", "RELEASE")


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """How far it came: STOPS by a fault, FURTHER than any attempt so far, or UNKNOWN; `text` says where."""

    outcome: str
    text: str


class ComesTo(BaseException):
    """The body is about to have an effect. No Exception, so that no flow's own error handling swallows it."""

    def __init__(self, what: str, *, outcome: str = UNKNOWN) -> None:
        """`what`: what it comes to, in words."""
        super().__init__(what)
        self.what = what
        self.outcome = outcome


class Rehearsal:
    """Stands in for a Run; what it does not know ends the rehearsal."""

    def __init__(self, instance: Instance, spec: FlowSpec) -> None:
        """The instance as it would be sent again, from its checkpoint."""
        self.instance = instance
        self.spec = spec
        lists = spec.lists_under(None)
        self.properties = Properties(lists.config)
        self.emails = Properties(lists.emails)
        self.lookup = spec.stands.asking(lookup_value)
        self.parameters = instance.parameters
        self._done = _steps(Step.objects.filter(instance=instance))
        self._tried = {*self._done, *_steps(Step.objects.filter(instance__replay_of=instance))}

    def __getattr__(self, name: str) -> NoReturn:
        raise ComesTo(f"what only a real run can do ({name})")

    def map(self, name: str, source: Any) -> Any:
        """As a run maps, without a line in the activity stream."""
        return self.mapper(name)(source)

    def mapper(self, name: str) -> Callable[[Any], Any]:
        """As a run's."""
        run: Any = self
        return mapper.record_mapper(run, name)

    def invoke(
        self,
        connection: str,
        operation: str,
        body: Any = None,
        *,
        path_values: Mapping[str, str] | None = None,
        key: str = "",
        **_: Any,
    ) -> Answer:
        """The recorded answer; a call that was not made ends the rehearsal."""
        return self._effect(key or f"{operation} at {connection}", f"the call {operation} at {connection}")

    def hand_on(self, identifier: str, message: Any) -> None:
        """Done before, or the end of the rehearsal."""
        self._effect(f"handed on to {identifier}", f"handing its message on to {identifier}")

    def acknowledged(self, work: Callable[[], Any], tell: Callable[[str, Any], object]) -> Any:
        """The work, then the telling; a fault of the work is not told."""
        done = work()
        tell("positive acknowledgement", done)
        return done

    def skip(self, reason: str, answer: Any = None) -> NoReturn:
        """As a run's."""
        raise Skip(reason, answer)

    def expect_taken(self, identifier: str) -> None:
        """What an inactive flow would refuse is found when it is handed on."""

    def note(self, text: str, *, warning: bool = False) -> None:
        """Nothing is written."""

    def key(self, name: str, value: Any) -> None:
        """Nothing is written."""

    def acknowledgement_received(self, sync_request_id: str, *, positive: bool, text: str = "") -> None:
        """Nothing is written."""

    def acknowledgement_delivered(self, sync_request_id: str) -> None:
        """Nothing is written."""

    def sync_request_sent(self, sync_request_id: str, *, entity: str, external_id: str = "") -> None:
        """Nothing is written."""

    def sync_request_expected(self, sync_request_id: str, **_: Any) -> None:
        """Nothing is written."""

    def sync_request_all_sent(self, sync_request_id: str) -> None:
        """Nothing is written."""

    def _effect(self, key: str, what: str) -> Answer:
        step = self._done.get(key)
        if step is not None and step.state == State.DONE:
            result = step.result if isinstance(step.result, dict) else {}
            return Answer(result.get("status", 0), result.get("data"))
        raise ComesTo(what, outcome=UNKNOWN if key in self._tried else FURTHER)


def rehearse(instance: Instance) -> Rehearsed:
    """Run the body over the stored message as far as it goes without an effect; what it raises is told."""
    try:
        spec = spec_for(instance.flow.identifier)
        message = message_of(instance, spec)
        with _reading_only():
            spec.body(Rehearsal(instance, spec), message)
    except ComesTo as end:
        return Rehearsed(end.outcome, end.what)
    except Skip as skip:
        return Rehearsed(FURTHER, f"its end: {skip}")
    except Exception as error:  # noqa: BLE001  (whatever it is would stop the real run too)
        return Rehearsed(STOPS, fault_of(error).text)
    return Rehearsed(FURTHER, "its end")


def _steps(rows: Any) -> dict[str, Step]:
    return {step.key: step for step in rows}


@contextmanager
def _reading_only() -> Iterator[None]:
    """End the rehearsal before a statement that would write."""

    def guard(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if not sql.lstrip("( ").upper().startswith(_READS):
            raise ComesTo("writing to the hub's own tables")
        return execute(sql, *rest)

    with connection.execute_wrapper(guard):
        yield
