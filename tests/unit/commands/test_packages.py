"""`package_export` and `package_import` by hand: tables, and exit codes that scripts can use."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from integrations.models import Flow, PackageImport

pytestmark = pytest.mark.django_db
FLOW = "OUTL-BA-CCS_DACS_CUST_SYNC_FTP"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ccs.zip"
    call_command("package_export", "outl.ba.ccs_dacs", "--output", str(path), stdout=io.StringIO())
    return path


def imported(*arguments: str) -> str:
    said = io.StringIO()
    call_command("package_import", *arguments, stdout=said)
    return said.getvalue()


def test_an_export_is_a_zip_with_a_manifest(file):
    with zipfile.ZipFile(file) as archive:
        assert json.loads(archive.read("manifest.json"))["packages"] == ["outl.ba.ccs_dacs"]


def test_a_package_there_is_none_of_ends_with_an_error(tmp_path):
    with pytest.raises(CommandError, match="There is no package nothing"):
        call_command("package_export", "nothing", "--output", str(tmp_path / "x.zip"))


def test_a_preview_shows_and_changes_nothing(file):
    Flow.objects.filter(identifier=FLOW).update(retention_days=3)
    said = imported(str(file), "--preview")
    assert "What it would change" in said
    assert "retentionDays: 3" in said
    assert Flow.objects.get(identifier=FLOW).retention_days == 3


def test_an_import_lists_what_arrived_and_keeps_a_backup(file, tmp_path):
    Flow.objects.filter(identifier=FLOW).update(retention_days=3)
    backup = tmp_path / "backup.zip"
    said = imported(str(file), "--yes", "--backup", str(backup))
    assert "What arrived" in said
    assert Flow.objects.get(identifier=FLOW).retention_days is None
    assert zipfile.is_zipfile(backup)
    assert PackageImport.objects.get().state == "imported"


def test_without_a_yes_a_script_imports_nothing(file, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(CommandError, match="--yes"):
        imported(str(file))
    assert PackageImport.objects.get().state == "preview"


def test_something_left_out_ends_with_two(file, tmp_path):
    Flow.objects.filter(identifier=FLOW).update(present=False)
    with pytest.raises(SystemExit) as ended:
        imported(str(file), "--yes")
    assert ended.value.code == 2


def test_a_file_that_is_no_package_ends_with_an_error(tmp_path):
    path = tmp_path / "x.zip"
    path.write_bytes(b"no")
    with pytest.raises(CommandError, match="no zip file"):
        imported(str(path), "--yes")
    with pytest.raises(CommandError, match="No such file"):
        imported(str(tmp_path / "none.zip"), "--yes")
