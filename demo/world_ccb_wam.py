"""The neighbours of the service points: CC&B and WAM (seed 000)."""

import time
from collections.abc import Mapping
from pathlib import Path

from demo.ccb import SERVICE_POINT_SYNC, Ccb
from demo.control import Action
from demo.day_points import NOT_AT_WAM, PointsPlaces
from demo.hub_caller import Hub
from demo.kept import Kept
from demo.mail import MailServer
from demo.reach import Caller, Reach
from demo.wam import ACKNOWLEDGEMENT, LOCATION_TYPES, Wam
from demo.world_servers import Server, client_secret, rest_reach

# Each system that calls the hub, and the flow that its messages start.
FLOWS = {"CCB": SERVICE_POINT_SYNC.identifier, "WAM": ACKNOWLEDGEMENT.identifier}
# Apart from those of CCS, DACS and CPMCS, so that nobody takes one for the other.
_NUMBERS_BEGIN = 40_000_000_000_000


class CcbWam:
    """CC&B and WAM as the world has them; WAM refuses one type of service point, and says so later."""

    def __init__(self, folder: Path, *, hub_url: str, kept: Kept) -> None:
        """As World takes them."""
        self._kept = kept
        self.wam = Wam(
            hub=Hub(hub_url, "WAM", client_secret(kept, "WAM")),
            refuse_later=True,
            location_types=[one for one in LOCATION_TYPES if one != NOT_AT_WAM],
            username="WAMUSER",
            password=kept.secret("wam"),
            port=kept.port("wam"),
        )
        self.ccb = Ccb(
            hub=Hub(hub_url, "CCB", client_secret(kept, "CCB")),
            first_id=_NUMBERS_BEGIN + int(time.time()) * 10_000,
            kept=folder / "records",
            username="CCBUSER",
            password=kept.secret("ccb"),
            port=kept.port("ccb"),
        )

    @property
    def neighbours(self) -> dict[str, Server]:
        """By name, in the order they start: WAM last, as it calls."""
        return {"ccb": self.ccb, "wam": self.wam}

    def places(self, mail: MailServer) -> PointsPlaces:
        """Who acts on a day of the service points, and where its effects are looked for."""
        return PointsPlaces(ccb=self.ccb, wam=self.wam, mail=mail)

    def callers(self) -> list[Caller]:
        """CC&B and WAM, each with the flow that its messages start."""
        return [
            Caller(name, f"{name}, the neighbour", (flow,), client_secret(self._kept, name))
            for name, flow in FLOWS.items()
        ]

    def reaches(self) -> list[Reach]:
        """How each connection of the package reaches its neighbour."""
        return [
            rest_reach("OU REST CCB for CCB-WAM", self.ccb),
            rest_reach("OU REST WAM for CCB-WAM", self.wam),
        ]

    @property
    def actions(self) -> Mapping[str, Mapping[str, Action]]:
        """What each can be told beside, as it says itself."""
        return {"ccb": self.ccb.actions, "wam": self.wam.actions}
