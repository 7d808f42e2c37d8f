"""The neighbours of the call centre's interface: the call centre itself, and the IVR (seed 004)."""

from collections.abc import Mapping

from demo.call_centre import CallCentre
from demo.control import Action
from demo.day_calls import CallPlaces
from demo.hub_caller import Hub
from demo.ivr import PATH, Ivr
from demo.kept import Kept
from demo.mail import MailServer
from demo.reach import Caller, Reach
from demo.world_servers import Server, client_secret

CONNECTION = "OU SOAP IVR for GRIDOPS-CRM"
# Each system that calls the interface, and the operations that it may call.
OPERATIONS = {
    "CALLCENTER": (
        "CreatedTroubleTickets",
        "ChangedTroubleTickets",
        "GetTroubleTickets",
        "GetCallbacks",
        "CreatedCallBacksResults",
    ),
    # An IVR takes trouble calls as well (seed 004 section 5.1), though this one does not.
    "IVR": ("CreatedTroubleTickets", "ChangedTroubleTickets", "GetTroubleTickets", "CreatedCallBacksResults"),
}
_NAMES = {"CALLCENTER": "The call centre", "IVR": "IVR, the neighbour"}


class Crm:
    """The call centre and the IVR as the world has them."""

    def __init__(self, *, hub_url: str, kept: Kept) -> None:
        """As World takes them."""
        self._kept = kept
        self.centre = CallCentre(Hub(hub_url, "CALLCENTER", client_secret(kept, "CALLCENTER")))
        self.ivr = Ivr(
            hub=Hub(hub_url, "IVR", client_secret(kept, "IVR")),
            username="IVRUSER",
            password=kept.secret("ivr"),
            port=kept.port("ivr"),
        )

    @property
    def neighbours(self) -> dict[str, Server]:
        """By name; the call centre only calls."""
        return {"ivr": self.ivr}

    def places(self, mail: MailServer) -> CallPlaces:
        """Who acts on a day of trouble calls, and where its effects are looked for."""
        return CallPlaces(centre=self.centre, ivr=self.ivr, mail=mail)

    def callers(self) -> list[Caller]:
        """Both, each with the operations that it may call."""
        return [
            Caller(name, _NAMES[name], operations, client_secret(self._kept, name))
            for name, operations in OPERATIONS.items()
        ]

    def reaches(self) -> list[Reach]:
        """How the connection of the package reaches its neighbour."""
        settings = {"auth": "basic", "url": f"{self.ivr.url}{PATH}", "user": self.ivr.username}
        return [Reach(CONNECTION, settings, {"password": self.ivr.password})]

    @property
    def actions(self) -> Mapping[str, Mapping[str, Action]]:
        """What each can be told beside, as it says itself."""
        return {"ivr": self.ivr.actions}
