"""What is sent on a call centre's day, and what has to come of it."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from demo.calls import Placed, Ticket, placed, ticket

TRANSFORMER = "T-NYC-01"  # whose incident is restored
MOST_TICKETS = 50  # in a message
ASKED_ONE_IN = 5  # of the tickets that are not the transformer's; each is a question of its own


@dataclass(frozen=True)
class CallsPlan:
    """What the day's tickets are called. `mark`: in every name, so that no other day has the same."""

    mark: str
    now: datetime

    def name(self, one: Placed) -> str:
        """A ticket's external id."""
        return f"{one.call.city.upper()}-{one.call.key}-{self.mark}"

    @cached_property
    def tickets(self) -> dict[str, tuple[Placed, Ticket]]:
        """All of them, by name."""
        return {
            self.name(one): (one, ticket(one, place, name=self.name(one), now=self.now))
            for place, one in enumerate(placed())
        }

    @property
    def messages(self) -> list[tuple[str, list[Ticket]]]:
        """The messages, each of one city: its name and tickets."""
        by_city: dict[str, list[Ticket]] = {}
        for one, made in self.tickets.values():
            by_city.setdefault(one.call.city, []).append(made)
        return [
            (city, made[start : start + MOST_TICKETS])
            for city, made in by_city.items()
            for start in range(0, len(made), MOST_TICKETS)
        ]

    @cached_property
    def dark(self) -> dict[str, Placed]:
        """The tickets of the transformer, by name."""
        return {name: one for name, (one, _) in self.tickets.items() if one.transformer == TRANSFORMER}

    @cached_property
    def asked(self) -> dict[str, Placed]:
        """The tickets that the hub is asked for afterwards, by name: the transformer's, and some of all kinds."""
        others = [(name, one) for name, (one, _) in self.tickets.items() if name not in self.dark]
        return self.dark | dict(others[::ASKED_ONE_IN])

    @property
    def asking(self) -> set[str]:
        """The service delivery points of those who want to be called back when it is restored."""
        return {one.point for one in self.dark.values() if one.asks}

    @property
    def for_ivr(self) -> set[str]:
        """Those whom the IVR calls."""
        return {one.point for one in self.dark.values() if one.asks and one.to_ivr}

    @property
    def automatic(self) -> list[str]:
        """Those whom an operator leaves to the IVR."""
        return [one.point for one in self.dark.values() if one.asks and one.automatic]
