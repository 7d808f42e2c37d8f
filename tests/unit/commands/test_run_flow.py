"""`manage.py run_flow` against real neighbours."""

import pytest
from django.core.management import CommandError, call_command

from tests.flows.conftest import Edges, edges, sample  # noqa: F401  (a fixture)

FTP = "OUTL-BA-CCS_DACS_CUST_SYNC_FTP"
PREFIX = "extractedFileNamePrefix=C1-DCTEX"


def test_a_file_flow_prints_its_activity_stream(edges: Edges, capsys):  # noqa: F811
    edges.put("C1-DCTEX_0001_00.csv")
    call_command("run_flow", FTP, param=[PREFIX])
    out = capsys.readouterr().out
    assert "C1-DCTEX_0001_00.csv to SENT-C1-DCTEX_0001_00.csv" in out
    assert out.rstrip().endswith("Succeeded")


def test_a_failed_run_exits_with_1(edges: Edges, capsys):  # noqa: F811
    edges.ccs_files.fail("401")
    with pytest.raises(SystemExit) as raised:
        call_command("run_flow", FTP, param=[PREFIX])
    assert raised.value.code == 1
    assert "refuses the log-in" in capsys.readouterr().out


def test_a_child_flow_takes_a_message_and_a_file(edges: Edges, tmp_path, capsys):  # noqa: F811
    message, content = tmp_path / "message.json", tmp_path / "a.csv"
    message.write_text('{"fileName": "b.csv", "directory": "/upload"}')
    content.write_bytes(b"content")
    call_command("run_flow", "OUTL-BA-CCS_DACS_FTP_TRANSFER", input=str(message), attach=str(content))
    assert (edges.target / "b.csv").read_bytes() == b"content"


@pytest.mark.parametrize(
    ("identifier", "param", "said"),
    [
        ("OUTL-BA-CCS_DACS_CUST_SYNC_FPT", [], "Did you mean OUTL-BA-CCS_DACS_CUST_SYNC_FTP"),
        (FTP, [], "extractedFileNamePrefix"),
        (FTP, ["extractedFileNamePrefix"], "not NAME=VALUE"),
        (FTP, [PREFIX, "other=1"], "no parameter other"),
    ],
)
def test_what_is_wrong_with_the_call_is_named(edges: Edges, identifier, param, said):  # noqa: F811
    with pytest.raises(CommandError, match=said):
        call_command("run_flow", identifier, param=param)
