"""Several small things at once: never more than asked for, in order, nothing new after a failure."""

import threading
import time

import pytest

from integrations.adapters.at_once import each_at_once
from integrations.adapters.errors import Dropped, NotFound, NotStarted

over = pytest.mark.parametrize


class Gauge:
    """How many are under way now, and were at most."""

    def __init__(self, *, seconds: float = 0.02) -> None:
        self.now = self.most = 0
        self.threads: set[int] = set()
        self._lock, self._seconds = threading.Lock(), seconds

    def __call__(self, number: int) -> int:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
            self.threads.add(threading.get_ident())
        time.sleep(self._seconds / number)
        with self._lock:
            self.now -= 1
        return number * 10


def test_results_come_in_the_order_asked_for_with_so_many_under_way():
    gauge = Gauge()
    assert each_at_once(range(1, 21), gauge, 4) == [number * 10 for number in range(1, 21)]
    assert gauge.most == 4


@over("at_once", [1, 0, -3])
def test_one_at_a_time_stays_in_the_callers_thread(at_once):
    gauge = Gauge()
    assert each_at_once([1, 2, 3], gauge, at_once) == [10, 20, 30]
    assert gauge.threads == {threading.get_ident()}


def test_nothing_to_do_is_nothing():
    assert each_at_once([], Gauge(), 4) == []


@over("at_once", [1, 3])
def test_after_the_first_failure_nothing_new_is_started_and_what_is_in_flight_finishes(at_once):
    began, go = [], threading.Event()

    def do(number):
        began.append(number)
        if number == 2:
            go.set()
            raise NotFound("gone")
        if at_once > 1:
            assert go.wait(5)
            time.sleep(0.05)
        return number

    found = each_at_once(range(1, 21), do, at_once)
    assert found[0] == 1
    assert isinstance(found[1], NotFound)
    rest = found[2:]
    finished = [result for result in rest if isinstance(result, int)]
    assert finished == list(range(3, 3 + len(finished)))
    assert len(finished) < at_once
    assert all(isinstance(result, NotStarted) for result in rest[len(finished) :])
    assert sorted(began) == [1, 2, *finished]


def test_two_that_fail_together_both_say_how():
    meet = threading.Barrier(2)

    def do(number):
        meet.wait(5)
        raise Dropped(f"{number} broke")

    assert [error.text for error in each_at_once([1, 2], do, 2)] == ["1 broke", "2 broke"]


def test_a_mistake_of_ours_is_raised_not_reported():
    def do(number):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        each_at_once([1, 2, 3], do, 2)
