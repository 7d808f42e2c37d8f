"""The control of every neighbour: one server, a path each (contract: neighbour control).

`POST /control/<name>/fail {"mode", "times"}`, `GET /control/<name>/received`, `POST /control/<name>/reset`,
and what a neighbour offers beside, e.g. `POST /control/ccs/extract {"batchCode"}`.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from demo.http import Answer, Call, HttpServer, problem

Action = Callable[[Mapping[str, Any]], Any]


class Neighbour(Protocol):
    """What every neighbour can be asked for."""

    def fail(self, mode: str, times: int | None = None) -> None:
        """Fail the next `times` calls, all where None; ValueError for a mode it does not know."""

    def received(self) -> list[dict[str, Any]]:
        """What it was sent, oldest first."""
        ...

    def reset(self) -> None:
        """Work again, forget what was received."""


class Control(HttpServer):
    """One server for all neighbours; it works while they are told to be down."""

    def __init__(
        self,
        neighbours: Mapping[str, Neighbour],
        actions: Mapping[str, Mapping[str, Action]] | None = None,
        *,
        port: int = 0,
    ) -> None:
        """`actions`: neighbour → verb → what POST {control}/{verb} does with its JSON body."""
        super().__init__(port=port)
        self._neighbours = dict(neighbours)
        self._actions = dict(actions or {})

    def url_of(self, name: str) -> str:
        """The control URL of one neighbour."""
        return f"{self.url}/control/{name}"

    def handle(self, call: Call) -> Answer:
        """One control call; 404 for an unknown neighbour or verb, 400 for values that mean nothing."""
        _, _, rest = call.path.partition("/control/")
        name, _, verb = rest.strip("/").partition("/")
        if name not in self._neighbours:
            return Answer(
                404, problem(404, f"There is no neighbour {name!r}; there are {', '.join(self._neighbours)}")
            )
        try:
            return self._do(name, call.method, verb, _object(call.body and call.json()))
        except (ValueError, TypeError, KeyError) as error:
            return Answer(400, problem(400, str(error)))

    def _do(self, name: str, method: str, verb: str, values: Mapping[str, Any]) -> Answer:
        neighbour = self._neighbours[name]
        if (method, verb) == ("GET", "received"):
            return Answer(200, neighbour.received())
        if (method, verb) == ("POST", "fail"):
            neighbour.fail(str(values.get("mode", "")), **_times(values))
            return Answer(200, {"mode": values.get("mode"), "times": values.get("times")})
        if (method, verb) == ("POST", "reset"):
            neighbour.reset()
            return Answer(200, {})
        action = self._actions.get(name, {}).get(verb)
        if action is None or method != "POST":
            return Answer(404, problem(404, f"{name} has no {method} {verb}"))
        return Answer(200, action(values))


def _object(value: Any) -> Mapping[str, Any]:
    if value in (b"", None):
        return {}
    if not isinstance(value, dict):
        raise ValueError("The body has to be a JSON object")
    return value


def _times(values: Mapping[str, Any]) -> dict[str, int]:
    times = values.get("times")
    if times is None:
        return {}
    if not isinstance(times, int) or isinstance(times, bool):
        raise ValueError(f"times is {times!r}, which is not a whole number")
    return {"times": times}
