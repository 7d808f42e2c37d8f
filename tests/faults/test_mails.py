"""Mails whatever the mail server does: once each, or twice and marked where nobody can know."""

import signal
import subprocess
import time
from collections.abc import Callable

from tests.faults.conftest import FULL
from tests.faults.hub import FaultHub
from tests.faults.judging import settle
from tests.faults.processes import kill
from tests.faults.report import Case

GROUP = "Mails"

if FULL:

    def test_a_mail_server_that_is_down_for_the_whole_run(hub: FaultHub, case: Callable[..., Case]) -> None:
        kept = case("mail server down during the run", GROUP)
        hub.put_many(3)
        hub.mail.stop()
        hub.beat()
        hub.run()
        (run,) = hub.ended()
        hub.wait(lambda: hub.ask("mails")[0]["tries"] >= 2, 30, "the mail was tried twice")
        assert hub.mail.received() == []
        hub.mail.start()
        assert run["status"] == "succeeded"
        settle(hub, kept)

    def test_a_mail_server_that_takes_the_mail_and_hangs_up(hub: FaultHub, case: Callable[..., Case]) -> None:
        kept = case("mail taken, connection lost before the answer", GROUP)
        hub.put_many(1)
        hub.mail.fail("cut", 1)
        hub.beat()
        hub.run()
        hub.ended()
        settle(hub, kept, maybe_twice=True)
        assert [row["maybe_twice"] for row in hub.ask("mails")] == [True]

    def test_a_beat_killed_between_mail_and_record(hub: FaultHub, case: Callable[..., Case]) -> None:
        kept = case("beat killed, mail taken, not recorded", GROUP)
        hub.put_many(3)
        beat = hub.beat(points="mail_sent_unsaved")
        hub.run()
        assert beat.wait(60) == -signal.SIGKILL
        another_beat(hub)
        settle(hub, kept, maybe_twice=True)
        (row,) = hub.ask("mails")
        assert (row["maybe_twice"], len(hub.mail.received())) == (True, 2)

    def test_a_beat_killed_while_the_mail_server_listens(hub: FaultHub, case: Callable[..., Case]) -> None:
        kept = case("beat killed during the mail, before it is taken", GROUP)
        hub.put_many(3)
        hub.mail.slow_seconds = 60
        hub.mail.fail("slow", 1)
        beat = hub.beat()
        hub.run()
        hub.ended()
        hub.wait(lambda: hub.ask("mails")[0]["state"] == "sending", 20, "the mail is being sent")
        time.sleep(1.5)  # by now the server has it, and has not answered
        kill_during(beat, hub)
        another_beat(hub)
        settle(hub, kept, maybe_twice=True)
        assert len(hub.mail.received()) == 1

    def kill_during(beat: subprocess.Popen[bytes], hub: FaultHub) -> None:
        """The beat dies while the mail server has the mail and has not said yes."""
        kill(beat.pid)
        assert beat.wait(10) == -signal.SIGKILL
        assert hub.mail.received() == []

    def another_beat(hub: FaultHub) -> None:
        """As systemd does: what is left of the unit is killed, and it is started again."""
        for pid in hub.processes():
            kill(pid)
        hub.beat()
        hub.ended()
        assert hub.ask("mails_cut_off_are_due") == 1
        hub.mails_settled(60)  # the dead beat's leadership lasts 30 s
