"""The supervisor's parts: one run at a time, children that are watched and stopped whole, things kept."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from demo.children import Child, ChildDiedError, marked, stop_all
from demo.kept import Kept, port_is_free, write_private
from demo.lock import AlreadyRunsError, RunLock
from demo.neighbour import wait_for

SLEEPER = "import time; print('awake', flush=True); time.sleep(60)"
# A child that leaves a grandchild in a session of its own, as the worker does with its cluster.
PARENT = (
    "import subprocess, sys, time; "
    "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], start_new_session=True).pid,"
    " flush=True); time.sleep(60)"
)
DEAF = "import signal, time; signal.signal(15, signal.SIG_IGN); print('awake', flush=True); time.sleep(60)"


@pytest.fixture
def started(tmp_path):
    """Start a child by its Python text; all are stopped in the end."""
    children = []

    def start(text, name="web server", lock=-1):
        child = Child(
            name,
            [sys.executable, "-c", text],
            log=tmp_path / f"{name}.log",
            environment=os.environ,
            directory=tmp_path,
            mark=tmp_path.name,
            lock=lock,
        )
        children.append(child)
        return child

    yield start
    stop_all(children, mark=tmp_path.name, seconds=0)


def said(child):
    return wait_for(lambda: child.log.read_text().strip(), seconds=10) and child.log.read_text().strip()


def gone(pid):
    """Whether a process is no more; one that nobody has waited for yet is."""
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_child_that_ended_is_named_with_the_end_of_its_log(started):
    child = started("print('no such table'); raise SystemExit(3)")
    assert wait_for(lambda: child._process.poll() is not None, seconds=10)
    with pytest.raises(ChildDiedError, match=r"web server ended with exit code 3[\s\S]*no such table"):
        child.check()


def test_a_killed_child_is_named_with_its_signal(started):
    child = started(SLEEPER)
    os.kill(child.pid, signal.SIGKILL)
    assert wait_for(lambda: child._process.poll() is not None, seconds=10)
    with pytest.raises(ChildDiedError, match="SIGKILL"):
        child.check()


def test_a_running_child_is_well(started):
    child = started(SLEEPER)
    child.check()
    assert said(child) == "awake"


def test_children_stop_together_when_asked(started):
    children = [started(SLEEPER), started(SLEEPER, "worker")]
    assert all(said(child) for child in children)
    assert stop_all(children, mark="this", seconds=10) == []
    assert all(gone(child.pid) for child in children)


def test_a_deaf_child_is_killed_and_named(started):
    child = started(DEAF, "worker")
    assert said(child)
    assert stop_all([child], mark="this", seconds=0.2) == ["worker"]
    assert gone(child.pid)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_a_child_started_goes_with_it(started, tmp_path, number):
    child = started(PARENT)
    grandchild = int(said(child))
    os.kill(child.pid, number)
    stop_all([child], mark=tmp_path.name, seconds=10)
    assert wait_for(lambda: gone(grandchild), seconds=5)


def test_the_log_before_is_kept(started, tmp_path):
    (tmp_path / "worker.log").write_text("last time")
    said(started(SLEEPER, "worker"))
    assert (tmp_path / "worker.log.1").read_text() == "last time"


def test_a_second_run_is_refused_with_the_first_one_s_process(tmp_path):
    with RunLock(tmp_path / "run.lock"), pytest.raises(AlreadyRunsError, match=f"kill {os.getpid()}"):
        RunLock(tmp_path / "run.lock").__enter__()


def test_the_lock_is_free_again_afterwards(tmp_path):
    for _ in range(2):
        with RunLock(tmp_path / "run.lock") as lock:
            assert json.loads(lock.path.read_text()) == {"make run": os.getpid()}


def test_a_child_that_outlived_its_run_is_named(tmp_path, started):
    with RunLock(tmp_path / "run.lock") as lock:
        child = started(SLEEPER, "worker", lock.descriptor)
        lock.note("worker", child.pid)
        kept = lock.path.read_text()
    lock.path.write_text(json.dumps({**json.loads(kept), "make run": 999_999_999}))
    with pytest.raises(AlreadyRunsError, match=f"was killed and left worker .*kill {child.pid}"):
        RunLock(tmp_path / "run.lock").__enter__()


def test_secrets_are_made_once_and_private(tmp_path):
    first = Kept(tmp_path / "kept.json").secret("user admin")
    assert len(first) >= 24
    assert Kept(tmp_path / "kept.json").secret("user admin") == first
    assert (tmp_path / "kept.json").stat().st_mode & 0o777 == 0o600


def test_a_port_is_taken_again_where_it_is_free(tmp_path, unused_port):
    kept = Kept(tmp_path / "kept.json")
    assert kept.port("ccs") == 0
    kept.keep_port("ccs", unused_port)
    assert Kept(tmp_path / "kept.json").port("ccs") == unused_port


def test_a_port_in_use_is_not_taken_again(tmp_path, ccs):
    kept = Kept(tmp_path / "kept.json")
    kept.keep_port("ccs", ccs.port)
    assert not port_is_free(ccs.port)
    assert kept.port("ccs") == 0


def test_private_files_are_whole_from_the_start(tmp_path):
    path = tmp_path / "var" / "demo.json"
    write_private(path, {"a": 1})
    write_private(path, {"a": 2})
    assert json.loads(path.read_text()) == {"a": 2}
    assert list(path.parent.iterdir()) == [path]


def test_marked_processes_are_found_across_sessions(started, tmp_path):
    child = started(PARENT)
    assert {child.pid, int(said(child))} <= set(marked(tmp_path.name))
    assert marked("another run") == []


@pytest.fixture
def unused_port(ccs):
    """A port nothing listens at: another server had it a moment ago."""
    port = ccs.port
    ccs.stop()
    return port


def test_run_refuses_a_busy_port_before_anything_else(tmp_path, ccs):
    environment = {**os.environ, "PORT": str(ccs.port), "ONCE": "1", "HUB_VAR": str(tmp_path / "var")}
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "demo.run"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, f"Port {ccs.port} is taken" in done.stdout) == (1, True)
    assert f"make run PORT={ccs.port + 1}" in done.stdout
    assert not (tmp_path / "var" / "busbar.sqlite3").exists()
    assert time.monotonic() - began < 30
