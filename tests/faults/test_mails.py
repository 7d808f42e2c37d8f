"""Mails whatever the mail server does: once each, or twice and marked where nobody can know."""

import signal
from collections.abc import Callable

import pytest

from tests.faults.conftest import FULL
from tests.faults.hub import FaultHub
from tests.faults.judging import settle
from tests.faults.processes import kill
from tests.faults.report import Case

if FULL:

    def test_a_mail_server_that_is_down_for_the_whole_run(hub: FaultHub, case: Callable[[str], Case]) -> None:
        kept = case("mail server down during the run")
        hub.put_many("C1-DCTEX", 3)
        hub.mail.stop()
        hub.beat()
        hub.ask("run", prefix="C1-DCTEX")
        (run,) = hub.ended()
        hub.wait(lambda: hub.ask("mails")[0]["tries"] >= 2, 30, "the mail was tried twice")
        hub.mail.start()
        assert run["status"] == "succeeded"
        settle(hub, kept)

    def test_a_mail_server_that_takes_the_mail_and_hangs_up(
        hub: FaultHub, case: Callable[[str], Case]
    ) -> None:
        kept = case("mail taken, connection lost before the answer")
        hub.put_many("C1-DCTEX", 1)
        hub.mail.fail("cut", 1)
        hub.beat()
        hub.ask("run", prefix="C1-DCTEX")
        hub.ended()
        settle(hub, kept, maybe_twice=True)
        assert [row["maybe_twice"] for row in hub.ask("mails")] == [True]

    @pytest.mark.timeout(300)
    def test_a_beat_killed_between_mail_and_record(hub: FaultHub, case: Callable[[str], Case]) -> None:
        kept = case("beat killed at mail_sent_unsaved")
        hub.put_many("C1-DCTEX", 3)
        beat = hub.beat(points="mail_sent_unsaved")
        hub.ask("run", prefix="C1-DCTEX")
        assert beat.wait(60) == -signal.SIGKILL
        for pid in hub.processes():  # as systemd does with what is left of a unit
            kill(pid)
        hub.beat()
        hub.ended()
        hub.mails_settled(200)  # the mail is found again two minutes after it was claimed
        settle(hub, kept, maybe_twice=True)
        (row,) = hub.ask("mails")
        assert (row["maybe_twice"], len(hub.mail.received())) == (True, 2)
