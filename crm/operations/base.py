"""What every operation is: a name, a place in its service, and two steps, of which the second writes."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from crm.config import Config
from crm.operations.problems import Problems
from integrations.models import Client

Plain = dict[str, Any]


@dataclass
class Asked:
    """A message that is valid, as an operation sees it."""

    settings: Config
    problems: Problems
    header: Plain
    request: Plain
    payload: Plain
    client: Client | None
    message: UUID
    now: datetime


@dataclass
class Done:
    """What an operation did: the reply's Payload, how many items it was asked for and saw to.

    `kept` and `incidents`: what its `afterwards` needs.
    """

    payload: Plain | None = None
    items: int = 0
    done: int = 0
    kept: list[Any] = field(default_factory=list)
    incidents: set[str] = field(default_factory=set)


class Operation(ABC):
    """One operation. `noun`: what its header names; `replies`: the noun of its reply, as the seed's table spells it."""

    name: ClassVar[str]
    service: ClassVar[str]
    verb: ClassVar[str]
    noun: ClassVar[str]
    replies: ClassVar[str]
    asks_in: ClassVar[str]
    answers_in: ClassVar[str]
    context: ClassVar[bool] = False
    repeatable: ClassVar[bool] = True
    item_path: ClassVar[tuple[str, str]] = ("", "")

    @property
    def answer_element(self) -> str:
        """The message element of its reply."""
        return f"{self.answers_in}ResponseMessage"

    @property
    def fault_element(self) -> str:
        """The message element of its fault."""
        return f"{self.answers_in}FaultMessage"

    def prepare(self, asked: Asked) -> Any:
        """All that needs no transaction: checks, and asking other systems. Raises Stop."""
        return None

    @abstractmethod
    def perform(self, asked: Asked, prepared: Any) -> Done:
        """Do it, inside a transaction. Raises Stop."""

    def afterwards(self, asked: Asked, done: Done) -> bool:
        """What follows once it is committed; True where that added to the problems."""
        return False

    def items(self, payload: Plain) -> list[Plain]:
        """The tickets or results of a payload."""
        outer, inner = self.item_path
        found: list[Plain] = (payload.get(outer) or {}).get(inner, []) if outer else []
        return found
