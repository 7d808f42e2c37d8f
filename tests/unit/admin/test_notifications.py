"""Notifications and breakers: what waits can be let go at once, what is done is left alone."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations import models
from integrations.engine.outbox_rows import after_failure
from tests import factories
from tests.unit.admin.conftest import list_of, page_of, text_of


def test_a_mail_that_was_given_up_is_sent_again(operator):
    mail = factories.NotificationFactory(state="given up", tries=9)
    operator.post(page_of(mail, "resend"))
    mail.refresh_from_db()
    assert (mail.state, mail.tries) == ("pending", 0)
    assert mail.next_try_at <= timezone.now()


def test_an_old_mail_that_is_sent_again_has_its_days_anew(operator):
    old = timezone.now() - timedelta(days=5)
    mail = factories.NotificationFactory(state="given up", tries=9, created_at=old)
    assert after_failure(mail, passing=True)["state"] == "given up"
    operator.post(page_of(mail, "resend"))
    mail.refresh_from_db()
    assert after_failure(mail, passing=True)["state"] == "pending"


@pytest.mark.parametrize("state", ["sent", "sending"])
def test_a_mail_that_is_out_is_left_alone(operator, state):
    mail = factories.NotificationFactory(state=state, tries=1)
    answer = operator.post(page_of(mail, "resend"), follow=True)
    mail.refresh_from_db()
    assert (mail.state, mail.tries) == (state, 1)
    assert "left alone" in text_of(answer)


def test_several_mails_are_sent_again_from_the_list(operator):
    mails = factories.NotificationFactory.create_batch(2, state="given up")
    chosen = {"action": "resend_selected", "_selected_action": [mail.pk for mail in mails]}
    assert "2 due now." in text_of(operator.post(list_of(models.Notification), chosen, follow=True))


def test_a_breaker_is_closed_and_what_waits_for_it_is_due(operator):
    breaker = factories.BreakerFactory()
    later = timezone.now() + timedelta(hours=1)
    waiting = factories.InstanceFactory(status="waiting", fault_code="HUB-BREAKER-OPEN", due_at=later)
    operator.post(page_of(breaker, "close"))
    breaker.refresh_from_db()
    waiting.refresh_from_db()
    assert (breaker.failures, breaker.open_until) == (0, None)
    assert waiting.due_at <= timezone.now()


def test_a_late_acknowledgement_is_marked_and_found(admin):
    late = factories.SyncRequestFactory(overdue_at=timezone.now() - timedelta(hours=1))
    factories.SyncRequestFactory(overdue_at=timezone.now() + timedelta(hours=1))
    shown = admin.get(list_of(models.SyncRequest), {"overdue": "yes"})
    assert [row.pk for row in shown.context["cl"].result_list] == [late.pk]
    assert "overdue" in text_of(shown)


@pytest.mark.parametrize("term", ["sync-77", "external-77"])
def test_a_sync_request_is_found_by_either_id(admin, term):
    factories.SyncRequestFactory(sync_request_id="sync-770", external_id="external-770")
    wanted = factories.SyncRequestFactory(sync_request_id="sync-77", external_id="external-77")
    shown = admin.get(list_of(models.SyncRequest), {"q": term})
    assert [row.pk for row in shown.context["cl"].result_list] == [wanted.pk]


def test_the_health_page_shows_who_is_at_work_and_what_is_late(admin):
    factories.HeartbeatFactory(name="worker-1")
    factories.HeartbeatFactory(name="worker-2", at=timezone.now() - timedelta(minutes=10))
    factories.InstanceFactory(status="ready", due_at=timezone.now() - timedelta(minutes=5))
    page = text_of(admin.get(list_of(models.Heartbeat)))
    for said in ("worker-1", "alive", "worker-2", "quiet", "5 min 0 s"):
        assert said in page
