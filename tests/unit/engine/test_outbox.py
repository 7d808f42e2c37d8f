"""The outbox against a real mail server."""

from datetime import timedelta

import pytest
from django.utils import timezone

from demo.mail import MailServer
from integrations.engine.outbox import send_due
from integrations.models import Notification

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(settings):
    with MailServer(slow_seconds=1) as running:
        settings.EMAIL_HOST, settings.EMAIL_PORT = running.host, running.port
        settings.EMAIL_TIMEOUT = 0.5
        yield running


def queued(number: int = 1, **more) -> Notification:
    return Notification.objects.create(
        kind="error",
        dedupe=f"d{number}",
        message_id=f"<m{number}@busbar>",
        sender="admin@myCy.com",
        recipients=["a@myCy.com", "b@myCy.com"],
        subject=f"Subject {number} é ü",
        body="Body\n.\nend",
        headers={"X-Busbar-Kind": "error"},
        **more,
    )


def due_again() -> None:
    Notification.objects.update(next_try_at=timezone.now() - timedelta(seconds=1))


def test_a_mail_goes_out_once_with_its_headers_and_stable_id(server):
    queued()
    assert send_due() == 1
    assert send_due() == 0
    (mail,) = server.received()
    assert mail["headers"]["Message-ID"] == "<m1@busbar>"
    assert mail["headers"]["X-Busbar-Kind"] == "error"
    assert mail["subject"] == "Subject 1 é ü"
    assert Notification.objects.get().state == "sent"


def test_a_server_that_is_down_loses_nothing_and_is_tried_again(server):
    queued()
    server.fail("down", 1)
    assert send_due() == 0
    row = Notification.objects.get()
    assert (row.state, row.tries) == ("pending", 1)
    assert row.trouble
    assert row.next_try_at > timezone.now()
    due_again()
    assert send_due() == 1


def test_one_that_is_refused_does_not_block_the_next(server):
    queued(1)
    queued(2)
    server.fail("500", 1)
    assert send_due() == 1
    assert len(server.received()) == 1


def test_refused_for_good_is_given_up_and_says_why(server):
    queued()
    server.fail("500")
    for _ in range(6):
        due_again()
        send_due()
    row = Notification.objects.get()
    assert row.state == "given up"
    assert "550" in row.trouble


def test_a_mail_whose_sender_died_is_sent_again_marked_with_the_same_id(server):
    queued(state="sending", next_try_at=timezone.now() - timedelta(seconds=1))
    assert send_due() == 1
    assert Notification.objects.get().maybe_twice is True
    assert server.received()[0]["headers"]["Message-ID"] == "<m1@busbar>"


def test_one_that_is_being_sent_is_left_to_its_sender(server):
    queued(state="sending", next_try_at=timezone.now() + timedelta(seconds=60))
    assert send_due() == 0
    assert server.received() == []
