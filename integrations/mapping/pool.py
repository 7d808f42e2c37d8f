"""The hub's side of the sandbox: starts the processes, hands them jobs, answers their lookups, ends breaches.

One process stays warm in each process of the hub. A second thread with an extension to run gets a process of its
own, up to MOST_WORKERS, so that nobody waits behind a hostile expression for longer than it may take.
"""

import atexit
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from integrations.mapping import frames
from integrations.mapping.errors import MappingError
from integrations.mapping.jsonata import Functions, misused
from integrations.mapping.limits import (
    CPU_SECONDS,
    MEMORY_BYTES,
    MOST_WORKERS,
    OUT_OF_MEMORY,
    QUESTIONS,
    SITE,
    WALL_SECONDS,
)
from integrations.mapping.values import document_of

_ROOT = Path(__file__).resolve().parents[2]
_START = "import sys; sys.path.insert(0, sys.argv[1]); from integrations.mapping.sandbox import main; main()"
# jsonatapy's allocator would reserve a gibibyte at once, and an address space limit above that would bound nothing.
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "MIMALLOC_ARENA_RESERVE": "0"}
_FAILED = b'{"failed":true}'
_JOBS_EACH = 1_000  # a process is replaced after so many, so that nothing builds up in it
_MOST_ANSWER = 4 * SITE.output + 65_536  # bytes of one message: characters may take four each
_ENDED_BY = {  # by exit status; a signal's is negative
    OUT_OF_MEMORY: f"needed more than {MEMORY_BYTES // 1024 // 1024} MB of memory",
    -signal.SIGPROF: f"used more than {CPU_SECONDS} s of processor time",
    -signal.SIGXCPU: f"used more than {CPU_SECONDS} s of processor time",
    -signal.SIGKILL: f"used more than {CPU_SECONDS} s of processor time, or more memory than this machine has",
    -signal.SIGABRT: f"needed more than {MEMORY_BYTES // 1024 // 1024} MB of memory",
    -signal.SIGSEGV: f"needed more than {MEMORY_BYTES // 1024 // 1024} MB of memory, or nested too deep",
}


