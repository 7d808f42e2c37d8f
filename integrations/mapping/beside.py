"""Processes that map segments of records beside the hub's own: an evaluation holds the interpreter's lock, so that only
another process makes several at once (measured: two threads map as much as one).

They run what ships with the code, never what a site wrote, and last as long as one run. A segment goes in as its lines
(or rows) with the header, the body's JSON text comes out; lookups are asked for once and remembered.
"""

import gc
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from integrations.mapping import frames
from integrations.mapping.errors import MappingError
from integrations.mapping.jsonata import Functions, evaluate_to_text

MOST = 4
WAIT_SECONDS = 120.0
_ROOT = Path(__file__).resolve().parents[2]
_START = "import sys; sys.path.insert(0, sys.argv[1]); from integrations.mapping.beside import main; main()"
_ASK, _TEXT, _ERROR, _FAILED = b"?", b"=", b"!", b"x"

Ask = Callable[[str, list[Any]], Any]


@dataclass(frozen=True, slots=True)
class Segment:
    """Records as they were read: lines without a quote, or rows of fields."""

    header: Sequence[str]
    lines: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()

    def __len__(self) -> int:
        return len(self.lines) or len(self.rows)

    def records(self) -> list[dict[str, str]]:
        """Each as a dict by the header's names."""
        rows = [line.split(",") for line in self.lines] if self.lines else self.rows
        return [dict(zip(self.header, row, strict=False)) for row in rows]


@dataclass(frozen=True, slots=True)
class Expression:
    """A base mapping over {message, records}. `functions`: names it may call; what they answer is asked of the hub."""

    text: str
    name: str
    message: Any
    functions: tuple[str, ...]

    def body(self, segment: Segment, functions: Functions) -> bytes:
        """The segment's body, made here; MappingError, or what a function raises."""
        source = {"message": self.message, "records": segment.records()}
        return evaluate_to_text(self.text, source, functions=functions, name=self.name).encode()


class MappingProcesses:
    """So many processes for one run; safe from several threads."""

    def __init__(self, expression: Expression, count: int = 0) -> None:
        """`count`: 0 for as many as there are processors, up to MOST."""
        self._expression = expression
        self._answers: dict[str, Any] = {}
        wanted = count or min(MOST, os.cpu_count() or 1)
        self._all = [_Process(expression) for _ in range(wanted)]
        self._idle: queue.SimpleQueue[_Process] = queue.SimpleQueue()
        self._lock = threading.Lock()
        for one in self._all:
            self._idle.put(one)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._all)

    def body(self, segment: Segment, ask: Ask) -> bytes:
        """The segment's body. `ask` answers a function's call; what it raises comes out here, as does MappingError.

        A process that died is replaced by this one's own evaluation.
        """
        process = self._idle.get()
        try:
            if process.alive:
                return process.body(segment, self._remembered(ask))
        except (frames.PipeClosed, frames.TooSlow, frames.TooLong):
            process.close()  # what it may still answer belongs to no other segment
        finally:
            self._idle.put(process)
        own = {name: self._own(name, ask) for name in self._expression.functions}
        return self._expression.body(segment, own)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in self._all:
            one.close()

    def _own(self, name: str, ask: Ask) -> Callable[..., Any]:
        return lambda *arguments: self._remembered(ask)(name, list(arguments))

    def _remembered(self, ask: Ask) -> Ask:
        def answer(name: str, arguments: list[Any]) -> Any:
            key = orjson.dumps([name, arguments]).decode()
            with self._lock:
                if key in self._answers:
                    return self._answers[key]
            found = ask(name, arguments)
            with self._lock:
                self._answers[key] = found
            return found

        return answer


class _Process:
    """One process and its two pipes."""

    def __init__(self, expression: Expression) -> None:
        self._process = subprocess.Popen(  # noqa: S603  (our own interpreter and module)
            [sys.executable, "-I", "-c", _START, str(_ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"LC_ALL": "C.UTF-8"},
            bufsize=0,
        )
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: S101, PT018  (asked for)
        self._to, self._back = self._process.stdin.fileno(), self._process.stdout.fileno()
        self.alive = True
        os.set_blocking(self._to, False)
        os.set_blocking(self._back, False)
        self._first = orjson.dumps(
            [expression.text, expression.name, expression.message, expression.functions]
        )

    def body(self, segment: Segment, answer: Ask) -> bytes:
        deadline = time.monotonic() + WAIT_SECONDS
        if self._first:
            frames.send(self._to, self._first, deadline=deadline)
            self._first = b""
        lines = "\n".join(segment.lines)
        frames.send(self._to, orjson.dumps([segment.header, lines, segment.rows]), deadline=deadline)
        while True:
            said = frames.receive_bytes(self._back, most=frames.MOST, deadline=deadline)
            kind, rest = said[:1], said[1:]
            if kind == _TEXT:
                return rest
            if kind == _ERROR:
                text, place = orjson.loads(rest)
                raise MappingError(text, place=place)
            self._answer(*orjson.loads(rest), answer=answer, deadline=deadline)

    def _answer(self, name: str, arguments: list[Any], *, answer: Ask, deadline: float) -> None:
        try:
            found = answer(name, arguments)
        except BaseException:
            frames.send(self._to, _FAILED, deadline=deadline)
            frames.receive_bytes(self._back, most=frames.MOST, deadline=deadline)  # that it has stopped
            raise
        frames.send(self._to, _TEXT + orjson.dumps(found), deadline=deadline)

    def close(self) -> None:
        """End it; nothing it could be at is of use any more. Harmless twice."""
        self.alive = False
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


# -- in the process -----------------------------------------------------------------------------------------------


class AskFailedError(Exception):
    """The hub could not answer; it keeps the reason."""


def main() -> None:
    """Map segments until the hub closes the pipe."""
    gc.freeze()  # a segment's thousands of small objects would have all of the modules' looked at again and again
    gc.set_threshold(100_000, 50, 100)
    try:
        text, name, message, functions = orjson.loads(_receive())
        expression = Expression(text, name, message, tuple(functions))
        answers: dict[str, Any] = {}
        asking = {function: _asking(function, answers) for function in functions}
        while True:
            frames.send(1, _made(expression, asking))
    except frames.PipeClosed:
        return


def _made(expression: Expression, functions: Functions) -> bytes:
    header, lines, rows = orjson.loads(_receive())
    try:
        segment = Segment(header, lines.split("\n") if lines else (), rows)
        return _TEXT + expression.body(segment, functions)
    except AskFailedError:
        return _FAILED
    except MappingError as error:
        return _ERROR + orjson.dumps([str(error), error.place])


def _asking(name: str, answers: dict[str, Any]) -> Callable[..., Any]:
    def ask(*arguments: Any) -> Any:
        key = orjson.dumps([name, arguments]).decode()
        if key not in answers:
            frames.send(1, _ASK + orjson.dumps([name, arguments]))
            said = _receive()
            if said == _FAILED:
                raise AskFailedError
            answers[key] = orjson.loads(said[1:])
        return answers[key]

    return ask


def _receive() -> bytes:
    return frames.receive_bytes(0, most=frames.MOST)
