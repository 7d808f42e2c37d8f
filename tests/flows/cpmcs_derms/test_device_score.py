"""Device Score FTP Transfer and Device Score OS Transfer (seed 002, Send Device Score, both Processing Details)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from django.utils import timezone

from demo.namespaces import NamespaceServer
from integrations.engine.runner import work_on
from integrations.models import ErrorInstance, FileTransfer, Flow, Instance
from integrations.services.flow_run import flow_run
from integrations.services.instance_resubmit import instance_resubmit
from tests.flows.conftest import connection_set, lines, mails, property_set
from tests.flows.cpmcs_derms.conftest import (
    CONFIG,
    DERMS,
    OBJECTS,
    Sides,
    fails,
    read,
    run_once,
    with_retries,
)

FTP_FLOW, OS_FLOW = "OUTL-BA-DRMS_DACS_SEND_DVCSCORE", "OUTL-BA-DRMS_DACS_SEND_DVCSCOREC"
BUCKET = "DACS_DERMS_DEVICE_SCORE"
FIRST, SECOND, THIRD = "SDCSE_0001.csv", "SDCSE_0002.csv", "SDCSE_0003.csv"


@dataclass
class Source:
    """Where CPMCS puts its extracts: its file server or its bucket."""

    flow: str
    put: Callable[[str, bytes], None]
    names: Callable[[], list[str]]
    rename: Callable[[str, str], None]

    def run(self) -> Instance:
        """One attempt of a scheduled run."""
        instance = flow_run(flow=Flow.objects.get(identifier=self.flow), parameters={}, actor="test")
        work_on(instance.pk)
        instance.refresh_from_db()
        return instance


@pytest.fixture
def ftp(sides: Sides) -> Source:
    """CPMCS's file server."""

    def put(name: str, content: bytes) -> None:
        (sides.scores / name).write_bytes(content)

    def names() -> list[str]:
        return sorted(path.name for path in sides.scores.iterdir())

    def rename(old: str, new: str) -> None:
        (sides.scores / old).rename(sides.scores / new)

    return Source(FTP_FLOW, put, names, rename)


@pytest.fixture
def objects(sides: Sides) -> Iterator[Source]:
    """CPMCS's object storage."""
    with NamespaceServer("dacsnamespace", [BUCKET]) as server:
        where = {
            "endpoint_url": server.url,
            "access_key": server.access_key,
            "namespace": server.namespace,
        }
        connection_set(OBJECTS, where, {"secret_key": server.secret_key})
        property_set(CONFIG, "dacs.os.namespace", "dacsnamespace")
        property_set(CONFIG, "dacs.os.dvcScore.bucketname", BUCKET)
        client = server.client()

        def names() -> list[str]:
            return sorted(item["Key"] for item in client.list_objects_v2(Bucket=BUCKET).get("Contents", []))

        def put(name: str, content: bytes) -> None:
            client.put_object(Bucket=BUCKET, Key=name, Body=content)

        def rename(old: str, new: str) -> None:
            client.copy_object(Bucket=BUCKET, Key=new, CopySource={"Bucket": BUCKET, "Key": old})
            client.delete_object(Bucket=BUCKET, Key=old)

        yield Source(OS_FLOW, put, names, rename)
        for name in names():
            client.delete_object(Bucket=BUCKET, Key=name)


@pytest.fixture(params=["ftp", "os"])
def source(request: pytest.FixtureRequest) -> Source:
    """Each of the two in turn."""
    found: Source = request.getfixturevalue({"ftp": "ftp", "os": "objects"}[request.param])
    return found


@pytest.fixture
def two(source: Source) -> Source:
    """With two extracts in it."""
    source.put(FIRST, read("device_score.csv"))
    source.put(SECOND, b"nicId\n2\n")
    return source


def times(sides: Sides) -> dict[str, int]:
    """How often DERMS took each file."""
    return {one.name: one.times for one in sides.derms.records.scores().values()}


def test_each_extract_is_sent_as_it_is_and_marked_as_sent(sides: Sides, two: Source):  # steps 2-4
    two.put("OTHER_0001.csv", b"not an extract")
    two.put("Sent-SDCSE_0000.csv", b"sent before")
    instance = two.run()
    assert instance.status == "succeeded"
    assert [call["path"].rpartition("/")[2] for call in sides.derms.received()] == [FIRST, SECOND]
    found = sides.derms.records.scores()
    assert {one.name: one.size for one in found.values()} == {
        FIRST: len(read("device_score.csv")),
        SECOND: 8,
    }
    sent = FileTransfer.objects.get(source_name=FIRST)
    assert (sent.sha256, sent.state, sent.renamed_to) == (found[FIRST].sha256, "done", f"Sent-{FIRST}")
    assert two.names() == ["OTHER_0001.csv", "Sent-SDCSE_0000.csv", f"Sent-{FIRST}", f"Sent-{SECOND}"]
    (mail,) = mails("process-complete")
    assert mail.recipients == ["busUserDist@myCy.com"]
    assert "Files transferred: 2" in mail.body
    assert mails("no-file") == mails("error") == []


