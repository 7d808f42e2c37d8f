"""Where CI=true, a test that was skipped fails the run and is named (tests/conftest.py)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SKIPPED = "import pytest\n\ndef test_needs_more():\n    pytest.skip('no chromium here')\n"


def run(folder: Path, code: str, ci: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(code)
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-c",
            os.devnull,
            "--rootdir",
            folder,
            "-p",
            "tests.conftest",
            *options,
            folder,
        ],
        env=os.environ | {"CI": ci, "HUB_VAR": str(folder), "DJANGO_SETTINGS_MODULE": "hub.settings"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_skip_passes_on_a_developer_s_machine(tmp_path):
    assert run(tmp_path, SKIPPED, "").returncode == 0


@pytest.mark.parametrize("options", [(), ("-n", "1")])
def test_a_skip_fails_in_ci_and_is_named(tmp_path, options):
    outcome = run(tmp_path, SKIPPED, "true", *options)
    assert outcome.returncode == 1
    assert "test_needs_more: Skipped: no chromium here" in outcome.stdout


def test_a_module_that_skips_itself_fails_too(tmp_path):
    assert run(tmp_path, "import pytest\npytest.importorskip('no_such_module')\n", "true").returncode != 0


def test_what_passes_passes_in_ci(tmp_path):
    assert run(tmp_path, "def test_it():\n    assert True\n", "true").returncode == 0
