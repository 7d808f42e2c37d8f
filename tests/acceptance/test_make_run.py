"""`make run`, as a newcomer starts it: all projects' jobs done and seen at the neighbours, or the reason why not."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from demo.neighbour import wait_for
from tests import servers

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.fault, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def var(tmp_path_factory):
    """One var/ for all tests here: each but the first starts from what is there."""
    return tmp_path_factory.mktemp("var")


@pytest.fixture
def free_port():
    return servers.free_port()


class Run:
    """A `make run` under way."""

    def __init__(self, var, port, *arguments, **environment):
        told = {"HUB_VAR": str(var), "PORT": str(port), "DEMO_CHANGES": "12", "COLUMNS": "100", **environment}
        dropped = ("DJANGO_SETTINGS_MODULE", "EMAIL_URL", "HUB_URL", "DATABASE_URL", "Q_REDIS_URL")
        self.var = var
        self.process = subprocess.Popen(
            [sys.executable, "-m", "demo.run", *arguments],
            env={**{name: value for name, value in os.environ.items() if name not in dropped}, **told},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def until(self, text):
        """Read on until a line has this text."""
        seen = []
        assert self.process.stdout
        for line in self.process.stdout:
            seen.append(line)
            if text in line:
                return
        pytest.fail(f"It ended before it said {text!r}:\n{''.join(seen)}")

    def end(self, seconds=180):
        """Its exit code and what it still said."""
        said, _ = self.process.communicate(timeout=seconds)
        return self.process.returncode, said

    def stop(self):
        """SIGTERM, and what came of it."""
        self.process.send_signal(signal.SIGTERM)
        return self.end(seconds=60)

    def close(self):
        """Read no more."""
        if self.process.stdout:
            self.process.stdout.close()

    def leftovers(self):
        """Processes that still have this run's var/ in their environment."""
        found = []
        for entry in Path("/proc").glob("[0-9]*/environ"):
            try:
                if (
                    f"HUB_VAR={self.var}\0".encode() in entry.read_bytes()
                    and int(entry.parts[2]) != os.getpid()
                ):
                    found.append((entry.parent / "cmdline").read_bytes())
            except OSError:
                continue
        return found


@pytest.fixture
def start(var, free_port):
    """Start a run on a free port; it is ended with the test whatever happens."""
    runs = []

    def started(*arguments, **environment):
        runs.append(Run(var, environment.pop("port", free_port), *arguments, **environment))
        return runs[-1]

    yield started
    for run in runs:
        if run.process.poll() is None:
            run.stop()
        run.close()


def test_once_does_the_jobs_and_ends_with_0(start, var, free_port):
    run = start(ONCE="1")
    code, said = run.end()
    assert code == 0, said
    assert "Positive acknowledgements at CCS" in said
    assert "DERMS enrols 3 customers … 3 pending at CPMCS" in said
    assert "Outcomes at CPMCS, device by device" in said
    assert "the file stops there as …_ErrInRcd_7" in said
    assert "Enrolments told to DACS, each once" in said
    assert "Corrected premises synchronised at CC&B" in said
    assert "The call centre sends 200 trouble calls in 4 messages … all at the hub" in said
    assert "Customers the IVR has reached, by results at the hub" in said
    assert "✗" not in said
    assert run.leftovers() == []
    demo = json.loads((var / "demo.json").read_text())
    assert (var / "demo.json").stat().st_mode & 0o777 == 0o600
    assert demo["console"] == f"http://127.0.0.1:{free_port}/admin/"
    assert {"username", "password", "role"} == set(demo["users"][0])
    assert all({"id", "secret", "flows"} == set(client) for client in demo["clients"])
    clients = {client["id"]: client["flows"] for client in demo["clients"]}
    assert {"DACS", "CPMCS", "DERMS", "CCB", "WAM", "CALLCENTER", "IVR", "OIC"} == set(clients)
    assert "CreatedTroubleTickets" in clients["CALLCENTER"]
    for name in ("ccs", "dacs", "cpmcs", "derms", "ouai", "dacs-sync", "ccb", "wam", "ivr", "mail"):
        assert {"url", "control"} == set(demo["neighbours"][name])


