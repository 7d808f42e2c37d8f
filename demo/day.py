"""A day of a project's neighbours, played through the hub: each step once what it needs is seen."""

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import chain

from demo.day_story import Script, Step, is_yes, said
from demo.effects import Effect
from demo.job import look_until_seen
from demo.show import Show

POLL_SECONDS = 0.05


def play_day(
    script: Script,
    *,
    state: Callable[[str], str],
    show: Show,
    watch: Callable[[], None],
    patience: float,
) -> list[Effect]:
    """The day's effects once all are seen, or once nothing new has come for `patience` seconds.

    `state` says how an instance stands, to tell why something is missing; `watch` is called between looks, and what
    it raises ends the day.
    """
    day = Day(script, show)
    with show.bars(script.way) as bars:
        look_until_seen(day.look, bars=bars, watch=watch, patience=patience, every=POLL_SECONDS)
    return day.seen(state)


class Day:
    """The steps, how far they have come, and what was said of each."""

    def __init__(self, script: Script, show: Show) -> None:
        """Nothing is begun."""
        self._show = show
        self._steps = script.steps
        self._story = script.story
        self._answers = script.story.answers
        self._begun: dict[str, float] = {}
        self._done: set[str] = set()

    def look(self) -> list[Effect]:
        """Begin the next step that can be begun, say which ones are done; every effect as it stands now."""
        if step := next(filter(self._can_begin, self._steps), None):
            self._begin(step)
        found = {step.name: step.effects() for step in self._steps}
        for one in self._steps:
            if one.name in self._begun and all(effect.ok for effect in found[one.name]):
                self._tell(one)
        return [*chain.from_iterable(found.values()), *self._story.overall(self._steps)]

    def seen(self, state: Callable[[str], str]) -> list[Effect]:
        """Every effect as it stands now, with the reason where it is missing; `state`: as `play_day` takes it."""
        found = [self._explained(step, one, state) for step in self._steps for one in step.effects()]
        return [*found, *self._story.overall(self._steps)]

    def _can_begin(self, step: Step) -> bool:
        return step.name not in self._begun and self._done.issuperset(step.after)

    def _begin(self, step: Step) -> None:
        self._begun[step.name] = time.monotonic()
        answer = self._answers[step.name] = step.act()
        if not is_yes(answer):
            self._show.trouble(f"{step.does}: {said(answer)}")

    def _tell(self, step: Step) -> None:
        """Say it once, and only where the hub said yes to it."""
        if step.name not in self._done and is_yes(self._answers[step.name]):
            self._done.add(step.name)
            seconds = time.monotonic() - self._begun[step.name]
            self._show.done(f"{step.does} … {step.then}", seconds)

    def _explained(self, step: Step, effect: Effect, state: Callable[[str], str]) -> Effect:
        if effect.ok:
            return effect
        known = (effect.detail, self._why_not(step, state))
        return replace(effect, detail="; ".join(filter(None, known)))

    def _why_not(self, step: Step, state: Callable[[str], str]) -> str:
        """What the hub said; where it said yes, how its instance stands and what a neighbour has refused."""
        answer = self._answers.get(step.name)
        if answer is None:
            needs = [one.does for one in self._steps if one.name in step.after and one.name not in self._done]
            return f"not begun, as this has not come about: {', '.join(needs)}"
        if not is_yes(answer):
            return said(answer)
        return "; ".join(filter(None, (said(answer), state(answer.instance), self._story.refusal())))
