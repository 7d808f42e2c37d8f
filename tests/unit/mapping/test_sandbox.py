"""What a site writes runs in a process of its own and is stopped in time (security case S18)."""

import contextlib
import json
import os
import threading
import time
from pathlib import Path

import pytest

from integrations.mapping import Extension, MappingError, apply_extensions
from integrations.mapping.limits import MEMORY_BYTES, MOST_WORKERS
from integrations.mapping.pool import POOL, Pool, Worker

HOSTILE = [
    "$distinct([1..20000])",
    '$reduce([1..60], function($a, $b){$a & $a}, "aaaaaaaaaaaaa")',
    "$reduce([1..60], function($a, $b){[$a, $a]}, [1, 2, 3])",
    '$reduce([1..60], function($a, $b){{"x": $a, "y": $a}}, {})',
    '$pad("a", 900000000)',
    "($f := function($n){$f($n + 1)}; $f(1))",
    '$replace($pad("", 100000, "a"), "a", $pad("", 10000, "b"))',
    '($x := [1..19999]; $y := $x.{"a": $x}; $y.{"b": $y})',
    '{"a": $join([1..19999].$pad("x", 1000))}',
    "[1..19999].[1..19999].(1)",
    "$map([1..20000], function($i){$map([1..20000], function($j){$i * $j})})",
    "([1..20000])[$ in [1..20000]]",
]


def _run(expression, functions=None):
    return apply_extensions({}, {}, [Extension("", expression, "site")], functions=functions or {})


def _warm():
    assert POOL._idle is not None
    return POOL._idle


def _late():
    time.sleep(1)
    return "late"


def _run_suppressed(expression):
    with contextlib.suppress(MappingError):
        _run(expression)


@pytest.fixture
def worker():
    made = Worker()
    yield made
    made.close()


def _peak(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024


@pytest.mark.parametrize("expression", HOSTILE)
def test_a_hostile_expression_ends_soon_and_the_next_one_is_served(expression):
    began = time.monotonic()
    with pytest.raises(MappingError, match="site"):
        _run(expression)
    assert time.monotonic() - began < 5  # the wall limit, on a busy machine; alone none takes more than 2 s
    assert _run('{"a": 1}') == {"a": 1}


@pytest.mark.parametrize("expression", HOSTILE)
def test_a_hostile_expression_stays_within_its_memory(expression, worker):
    worker.work(_job("1"), {}, "warm")
    base, peaks = _peak(worker.process.pid), list[int]()
    watching = threading.Thread(target=_watch, args=(worker, peaks))
    watching.start()
    with contextlib.suppress(MappingError):
        worker.work(_job(expression), {}, "site")
    worker.close()
    watching.join()
    assert max(peaks, default=base) - base < MEMORY_BYTES


def _job(expression):
    job = {"expression": expression, "name": "", "functions": []}
    return json.dumps(job | {"document": {"source": {}, "target": {}, "items": [{}]}}).encode()


def _watch(worker, peaks):
    with contextlib.suppress(OSError, StopIteration):  # it is over
        while worker.process.returncode is None:
            peaks.append(_peak(worker.process.pid))
            time.sleep(0.01)


def test_the_process_gets_no_secret_and_no_descriptor_of_the_hub(worker):
    environment = Path(f"/proc/{worker.process.pid}/environ").read_bytes()
    assert environment.rstrip(b"\0").split(b"\0") == [b"LC_ALL=C.UTF-8", b"MIMALLOC_ARENA_RESERVE=0"]
    time.sleep(0.3)  # while it starts it reads its modules
    assert sorted(fd.name for fd in Path(f"/proc/{worker.process.pid}/fd").iterdir()) == ["0", "1", "2"]


def test_the_process_loads_no_django(worker):
    assert worker.work(b'{"expression":"1","name":"","functions":[],"document":{"items":[]}}', {}, "x") == []
    maps = Path(f"/proc/{worker.process.pid}/maps").read_text()
    assert "jsonatapy" in maps
    assert "psycopg" not in maps
    assert "_sqlite3" not in maps


def test_the_process_stays_warm():
    _run('{"a": 1}')
    first = _warm().process.pid
    _run('{"a": 2}')
    assert _warm().process.pid == first


def test_an_expression_that_asks_too_often_is_stopped(monkeypatch):
    monkeypatch.setattr(
        "integrations.mapping.pool.QUESTIONS", 500
    )  # as many as a busy machine answers in time
    with pytest.raises(MappingError, match="asks for more than 500 lookups"):
        _run("$map([1..1000], function($i){$f($i)})", {"f": lambda n: n})


def test_the_time_the_hub_takes_to_answer_is_not_the_expressions(monkeypatch):
    monkeypatch.setattr("integrations.mapping.pool.WALL_SECONDS", 0.8)
    assert _run('{"a": $slow()}', {"slow": _late}) == {"a": "late"}


def test_a_process_that_does_not_answer_is_stopped_at_the_wall_limit(worker, monkeypatch):
    monkeypatch.setattr("integrations.mapping.pool.WALL_SECONDS", 0.5)
    os.kill(worker.process.pid, 19)  # SIGSTOP: neither answering nor using processor time
    with pytest.raises(MappingError, match=r"did not end within 0\.5 s"):
        worker.work(b"{}", {}, "site")
    assert not worker.usable


def test_a_process_killed_by_the_machine_is_replaced():
    _run('{"a": 1}')
    _warm().process.kill()
    _warm().process.wait()
    assert _run('{"a": 2}') == {"a": 2}


def test_others_do_not_wait_behind_a_hostile_expression():
    hostile = threading.Thread(target=_run_suppressed, args=(HOSTILE[5],))
    hostile.start()
    time.sleep(0.1)
    began = time.monotonic()
    assert _run('{"a": 1}') == {"a": 1}
    assert time.monotonic() - began < 1.2
    hostile.join()


def test_many_threads_get_their_own_answers():
    answers = {}

    def one(number):
        answers[number] = _run(f'{{"a": $f({number})}}', {"f": lambda given: given * 10})["a"]

    threads = [threading.Thread(target=one, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: number * 10 for number in range(12)}


def test_a_forked_child_starts_a_process_of_its_own():
    _run('{"a": 1}')
    parents = _warm().process.pid
    child = os.fork()
    if child == 0:
        made = _run('{"a": 2}')
        other = _warm().process.pid != parents
        POOL.close()
        os._exit(0 if made == {"a": 2} and other else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert _run('{"a": 3}') == {"a": 3}
    assert _warm().process.pid == parents


def test_when_every_process_is_busy_it_says_so(monkeypatch):
    pool = Pool()
    monkeypatch.setattr("integrations.mapping.pool.WALL_SECONDS", 0.0)
    monkeypatch.setattr("integrations.mapping.pool.CPU_SECONDS", 0.05)
    for _ in range(MOST_WORKERS):
        pool._room.acquire()
    with pytest.raises(MappingError, match="every sandbox busy"):
        pool.run("1", source={}, target={}, items=[{}], functions={}, name="site")