def test_it_stays_up_refuses_a_second_one_and_ends_with_0_on_sigterm(start, free_port):
    run = start()
    run.until("Up until Ctrl-C")
    assert requests.get(f"http://127.0.0.1:{free_port}/admin/login/", timeout=10).status_code == 200
    demo = json.loads((run.var / "demo.json").read_text())
    for name in ("ccs", "cpmcs", "derms", "ouai", "dacs-sync", "ccb", "wam", "ivr"):
        assert requests.get(f"{demo['neighbours'][name]['control']}/received", timeout=10).json()
    code, said = start(port=servers.free_port(), ONCE="1").end()
    assert (code, f"kill {run.process.pid}" in said) == (1, True)
    code, said = run.stop()
    assert (code, run.leftovers()) == (0, []), said


def test_once_with_a_broken_neighbour_ends_with_1_and_the_reason(start):
    run = start("--break", "ccs:500", ONCE="1", DEMO_PATIENCE="10")
    code, said = run.end()
    assert code == 1
    assert "Positive acknowledgements at CCS: expected 33, saw 0" in said
    assert "500 Internal Server Error" in said
    assert run.leftovers() == []


def test_once_with_derms_broken_names_what_is_missing_and_why(start):
    run = start("--break", "derms:500", ONCE="1", DEMO_PATIENCE="20")
    code, said = run.end()
    assert code == 1
    missing = said.partition("Not everything happened:")[2]
    assert "Positive acknowledgements at CCS" not in missing  # the customer sync has nothing to do with it
    assert "Enrolments at DERMS: expected 1, saw 0: the hub answered 502" in missing
    assert "Reservations acknowledged to DERMS: expected 1, saw 0: the hub took it as instance" in missing
    assert "it is waiting to try again: OU REST DERMS for CPMCS-DERMS" in missing
    assert "Opt-outs of the event at DERMS: expected 1, saw 0: not begun" in missing
    assert "Load forecasts at DERMS, byte for byte: expected 1, saw 0: the hub took it as instance" in missing
    assert "Enrolments told to DACS" not in missing
    assert "CC&B" not in missing
    assert run.leftovers() == []


def test_once_with_wam_broken_names_what_is_missing_and_why(start):
    run = start("--break", "wam:500", ONCE="1", DEMO_PATIENCE="5")
    code, said = run.end()
    assert code == 1
    missing = said.partition("Not everything happened:")[2]
    assert "Asset locations at WAM: expected 3, saw 0: the hub answered 502" in missing
    assert "Corrected asset locations at WAM: expected 1, saw 0: not begun" in missing
    assert "OUAI" not in missing
    assert run.leftovers() == []


def test_once_with_the_ivr_broken_names_what_is_missing_and_why(start):
    run = start("--break", "ivr:500", ONCE="1", DEMO_PATIENCE="10")
    code, said = run.end()
    assert code == 1
    missing = said.partition("Not everything happened:")[2]
    assert "Callbacks at the IVR, each once: expected 4, saw 0: the hub took it as instance" in missing
    assert "OU SOAP IVR for GRIDOPS-CRM: CreatedCallBacks at http" in missing
    assert "ivr answered 500 to POST /SendCallBacks" in missing
    assert "Incidents closed with the last callback: expected 1, saw 0" in missing
    assert "Callbacks that an agent was given" not in missing
    assert "CC&B" not in missing
    assert run.leftovers() == []


def test_the_run_after_a_broken_one_is_whole_again(start):
    code, said = start(ONCE="1").end()
    assert (code, "✗" in said) == (0, False), said


def test_a_worker_that_dies_is_named_with_the_end_of_its_log(start):
    run = start()
    run.until("Up until Ctrl-C")
    pids = json.loads((run.var / "run.lock").read_text())
    os.kill(pids["worker"], signal.SIGKILL)
    code, said = run.end()
    assert (code, "The worker was killed by SIGKILL" in said) == (1, True), said
    assert "log/worker.log" in said
    assert wait_for(lambda: not run.leftovers(), seconds=5)


def test_interrupted_before_the_end_once_ends_with_1(start):
    run = start(ONCE="1")
    run.until("Neighbours")
    run.process.send_signal(signal.SIGINT)
    code, said = run.end()
    assert (code, "Stopped by SIGINT" in said) == (1, True), said
    assert run.leftovers() == []
