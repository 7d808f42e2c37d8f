"""A sync request whose parts are acknowledged one by one; the flows' tests go the whole way (tests/flows/ccb_wam)."""

import itertools
from contextlib import AbstractContextManager, nullcontext
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from integrations.engine import parts
from integrations.engine.context import Skip
from integrations.engine.parts import part_acknowledged
from integrations.models import Instance, SyncRequest
from tests import factories

YES, NO = {"positive": True, "text": "", "key": "9"}, {"positive": False, "text": "no", "key": ""}
ID = "SR-1"


class Told:
    """A run of its own instance, and what it was to write as received."""

    def __init__(self) -> None:
        self.instance: Instance = factories.InstanceFactory(status="running")
        self.spec = SimpleNamespace(package=SimpleNamespace(name="test"))
        self.claim = SimpleNamespace(writing=self._writing)

    @staticmethod
    def _writing() -> AbstractContextManager[None]:
        return nullcontext()

    def skip(self, reason: str) -> NoReturn:
        raise Skip(reason)

    def part(self, name: str, said: dict[str, Any] = YES) -> list[dict[str, Any]]:
        run: Any = self
        return part_acknowledged(run, ID, name, dict(said))

    def end(self, status: str = "succeeded") -> None:
        self.instance.status = status
        self.instance.save()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bool, str]]:
    """What is written of the whole sync request."""
    found: list[tuple[bool, str]] = []
    monkeypatch.setattr(parts, "received", lambda run, key, *, positive, text: found.append((positive, text)))
    return found


def expect(*names: str, **more: Any) -> SyncRequest:
    return SyncRequest.objects.create(
        package="test", sync_request_id=ID, status="awaiting", parts=dict.fromkeys(names), **more
    )


@pytest.mark.parametrize("order", list(itertools.permutations("abc")), ids="".join)
def test_the_last_answer_whichever_it_is_gets_all_in_the_order_they_were_sent(
    db: None, told: list, order: tuple[str, ...]
):
    expect("a", "b", "c")
    for left, name in zip((2, 1), order[:2], strict=True):
        with pytest.raises(Skip, match=f"waits for the answers of {left} more"):
            Told().part(name)
    assert told == []
    assert [one["name"] for one in Told().part(order[2])] == ["a", "b", "c"]
    assert told == [(True, "")]


def test_one_no_is_a_no_of_all_with_its_reason(db: None, told: list):
    expect("a", "b")
    with pytest.raises(Skip):
        Told().part("a", NO)
    found = Told().part("b")
    assert [one["positive"] for one in found] == [False, True]
    assert told == [(False, "a: no")]


def test_an_answer_for_a_sync_request_nobody_sent_is_passed_on(db: None, told: list):
    assert Told().part("a", NO) == [{"name": "a", **NO}]
    assert told == [(False, "a: no")]


def test_an_answer_about_a_part_that_is_none_changes_nothing(db: None, told: list):
    row = expect("a")
    with pytest.raises(Skip, match="does not wait for an answer about b"):
        Told().part("b")
    row.refresh_from_db()
    assert (row.parts, row.acknowledgement, told) == ({"a": None}, None, [])


def test_while_one_tells_no_other_does(db: None, told: list):
    expect("a")
    first = Told()
    first.part("a")
    with pytest.raises(Skip, match=f"is acknowledged by another instance, {first.instance.pk}"):
        Told().part("a")
    assert len(first.part("a")) == 1  # its own next attempt
    assert told == [(True, ""), (True, "")]


def test_where_one_that_told_has_failed_the_next_may(db: None, told: list):
    expect("a")
    first = Told()
    first.part("a")
    first.end("failed")
    assert len(Told().part("a")) == 1


@pytest.mark.parametrize("status", ["synchronised", "error"])
def test_what_is_settled_is_not_told_again(db: None, told: list, status: str):
    row = expect("a")
    first = Told()
    first.part("a")
    first.end()
    SyncRequest.objects.filter(pk=row.pk).update(status=status)
    with pytest.raises(Skip, match="is acknowledged by another instance"):
        Told().part("a", NO)
