"""Log-in throttling (S19): counted for all hosts, told to nobody, over in a quarter of an hour."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth import authenticate
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from hub.models import LoginAttempt
from hub.throttle import FREE_FAILURES, LOCKING_FAILURES, login_blocked, login_failed
from integrations.models import AuditEntry
from tests.unit.hub.conftest import PASSWORD

HERE, ELSEWHERE = "203.0.113.9", "198.51.100.7"


def log_in(password: str, *, username: str = "operator", address: str = HERE):
    return authenticate(RequestFactory().post("/", REMOTE_ADDR=address), username=username, password=password)


@pytest.fixture
def operator(person):
    return person("Operator", username="operator")


def test_a_right_password_gets_in_after_four_wrong_ones(operator):
    for _ in range(FREE_FAILURES - 1):
        assert log_in("wrong") is None
    assert log_in(PASSWORD) == operator
    assert not LoginAttempt.objects.exists()


def test_the_fifth_wrong_one_starts_a_pause_in_which_the_right_one_fails_too(operator):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(FREE_FAILURES):
            log_in("wrong")
        assert log_in(PASSWORD) is None
        clock.shift(timedelta(seconds=31))
        assert log_in(PASSWORD) == operator


def test_twenty_wrong_ones_lock_for_a_quarter_of_an_hour(operator):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(LOCKING_FAILURES):
            log_in("wrong")
        clock.shift(timedelta(minutes=14))
        assert log_in(PASSWORD) is None
        clock.shift(timedelta(minutes=2))
        assert log_in(PASSWORD) == operator


def test_trying_on_does_not_make_a_lock_longer(operator):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(LOCKING_FAILURES):
            log_in("wrong")
        until = LoginAttempt.objects.get().blocked_until
        clock.shift(timedelta(minutes=5))
        log_in("wrong")
        assert LoginAttempt.objects.get().blocked_until == until


def test_after_a_lock_the_count_begins_anew(operator):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(LOCKING_FAILURES):
            log_in("wrong")
        clock.shift(timedelta(minutes=16))
        log_in("wrong")
        assert log_in(PASSWORD) == operator


def test_another_address_and_another_name_are_not_locked(operator, person):
    person("Viewer", username="viewer")
    for _ in range(LOCKING_FAILURES):
        log_in("wrong")
    assert log_in(PASSWORD, address=ELSEWHERE) == operator
    assert log_in(PASSWORD, username="viewer") is not None


def test_a_name_is_the_same_in_any_spelling(db):
    for name in ["Operator", "OPERATOR", "operator"]:
        login_failed(username=name, address=HERE)
    assert LoginAttempt.objects.get().failures == 3


def test_unknown_names_are_locked_as_known_ones(db):
    for _ in range(LOCKING_FAILURES):
        log_in("wrong", username="who")
    assert login_blocked(username="who", address=HERE)


def test_what_was_typed_as_a_name_is_not_kept(db):
    log_in("wrong", username="my-password-typed-in-the-wrong-field")
    assert "password" not in str(LoginAttempt.objects.values().get())


def test_a_lock_is_in_the_audit_trail_with_the_name_only_where_somebody_has_it(operator):
    for name in ["Operator", "typed-password"]:
        for _ in range(LOCKING_FAILURES + 1):
            login_failed(username=name, address=HERE)
    entries = AuditEntry.objects.filter(action="log-in locked").order_by("id")
    assert [(entry.actor, entry.address) for entry in entries] == [("operator", HERE), ("unknown", HERE)]


def test_old_counts_are_forgotten(db):
    with time_machine.travel(timezone.now() - timedelta(days=2)):
        login_failed(username="once", address=HERE)
    login_failed(username="now", address=HERE)
    assert LoginAttempt.objects.count() == 1


def test_the_console_says_the_same_of_a_locked_and_of_a_wrong_log_in(client, operator):
    form = {"username": "operator", "password": "wrong"}
    wrong = client.post(reverse("admin:login"), form)
    for _ in range(LOCKING_FAILURES):
        client.post(reverse("admin:login"), form)
    locked = client.post(reverse("admin:login"), form | {"password": PASSWORD})
    assert locked.status_code == wrong.status_code == 200
    assert "Please enter the correct username and password" in wrong.content.decode()
    assert "Please enter the correct username and password" in locked.content.decode()
    assert "_auth_user_id" not in client.session


def test_a_locked_log_in_costs_as_much_hashing_as_a_wrong_one(operator, monkeypatch):
    hashed: list[str] = []
    monkeypatch.setattr("hub.throttle.make_password", hashed.append)
    for _ in range(LOCKING_FAILURES):
        log_in("wrong")
    hashed.clear()
    log_in(PASSWORD)
    assert hashed == [PASSWORD]
