"""The sandbox process: evaluates what a site wrote, bounded by the kernel (security case S18).

Started by `pool`, with an empty environment, its standard input and output as the only descriptors; it loads
neither Django nor any setting. One job at a time:

* in: `{"expression", "name", "functions": [names], "document": {"source", "target", "items"}}`; with `"base": true`
  the expression is a base mapping, evaluated once over the source itself; without items it is only compiled
* out, any number of times: `{"ask": name, "arguments": […]}`, answered by `{"value": …}` or `{"failed": true}`
* out, last: `{"results": […]}` (one an item; null: nothing to set), `{"error": text, "place": text}`, or
  `{"failed": true}` where an answer was a failure.

In the expression `source`, `target` and `item` are fields of the context; `$$` is the whole document of the job.
"""

import math
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonatapy
import orjson

from integrations.mapping.errors import MappingError
from integrations.mapping.frames import PipeClosed, receive, send
from integrations.mapping.jsonata import check, run
from integrations.mapping.limits import CPU_SECONDS, MEMORY_BYTES, OUT_OF_MEMORY, SITE

STDIN, STDOUT = 0, 1
NO_LIMIT = 1 << 32
_WRAP = (
    '{"result": {"source": source, "target": target, "item": items[$hubItem]}.(',
    "\n)}",
)


class AskFailed(Exception):
    """The hub could not answer; it keeps the reason."""


def main() -> None:
    """Serve jobs until the hub closes the pipe."""
    confine()
    try:
        while True:
            send(STDOUT, orjson.dumps(_answer(receive(STDIN, most=NO_LIMIT))))
    except PipeClosed:
        return
    except MemoryError:
        os._exit(OUT_OF_MEMORY)  # no memory to tell it in words


def confine() -> None:
    """Bound this process: memory above what it has now, no core dump, no file written, nothing started."""
    base = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    if base > MEMORY_BYTES:
        sys.exit("More address space is reserved than is to be bounded: see the environment in pool")
    most = base + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _grant_cpu() -> None:
    """CPU_SECONDS from now, to the millisecond by the profiling timer; the limit behind it counts whole seconds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = math.ceil(used.ru_utime + used.ru_stime)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (spent + CPU_SECONDS, hard))
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)  # nothing handles SIGPROF, so it ends the process


def _answer(job: dict[str, Any]) -> dict[str, Any]:
    _grant_cpu()
    try:
        return {"results": _results(job)}
    except MappingError as error:
        return {"error": str(error), "place": error.place}
    except AskFailed:
        return {"failed": True}


def _results(job: dict[str, Any]) -> list[Any]:
    document = job["document"]
    if job.get("base"):
        return [_base(job, document["source"])]
    count = len(document["items"])
    if not count:
        check(job["expression"], name=job["name"], functions=dict.fromkeys(job["functions"], _asking("")))
        return []
    data = jsonatapy.JsonataData.from_json(orjson.dumps(document).decode())
    functions = {name: _asking(name) for name in job["functions"]}
    results, size = [], 0
    for index in range(count):
        made = run(
            job["expression"],
            data,
            functions=functions,
            name=job["name"],
            limits=SITE,
            bindings={"hubItem": index},
            wrap=_WRAP,
        )
        results.append(made.get("result"))
        size += len(orjson.dumps(results[-1]))
        if size > SITE.output:
            raise MappingError(
                f"The extension makes more than {SITE.output} bytes for all items", place=job["name"]
            )
    return results


def _base(job: dict[str, Any], source: Any) -> Any:
    functions = {name: _asking(name) for name in job["functions"]}
    text = orjson.dumps(source).decode()
    return run(job["expression"], text, functions=functions, name=job["name"], limits=SITE)


def _asking(name: str) -> Callable[..., Any]:
    def ask(*arguments: Any) -> Any:
        send(STDOUT, orjson.dumps({"ask": name, "arguments": arguments}))
        reply = receive(STDIN, most=NO_LIMIT)
        if reply.get("failed"):
            raise AskFailed
        return reply["value"]

    return ask
