"""What Test tried, step by step, with the time each took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from integrations.adapters.contract import TestStep
from integrations.adapters.errors import AdapterError, HostKeyRefused


class Steps:
    """Steps in the order they were tried; the first that fails ends the test."""

    def __init__(self) -> None:
        self.done: list[TestStep] = []

    @contextmanager
    def step(self, what: str) -> Iterator[list[str]]:
        """Time this block as one step; what is appended to the yielded list becomes its detail."""
        said: list[str] = []
        began = time.monotonic()
        try:
            yield said
        except AdapterError as error:
            self.done.append(_failed(what, began, error))
            raise
        self.done.append(TestStep(what, ok=True, milliseconds=_since(began), detail="; ".join(said)))

    @contextmanager
    def until_failure(self) -> Iterator[None]:
        """The steps in this block; the failure of one is in `done` and goes no further.

        One that failed outside any step (settings that cannot work) becomes a step of its own.
        """
        before = time.monotonic()
        try:
            yield
        except AdapterError as error:
            if not self.done or self.done[-1].ok:
                self.done.append(_failed("Check settings", before, error))


def _failed(what: str, began: float, error: AdapterError) -> TestStep:
    detail = (
        f"{error.text} ({error.detail})" if error.detail and error.detail not in error.text else error.text
    )
    offered = error.offered if isinstance(error, HostKeyRefused) else ""
    return TestStep(
        what, ok=False, milliseconds=_since(began), detail=detail, hint=error.hint, offered_host_key=offered
    )


def _since(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 1)
