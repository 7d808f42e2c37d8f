"""How a segment of records becomes the body of a call: the flow's mapping over {message, records}.

Many segments are mapped in processes beside this one (mapping/beside.py); few, and those with extensions, here.
Either way a lookup is asked of the thread that has the database: the segments' own threads have none.
"""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import orjson

from integrations.engine.mapper import expression_of, mapping_functions, site_extensions
from integrations.engine.stands import Stands
from integrations.mapping import Expression, MappingProcesses, Segment, apply_extensions, evaluate

if TYPE_CHECKING:
    from integrations.engine.context import Run


@dataclass
class Question:
    """A function of a mapping, called in one thread and to be answered in another."""

    name: str
    arguments: list[Any]
    stands: Stands
    value: Any = None
    raised: BaseException | None = None
    answered: threading.Event = field(default_factory=threading.Event)

    def answer(self) -> None:
        """Call the function here."""
        try:
            self.value = mapping_functions(self.stands)[self.name](*self.arguments)
        except BaseException as error:  # noqa: BLE001  (raised again in the thread that asked)
            self.raised = error
        self.answered.set()


class BodyMaker:
    """Makes bodies in any thread while it is open; `put` takes the questions that come up meanwhile."""

    def __init__(self, run: "Run", name: str, message: Any, *, large: bool) -> None:
        """`name`: of the mapping; `large`: whether there are so many segments that processes are worth their start."""
        self._expression = Expression(expression_of(run, name), name, message, tuple(mapping_functions()))
        self._stands = run.spec.stands
        self._extensions = site_extensions(run.instance.flow_id, name)
        if self._extensions:
            run.note(f"{name} has {len(self._extensions)} extension(s) of this site")
        self._several = large and not self._extensions
        self._processes: MappingProcesses | None = None
        self._open = ExitStack()

    @property
    def at_once(self) -> int:
        """How many are made at once: as many as there are processes; this one makes one at a time."""
        return self._processes.count if self._processes is not None else 1

    def __enter__(self) -> Self:
        if self._several:
            self._processes = self._open.enter_context(MappingProcesses(self._expression))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def body(self, segment: Segment, put: Callable[[Question], None]) -> bytes:
        """The segment's body; MappingError, or what a lookup raised."""

        def ask(name: str, arguments: list[Any]) -> Any:
            question = Question(name, arguments, self._stands)
            put(question)
            question.answered.wait()
            if question.raised is not None:
                raise question.raised
            return question.value

        if self._processes is not None:
            return self._processes.body(segment, ask)
        functions = {name: _asking(name, ask) for name in self._expression.functions}
        if not self._extensions:
            return self._expression.body(segment, functions)
        source = {"message": self._expression.message, "records": segment.records()}
        expression, name = self._expression.text, self._expression.name
        target = evaluate(expression, source, functions=functions, name=name)
        return orjson.dumps(apply_extensions(target, source, self._extensions, functions=functions))


def _asking(name: str, ask: Callable[[str, list[Any]], Any]) -> Callable[..., Any]:
    return lambda *arguments: ask(name, list(arguments))