def test_a_202_is_taken_too(sides: Sides, two: Source):  # step 3: "an HTTP 200 or 202"
    sides.derms.score_status = 202
    assert two.run().status == "succeeded"
    assert two.names() == [f"Sent-{FIRST}", f"Sent-{SECOND}"]


def test_another_success_is_none(sides: Sides, two: Source):  # step 3
    sides.derms._score_status = 201
    instance = two.run()
    assert instance.status == "failed"
    assert "was answered 201, where 200 or 202 means done" in instance.fault_text
    assert two.names() == [f"Error-{FIRST}", SECOND]


@pytest.mark.parametrize("mode", ["400", "500", "401", "cut", "down", "slow"])
def test_after_the_first_error_nothing_new_is_begun_and_a_resubmission_sends_the_rest(
    sides: Sides, two: Source, mode: str
):  # step 5, and the contract: "found again by resubmit under either name"
    fails(sides.derms, mode, DERMS)
    failed = two.run()
    assert failed.status == "failed"
    assert failed.fault_step == FIRST
    assert two.names() == [f"Error-{FIRST}", SECOND]
    (error,), (summary,) = mails("error"), mails("process-complete")
    assert error.recipients == ["errorDist@myCy.com"]
    assert "Files transferred: 0" in summary.body
    assert "Files not transferred: 2" in summary.body
    assert FIRST in summary.body
    assert SECOND in summary.body
    assert run_once(instance_resubmit(instance=failed, actor="an operator")).status == "succeeded"
    assert two.names() == [f"Sent-{FIRST}", f"Sent-{SECOND}"]
    assert times(sides) == {FIRST: 1, SECOND: 1}
    assert ErrorInstance.objects.get().state == "recovered"


def test_one_in_the_middle_that_fails_keeps_what_was_sent(sides: Sides, two: Source):
    two.put(SECOND, b"")  # DERMS refuses an empty file
    two.put(THIRD, b"nicId\n3\n")
    failed = two.run()
    assert failed.status == "failed"
    assert failed.fault_class == "business"
    assert "400" in failed.fault_text
    assert two.names() == [f"Error-{SECOND}", THIRD, f"Sent-{FIRST}"]
    assert times(sides) == {FIRST: 1}
    (mail,) = mails("process-complete")
    assert "Files transferred: 1" in mail.body
    assert "Files not transferred: 2" in mail.body


def test_a_file_keeps_its_name_while_it_is_tried_again_by_itself(sides: Sides, two: Source):
    with_retries(DERMS, 2)
    sides.derms.fail("500", 1)
    waiting = two.run()
    assert waiting.status == "waiting"
    assert two.names() == [FIRST, SECOND]
    assert (mails("error"), mails("process-complete")) == ([], [])
    Instance.objects.update(due_at=timezone.now())
    assert run_once(waiting).status == "succeeded"
    assert times(sides) == {FIRST: 1, SECOND: 1}
    assert len(mails("process-complete")) == 1


def test_a_resubmission_finds_what_a_person_renamed_back(sides: Sides, two: Source):
    sides.derms.fail("500", 1)
    failed = two.run()
    two.rename(f"Error-{FIRST}", FIRST)
    assert run_once(instance_resubmit(instance=failed, actor="an operator")).status == "succeeded"
    assert two.names() == [f"Sent-{FIRST}", f"Sent-{SECOND}"]
    assert times(sides) == {FIRST: 1, SECOND: 1}


def test_a_new_file_beside_the_one_set_aside_goes_and_the_old_one_stays(sides: Sides, two: Source):
    sides.derms.fail("500", 1)
    failed = two.run()
    two.put(FIRST, b"nicId\nwritten anew\n")
    again = run_once(instance_resubmit(instance=failed, actor="an operator"))
    assert again.status == "succeeded"
    assert two.names() == [f"Error-{FIRST}", f"Sent-{FIRST}", f"Sent-{SECOND}"]
    assert any("is left alone" in line and f"new {FIRST}" in line for line in lines(again))
    assert times(sides) == {FIRST: 1, SECOND: 1}
    assert sides.derms.records.scores()[FIRST].size == len(b"nicId\nwritten anew\n")


