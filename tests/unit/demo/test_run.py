"""How `make run` reads what it was asked for, waits, and says what it saw."""

import io
import json

import pytest
from rich.console import Console

from demo.effects import Effect
from demo.job import wait_for_effects
from demo.lock import RunLock
from demo.run import main, options_from
from demo.show import Show
from demo.stage import CannotStartError, NotReadyError, Stage, collect_static, static_stamp


@pytest.fixture
def said():
    """A terminal that can be read."""
    show = Show(Console(file=io.StringIO(), width=120, highlight=False))
    return show, show.console.file.getvalue


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch):
    for name in ("PORT", "ONCE", "DEMO_CUSTOMERS", "DEMO_CHANGES", "DEMO_PATIENCE"):
        monkeypatch.delenv(name, raising=False)


def test_options_have_defaults(monkeypatch, tmp_path):
    monkeypatch.setenv("HUB_VAR", str(tmp_path))
    options = options_from([])
    assert (options.port, options.once, options.var, options.breaks) == (8000, False, tmp_path, ())


@pytest.mark.parametrize(("text", "once"), [("1", True), ("true", True), ("0", False), ("", False)])
def test_once_is_read_from_the_environment(monkeypatch, text, once):
    monkeypatch.setenv("ONCE", text)
    assert options_from([]).once is once


@pytest.mark.parametrize("text", ["eighty", "0", "65536", "-1"])
def test_a_port_that_is_none_is_refused(monkeypatch, text):
    monkeypatch.setenv("PORT", text)
    with pytest.raises(CannotStartError, match="PORT is"):
        options_from([])


@pytest.mark.parametrize("text", ["ccs", "ccs:sulk", "nobody:500"])
def test_a_break_that_means_nothing_is_refused(text):
    with pytest.raises(CannotStartError, match="--break"):
        options_from(["--break", text])


def test_a_break_names_neighbour_and_mode():
    assert options_from(["--break", "ccs-sftp:down"]).breaks == (("ccs-sftp", "down"),)


@pytest.mark.parametrize("name", ["derms", "ouai", "dacs-sync", "ccb", "wam"])
def test_the_neighbours_of_every_project_can_be_broken(name):
    assert options_from(["--break", f"{name}:500"]).breaks == ((name, "500"),)


def test_a_value_that_means_nothing_ends_with_1_and_the_reason(monkeypatch, capsys):
    monkeypatch.setenv("PORT", "eighty")
    assert main([]) == 1
    assert "PORT is 'eighty'" in capsys.readouterr().out


def test_the_table_has_what_was_expected_and_seen(said):
    show, text = said
    show.effects([Effect("Files", 3, 3), Effect("Mails", 3, 2, "not C1-DCTEX")])
    lines = text().splitlines()
    assert any("✓" in line and "Files" in line for line in lines)
    assert any("✗" in line and "Mails" in line and "2" in line for line in lines)


def test_a_table_says_which_project_it_is_of(said):
    show, text = said
    show.effects([Effect("Files", 3, 3)], "Customer programs, CPMCS and DERMS")
    assert text().splitlines()[0].strip() == "Customer programs, CPMCS and DERMS"


def test_what_has_come_about_is_one_line_with_its_time(said):
    show, text = said
    show.done("DERMS enrols 3 customers … " + "x" * 200, 0.25)
    assert text() == f"✓ DERMS enrols 3 customers … {'x' * 200} 0.2 s\n"


def test_troubles_are_printed_word_for_word(said):
    show, text = said
    show.trouble("the log says [bold] and [/] " + "x" * 200)
    assert "the log says [bold] and [/] " + "x" * 200 in text()


def test_a_reason_is_one_line():
    effect = Effect("Mails", 3, 2, "one\n  two" + "x" * 900)
    assert effect.reason.startswith("Mails: expected 3, saw 2: one two")
    assert len(effect.reason) < 600


def test_log_ins_are_shown(said):
    show, text = said
    user = {"username": "operator", "password": "let-me-in", "role": "Operator"}
    show.log_ins({"console": "http://127.0.0.1:8000/admin/", "users": [user]})
    assert "http://127.0.0.1:8000/admin/" in text()
    assert "let-me-in" in text()


@pytest.fixture
def counted(monkeypatch):
    """Effects that come one by one, up to a number."""

    def counting(until):
        seen = [0]

        def effects(*_):
            seen[0] = min(seen[0] + 1, until)
            return [Effect("Mails", 3, seen[0], done=seen[0], total=3)]

        monkeypatch.setattr("demo.job.effects", effects)

    return counting


def test_waiting_ends_when_all_is_seen(said, counted):
    counted(3)
    seen = wait_for_effects([], None, show=said[0], watch=lambda: None, patience=30)
    assert [one.ok for one in seen] == [True]


def test_waiting_ends_when_nothing_new_comes(said, counted):
    counted(2)
    seen = wait_for_effects([], None, show=said[0], watch=lambda: None, patience=0.1)
    assert [one.reason for one in seen] == ["Mails: expected 3, saw 2"]


def test_waiting_ends_when_a_process_dies(said, counted):
    counted(2)

    def watch():
        raise NotReadyError("The web server hangs")

    with pytest.raises(NotReadyError, match="hangs"):
        wait_for_effects([], None, show=said[0], watch=watch, patience=30)


def test_static_files_are_collected_once(tmp_path):
    calls = []

    def command(name, **_):
        calls.append(name)
        (tmp_path / "static").mkdir(exist_ok=True)

    for _ in range(2):
        collect_static(tmp_path / "static", command, tmp_path / "setup.log")
    assert calls == ["collectstatic"]
    assert (tmp_path / "static" / ".stamp").read_text() == static_stamp()


def test_a_stage_notes_its_processes_and_says_why_one_ended(tmp_path, monkeypatch):
    monkeypatch.setattr("demo.stage.sys.executable", "/bin/false")
    with RunLock(tmp_path / "run.lock") as lock:
        stage = Stage(var=tmp_path, port=9, lock=lock)
        stage.start()
        assert set(json.loads(lock.path.read_text())) == {"make run", "web server", "worker"}
        with pytest.raises(Exception, match="ended with exit code 1"):
            stage.wait_until_ready()
        assert stage.stop() == []
