"""Starting: production fails loudly, the embedded form makes its own secrets once."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

from cryptography.fernet import Fernet

ROOT = Path(__file__).resolve().parents[3]
PRODUCTION = {
    "HUB_ENV": "production",
    "SECRET_KEY": "k" * 25 + "0123456789abcdefghijklmnopqrstuvwxyz",
    "HUB_FERNET_KEYS": Fernet.generate_key().decode(),
    "ALLOWED_HOSTS": "hub.example.org",
    "HUB_URL": "https://hub.example.org",
    "EMAIL_URL": "smtp+tls://mail.example.org:587",
}


def settings(var: Path, tell: str = "''", **environment: str) -> subprocess.CompletedProcess[str]:
    """Import the settings in a process of their own and print an expression over them as `s`."""
    code = f"from hub import settings as s; print({tell})"
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=inherited | {"HUB_VAR": str(var), **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def production(var: Path, tell: str = "''", **changes: str) -> subprocess.CompletedProcess[str]:
    return settings(var, tell, **(PRODUCTION | {"DATABASE_URL": f"sqlite:///{var}/hub.sqlite3"} | changes))


def test_production_names_everything_that_is_missing_and_makes_nothing(tmp_path):
    run = settings(tmp_path, HUB_ENV="production")
    assert run.returncode == 1
    for name in ["SECRET_KEY", "HUB_FERNET_KEYS", "ALLOWED_HOSTS", "HUB_URL", "DATABASE_URL", "EMAIL_URL"]:
        assert name in run.stderr.splitlines()[-1]
    assert not list(tmp_path.glob("*.secret"))


def test_production_starts_once_everything_is_stated(tmp_path):
    run = production(tmp_path, "s.EMBEDDED, s.SESSION_COOKIE_SECURE, s.SECURE_SSL_REDIRECT, s.DEBUG")
    assert run.stdout.strip() == "False True True False", run.stderr


def test_a_key_that_is_no_fernet_key_is_named_by_its_place_not_by_its_text(tmp_path):
    run = production(tmp_path, HUB_FERNET_KEYS=f"{Fernet.generate_key().decode()},wrong-key")
    assert "HUB_FERNET_KEYS: number 2 is no Fernet key" in run.stderr
    assert "wrong-key" not in run.stderr


def test_an_unknown_environment_is_refused(tmp_path):
    assert "HUB_ENV is 'prod'" in settings(tmp_path, HUB_ENV="prod").stderr


def test_the_embedded_form_makes_its_secrets_once_for_its_user_alone(tmp_path):
    first, second = (settings(tmp_path, "s.SECRET_KEY, s.HUB_FERNET_KEYS").stdout for _ in range(2))
    assert first == second
    assert len(first) > 80
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("*.secret")} == {0o600}


def test_a_setting_left_blank_counts_as_not_set(tmp_path):
    blank = dict.fromkeys(
        ["DATABASE_URL", "EMAIL_URL", "PAYLOAD_STORE", "HUB_STATIC", "SECRET_KEY", "Q_REDIS_URL"], ""
    )
    tell = "s.DATABASES['default']['NAME'], s.EMAIL_PORT, s.PAYLOAD_STORE, s.STATIC_ROOT"
    told = settings(tmp_path, tell, **blank).stdout.split()
    assert told == [f"{tmp_path}/busbar.sqlite3", "1025", f"file://{tmp_path}/payloads", f"{tmp_path}/static"]


def test_redis_takes_the_queue_s_place_in_the_database(tmp_path):
    assert settings(tmp_path, "s.Q_CLUSTER.get('orm')").stdout.strip() == "default"
    run = settings(
        tmp_path, "s.Q_CLUSTER.get('orm'), s.Q_CLUSTER['redis']", Q_REDIS_URL="redis://127.0.0.1:6399/0"
    )
    assert run.stdout.strip() == "None redis://127.0.0.1:6399/0"


def test_the_queue_is_set_up_so_that_it_only_wakes(tmp_path):
    tell = "[s.Q_CLUSTER[k] for k in ('save_limit', 'ack_failures', 'max_attempts', 'bulk', 'catch_up', 'scheduler')]"
    assert settings(tmp_path, tell).stdout.strip() == "[-1, True, 1, 1, False, False]"
    assert settings(tmp_path, "s.Q_CLUSTER['timeout'] < s.Q_CLUSTER['retry']").stdout.strip() == "True"


def test_every_setting_that_is_read_is_in_the_example(tmp_path):
    read = set(re.findall(r"env\.\w+\(\s*\"(\w+)\"", (ROOT / "hub" / "settings.py").read_text()))
    example = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert read <= example