def test_one_that_was_set_aside_and_taken_away_is_not_missed(sides: Sides, two: Source):
    sides.derms.fail("500", 1)
    failed = two.run()
    two.rename(f"Error-{FIRST}", "elsewhere.csv")
    assert run_once(instance_resubmit(instance=failed, actor="an operator")).status == "succeeded"
    assert times(sides) == {SECOND: 1}


def test_what_fails_again_is_set_aside_again(sides: Sides, two: Source):
    sides.derms.fail("400", 2)
    failed = two.run()
    assert run_once(instance_resubmit(instance=failed, actor="an operator")).status == "failed"
    assert two.names() == [f"Error-{FIRST}", SECOND]
    assert run_once(instance_resubmit(instance=failed, actor="an operator")).status == "succeeded"
    assert times(sides) == {FIRST: 1, SECOND: 1}


def test_the_next_run_leaves_what_was_set_aside_alone(
    sides: Sides, two: Source
):  # its name no longer matches
    sides.derms.fail("400", 1)
    two.run()
    assert two.run().status == "succeeded"
    assert two.names() == [f"Error-{FIRST}", f"Sent-{SECOND}"]
    assert times(sides) == {SECOND: 1}


def test_a_file_of_no_bytes_is_refused_by_derms_and_set_aside(sides: Sides, source: Source):
    source.put(FIRST, b"")
    failed = source.run()
    assert failed.status == "failed"
    assert source.names() == [f"Error-{FIRST}"]


@pytest.mark.parametrize("flag", ["", "false", "true"])
def test_no_file_is_mailed_where_the_flag_says_so_and_it_is_off_by_default(
    sides: Sides, source: Source, flag: str
):  # step 2: "If no file is found and notification.email.process.nofile.flag is true (by default it is false)"
    if flag:
        property_set(CONFIG, "notification.email.process.nofile.flag", flag)
    assert source.run().status == "succeeded"
    assert mails("process-complete") == []
    found = mails("no-file")
    assert len(found) == (flag == "true")
    if found:
        assert found[0].recipients == ["busUserDist@myCy.com"]
        assert "SDCSE" in found[0].body


def test_the_mail_about_the_end_can_be_switched_off(sides: Sides, two: Source):  # step 4
    property_set(CONFIG, "notification.email.process.complete.flag", "false")
    assert two.run().status == "succeeded"
    assert mails("process-complete") == []


def test_other_prefixes_are_the_sites_to_choose(sides: Sides, source: Source):  # the three prefix properties
    property_set(CONFIG, "dacs.dvcScore.extract.filename.prefix", "SCORE")
    property_set(CONFIG, "dacs.prefixtag.fileuploaded", "Done-")
    property_set(CONFIG, "dacs.prefixtag.filenotuploaded", "Bad-")
    source.put("SCORE_1.csv", b"1\n")
    source.put("SCORE_2.csv", b"")
    source.put(FIRST, b"3\n")
    assert source.run().status == "failed"
    assert source.names() == ["Bad-SCORE_2.csv", "Done-SCORE_1.csv", FIRST]


@pytest.mark.parametrize("name", ["dacs.prefixtag.fileuploaded", "dacs.prefixtag.filenotuploaded"])
def test_a_prefix_by_which_a_file_would_be_found_again_is_refused(sides: Sides, two: Source, name: str):
    property_set(CONFIG, name, "SDCSE-")
    failed = two.run()
    assert failed.status == "failed"
    assert "every run would send them again" in failed.fault_text
    assert sides.derms.received() == []


def test_names_with_blanks_and_letters_of_the_world_arrive(sides: Sides, source: Source):
    name = "SDCSE ü 100%#1?.csv"
    source.put(name, b"1\n")
    assert source.run().status == "succeeded"
    assert list(times(sides)) == [name]
    assert source.names() == [f"Sent-{name}"]


def test_a_large_file_arrives_whole(sides: Sides, ftp: Source):
    content = b"".join(b"NIC%08d,ECOBEE,1,S,2026-06-30,0.5\n" % number for number in range(100_000))
    ftp.put(FIRST, content)
    assert ftp.run().status == "succeeded"
    assert sides.derms.records.scores()[FIRST].size == len(content)


@pytest.mark.parametrize("mode", ["401", "down", "500"])
def test_a_file_server_that_fails_is_an_error_that_names_it(sides: Sides, ftp: Source, mode: str):
    ftp.put(FIRST, b"1\n")
    sides.files.fail(mode)
    failed = ftp.run()
    assert failed.status == "failed"
    assert "OU FTP CPMCS for CPMCS-DERMS" in failed.fault_text
    sides.files.reset()
    assert ftp.names() == [FIRST]
    assert sides.derms.received() == []
    assert len(mails("error")) == 1
