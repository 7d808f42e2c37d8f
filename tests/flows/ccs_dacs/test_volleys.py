"""Small files go together: each is its own file, instance and story, and what is unusual about one is met alone."""

from pathlib import Path

import pytest

from integrations.adapters.sftp import Sftp
from integrations.engine.runner import work_on
from integrations.engine.volley import carry
from integrations.models import Connection, FileTransfer, Flow, Instance, SyncRequest
from tests.flows.conftest import Edges, lines, mails, run_file_flow

FLOW = "OUTL-BA-CCS_DACS_CUST_SYNC_FTP"
SOURCE = "OU FTP CCS for CCS-DACS"
FLAGGED = b"77%02d\t2026-01-02T03:04:05-05:00\tF1IC\tPER\tRES\tA Name\n"


def name(number: int) -> str:
    return f"C1-DCTEX_{number:04}_00.csv"


def run() -> Instance:
    return run_file_flow(FLOW, extractedFileNamePrefix="C1-DCTEX")


@pytest.fixture
def volleys(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many files each volley of this test carried."""
    seen: list[int] = []

    def counted(*args):
        carried = carry(*args)
        seen.append(len(carried))
        return carried

    monkeypatch.setattr("integrations.engine.pump.carry", counted)
    return seen


def test_small_files_go_together_and_each_is_whole_renamed_and_in_the_ledger(
    edges: Edges, volleys: list[int]
):
    for number in range(1, 8):
        edges.put(name(number), b"x" * number * 10_000)
    instance = run()
    assert (instance.status, volleys) == ("succeeded", [7])
    for number in range(1, 8):
        assert (edges.target / name(number)).read_bytes() == b"x" * number * 10_000
    assert edges.at_target() == [name(number) for number in range(1, 8)]
    assert edges.at_source() == [f"SENT-{name(number)}" for number in range(1, 8)]
    rows = FileTransfer.objects.order_by("source_name")
    assert [(row.state, row.size, row.renamed_to) for row in rows] == [
        ("done", number * 10_000, f"SENT-{name(number)}") for number in range(1, 8)
    ]
    assert len({row.sha256 for row in rows}) == 7


def test_each_file_of_a_volley_has_a_child_with_its_key_and_its_story(edges: Edges, volleys: list[int]):
    for number in (1, 2, 3):
        edges.put(name(number))
    instance = run()
    children = instance.children.order_by("primary_key_value")
    assert [(child.status, child.primary_key_value) for child in children] == [
        ("succeeded", name(number)) for number in (1, 2, 3)
    ]
    assert [child.attempts.get().outcome for child in children] == ["succeeded"] * 3
    assert lines(children[0]) == [
        f"{name(1)} to OU FTP DACS for CCS-DACS (beside 2 more)",
        "Succeeded",
    ]
    told = lines(instance)
    assert f"{name(2)} to SENT-{name(2)}" in told
    assert f"Called OU CCS DACS Common FTP Transfer for 3 files, {name(1)} to {name(3)}" in told


def test_a_connection_says_how_many_files_are_under_way_at_once(edges: Edges, volleys: list[int]):
    Connection.objects.filter(name=SOURCE).update(parallel=2)
    for number in range(1, 6):
        edges.put(name(number))
    assert run().status == "succeeded"
    assert volleys == [2, 2]  # the fifth goes alone


def test_a_large_file_between_small_ones_goes_alone_in_its_turn(
    edges: Edges, volleys: list[int], monkeypatch
):
    monkeypatch.setattr("integrations.engine.volley.LARGEST", 1000)
    for number in range(1, 6):
        edges.put(name(number), b"y" * (2000 if number == 3 else 10))
    assert run().status == "succeeded"
    assert volleys == [2, 2]
    assert (edges.target / name(3)).read_bytes() == b"y" * 2000


def test_no_more_bytes_are_held_than_a_volley_may(edges: Edges, volleys: list[int], monkeypatch):
    monkeypatch.setattr("integrations.engine.volley.MOST_BYTES", 2500)
    for number in range(1, 7):
        edges.put(name(number), b"z" * 1000)
    assert run().status == "succeeded"
    assert volleys == [2, 2, 2]


def test_a_name_that_is_taken_ends_the_volley_before_it_and_nothing_after_it_starts(
    edges: Edges, volleys: list[int]
):
    for number in range(1, 6):
        edges.put(name(number), b"new")
    (edges.target / name(3)).write_bytes(b"other")
    instance = run()
    assert instance.fault_step == name(3)
    assert "other content" in instance.fault_text
    assert volleys == [2, 0]
    assert edges.at_source() == [*(name(n) for n in (3, 4, 5)), f"SENT-{name(1)}", f"SENT-{name(2)}"]
    (mail,) = mails("process-complete")
    assert "Files transferred: 2" in mail.body
    assert f"{name(5)}: not started, because of the error before it" in mail.body


def test_a_name_taken_while_the_volley_was_under_way_is_not_overwritten(edges: Edges, monkeypatch):
    monkeypatch.setattr(Sftp, "taken", lambda *_, **__: set())
    for number in (1, 2, 3):
        edges.put(name(number), b"new")
    (edges.target / name(2)).write_bytes(b"other")
    instance = run()
    assert "other content" in instance.fault_text
    assert (edges.target / name(2)).read_bytes() == b"other"
    assert edges.at_target() == [name(1), name(2), name(3)]  # no part is left
    assert edges.at_source() == [name(2), f"SENT-{name(1)}", f"SENT-{name(3)}"]
    moved = instance.children.exclude(attachment_name="").order_by("attachment_name")
    assert [child.status for child in moved] == ["succeeded", "failed", "succeeded"]


def test_the_same_content_that_came_there_meanwhile_counts_as_delivered(edges: Edges, monkeypatch):
    monkeypatch.setattr(Sftp, "taken", lambda *_, **__: set())
    for number in (1, 2):
        edges.put(name(number), b"same")
    (edges.target / name(2)).write_bytes(b"same")
    assert run().status == "succeeded"
    assert edges.at_target() == [name(1), name(2)]
    assert edges.at_source() == [f"SENT-{name(1)}", f"SENT-{name(2)}"]


def test_a_file_that_grew_since_it_was_listed_is_left_and_said_and_stops_no_other(edges: Edges, monkeypatch):
    paths = [edges.put(name(number), b"first\n") for number in (1, 2, 3)]
    read_many = Sftp.read_many

    def grown(*args, **more):
        if paths[1].stat().st_size < 10:
            with paths[1].open("ab") as file:
                file.write(b"second\n")
        return read_many(*args, **more)

    monkeypatch.setattr(Sftp, "read_many", grown)
    instance = run()
    assert instance.fault_code == "HUB-SOURCE-CHANGED"
    assert edges.at_target() == [name(1), name(3)]
    monkeypatch.undo()
    assert run().status == "succeeded"
    assert (edges.target / name(2)).read_bytes() == b"first\nsecond\n"


def test_a_source_name_that_cannot_be_given_fails_its_file_alone(edges: Edges):
    for number in (1, 2, 3):
        edges.put(name(number), b"now")
    edges.put(f"SENT-{name(2)}", b"from another day")
    instance = run()
    assert "SENT-" in instance.fault_text
    assert edges.at_target() == [name(1), name(2), name(3)]
    assert FileTransfer.objects.get(source_name=name(2)).state == "sent"
    assert edges.at_source() == [name(2), *(f"SENT-{name(n)}" for n in (1, 2, 3))]


def test_a_session_cut_in_a_volley_is_tried_again_until_each_file_is_there_once(edges: Edges):
    for number in range(1, 21):
        edges.put(name(number), bytes([number]) * 150_000)
    edges.dacs_files.fail("cut", 1)
    first = run()
    assert first.status == "failed"
    assert first.fault_class == "remote"
    assert run().status == "succeeded"
    assert edges.at_target() == [name(number) for number in range(1, 21)]
    assert all((edges.target / name(n)).read_bytes() == bytes([n]) * 150_000 for n in range(1, 21))
    assert edges.at_source() == [f"SENT-{name(number)}" for number in range(1, 21)]
    assert not Instance.objects.filter(status="running").exists()


def test_sync_requests_of_every_file_are_noted_before_it_is_sent(edges: Edges):
    for number in (1, 2):
        edges.put(name(number), FLAGGED % number)
    instance = run()
    assert set(SyncRequest.objects.values_list("sync_request_id", "status")) == {
        ("7701", "awaiting"),
        ("7702", "awaiting"),
    }
    assert f"1 sync request(s) of {name(2)} await their acknowledgement" in lines(instance)


def test_traced_payloads_are_kept_file_by_file(edges: Edges, volleys: list[int]):
    Flow.objects.filter(identifier="OUTL-BA-CCS_DACS_FTP_TRANSFER").update(tracing="audit")
    for number in (1, 2):
        edges.put(name(number))
    instance = run()
    assert volleys == [0]  # then the last one is alone anyway
    assert all(child.answer is not None for child in instance.children.all())


def test_a_run_that_is_stopped_in_a_volley_gives_back_its_children_too(
    edges: Edges, monkeypatch, tmp_path: Path
):
    for number in (1, 2):
        edges.put(name(number))
    stop = tmp_path / "stop"
    monkeypatch.setenv("HUB_STOP_FILE", str(stop))
    monkeypatch.setattr(
        "integrations.engine.carriage.crash",
        lambda point: stop.touch() if point == "ledger_copying" else None,
    )
    instance = run()
    assert instance.status == "ready"
    assert {child.attempts.get().outcome for child in instance.children.all()} == {"released"}
    assert not Instance.objects.filter(status="running").exists()
    monkeypatch.undo()
    work_on(instance.pk)
    instance.refresh_from_db()
    assert instance.status == "succeeded"
    assert edges.at_target() == [name(1), name(2)]