class Worker:
    """One sandbox process and its two pipes."""

    def __init__(self) -> None:
        """Start it: isolated Python, an empty environment, no descriptor but its pipes, no terminal."""
        self.jobs = 0
        self.kind = ""
        self.process = subprocess.Popen(  # noqa: S603  (our own interpreter and module, no input of anybody's)
            [sys.executable, "-I", "-c", _START, str(_ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_ENVIRONMENT,
            cwd="/",
            start_new_session=True,
            bufsize=0,
        )
        if self.process.stdin is None or self.process.stdout is None:
            raise AssertionError("Popen makes the pipes it was asked for")
        self.to, self.back = self.process.stdin.fileno(), self.process.stdout.fileno()
        os.set_blocking(self.to, False)
        os.set_blocking(self.back, False)

    def work(self, job: bytes, functions: Functions, name: str, kind: str = "extension") -> list[Any]:
        """One job's results. MappingError for an expression that fails or breaches; the process is then over.

        `kind`: what the expression is called in such an error.
        """
        self.jobs += 1
        self.kind = kind
        deadline = time.monotonic() + WALL_SECONDS
        try:
            frames.send(self.to, job, deadline=deadline)
            for _ in range(QUESTIONS + 1):
                said = frames.receive(self.back, most=_MOST_ANSWER, deadline=deadline)
                if "ask" not in said:
                    return _results(said, name)
                began = time.monotonic()
                reply, raised = _reply(functions, said["ask"], said["arguments"])
                deadline += time.monotonic() - began  # the hub's own time is not the expression's
                frames.send(self.to, reply, deadline=deadline)
                if raised is not None:
                    frames.receive(self.back, most=_MOST_ANSWER, deadline=deadline)  # that it has stopped
                    raise raised
        except frames.TooSlow:
            raise self._breach(name, f"did not end within {WALL_SECONDS:g} s") from None
        except frames.TooLong:
            raise self._breach(name, f"answers more than {SITE.output} characters") from None
        except frames.PipeClosed:
            raise self._breach(name, "") from None
        raise self._breach(name, f"asks for more than {QUESTIONS} lookups")

    @property
    def usable(self) -> bool:
        """Whether it may have another job."""
        return self.process.poll() is None and self.jobs < _JOBS_EACH

    def close(self) -> None:
        """End the process and let go of it; harmless twice."""
        self.process.kill()
        self.process.wait()
        self.abandon()

    def abandon(self) -> None:
        """Close this side's pipes only: after a fork the process is the parent's to end."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()

    def _breach(self, name: str, what: str) -> MappingError:
        if not what:
            status = self.process.wait()
            what = _ENDED_BY.get(
                status, f"ended its process (exit status {status}), as happens where memory runs out,"
            )
        self.close()
        return MappingError(f"The {self.kind} {name!r} {what} and was stopped", place=name)


def _reply(functions: Functions, name: str, arguments: list[Any]) -> tuple[bytes, BaseException | None]:
    """The frame that answers a question, and what the function raised: the process hears only that it failed."""
    function = functions[name]
    try:
        return b'{"value":' + document_of(function(*arguments), f"${name}").encode() + b"}", None
    except TypeError as error:
        return _FAILED, misused(name, function, tuple(arguments)) or error
    except BaseException as error:  # noqa: BLE001  (raised again as soon as the process has heard of it)
        return _FAILED, error


def _results(said: dict[str, Any], name: str) -> list[Any]:
    if "results" in said:
        results: list[Any] = said["results"]
        return results
    raise MappingError(said["error"], place=said["place"])


class Pool:
    """The sandbox processes of this process of the hub; safe from any thread, and across fork."""

    def __init__(self) -> None:
        """Nothing is started before the first extension."""
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(MOST_WORKERS)
        self._idle: Worker | None = None

    def run(
        self, expression: str, *, source: Any, target: Any, items: list[Any], functions: Functions, name: str
    ) -> list[Any]:
        """The expression's result for each item; null for nothing. MappingError, or what a function raised."""
        document = {"source": source, "target": target, "items": items}
        return self._work(
            {"expression": expression, "document": document, "name": name}, functions, "extension"
        )

    def base(self, expression: str, source: Any, *, functions: Functions, name: str) -> Any:
        """A base mapping's target of a source that a person tries it with; within SITE's limits."""
        job = {"expression": expression, "document": {"source": source}, "name": name, "base": True}
        return self._work(job, functions, "mapping")[0]

    def check(self, expression: str, *, functions: Functions, name: str) -> None:
        """Compile only; MappingError with the place where the expression cannot be read."""
        self.run(expression, source=None, target=None, items=[], functions=functions, name=name)

    def _work(self, job: dict[str, Any], functions: Functions, kind: str) -> list[Any]:
        name = job["name"]
        message = document_of({**job, "functions": sorted(functions)}, name).encode()
        if not self._room.acquire(timeout=WALL_SECONDS + CPU_SECONDS):
            raise MappingError(f"The {kind} {name!r} found every sandbox busy", place=name)
        try:
            worker = self._take()
            try:
                return worker.work(message, functions, name, kind)
            finally:
                self._give_back(worker)
        finally:
            self._room.release()

    def close(self) -> None:
        """End the warm process."""
        with self._lock:
            idle, self._idle = self._idle, None
        if idle is not None:
            idle.close()

    def after_fork(self) -> None:
        """In a forked child: the parent's process is not ours, nor are its locks."""
        if self._idle is not None:
            self._idle.abandon()
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(MOST_WORKERS)
        self._idle = None

    def _take(self) -> Worker:
        with self._lock:
            worker, self._idle = self._idle, None
        if worker is not None and worker.usable:
            return worker
        if worker is not None:
            worker.close()
        return Worker()

    def _give_back(self, worker: Worker) -> None:
        with self._lock:
            if worker.usable and self._idle is None:
                self._idle = worker
                return
        worker.close()


POOL = Pool()
atexit.register(POOL.close)
os.register_at_fork(after_in_child=POOL.after_fork)
