"""All neighbours of all projects and a mail server, started together, and how the hub reaches them."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from demo import world_ccs_dacs, world_cpmcs_derms, world_ouai_dacs
from demo.control import Control
from demo.day_analytics import AnalyticsPlaces
from demo.day_calls import CallPlaces
from demo.day_places import DayPlaces
from demo.day_points import PointsPlaces
from demo.effects import Neighbourhood
from demo.kept import Kept
from demo.mail import MailServer
from demo.namespaces import NamespaceServer
from demo.ouai import Ouai
from demo.reach import PEOPLE, Caller, Reach
from demo.world_ccb_wam import CcbWam
from demo.world_ccs_dacs import CcsDacs
from demo.world_cpmcs_derms import CpmcsDerms
from demo.world_crm import Crm
from demo.world_ouai_dacs import DACS_BUCKETS, OuaiDacs
from demo.world_servers import HUB_CLIENT, Server, Starts, client_secret

# In the order they start: in each project last who calls.
NEIGHBOURS = (
    *("mail", "ccs-sftp", "dacs-sftp", "ccs-objects", "dacs-objects", "ccs", "dacs"),
    *("cpmcs-sftp", "cpmcs-objects", "cpmcs", "derms"),
    *("ouai", "dacs-sync", "ccb", "wam", "ivr"),
)


class World:
    """The neighbours of the five projects and a mail server, with one control server for all."""

    def __init__(
        self,
        folder: Path,
        *,
        hub_url: str,
        kept: Kept,
        population: int = 300,
        first_id: int | None = None,
        breaks: Sequence[tuple[str, str]] = (),
    ) -> None:
        """`folder`: files and records of the neighbours; `first_id`: of CCS's sync requests, by the clock where
        None, so that no two starts use the same; `breaks`: neighbours and modes to fail with from the start.
        """
        self._kept = kept
        self._breaks = breaks
        self._stack = ExitStack()
        self.mail = MailServer(folder / "mails", port=kept.port("mail"))
        self.ccs_dacs = CcsDacs(
            folder,
            hub_url=hub_url,
            kept=kept,
            population=population,
            first_id=first_id,
            buckets=DACS_BUCKETS,
        )
        self.cpmcs_derms = CpmcsDerms(folder, hub_url=hub_url, kept=kept)
        self.ouai_dacs = OuaiDacs(
            folder, hub_url=hub_url, kept=kept, dacs=self.ccs_dacs, derms=self.cpmcs_derms.derms
        )
        self.ccb_wam = CcbWam(folder, hub_url=hub_url, kept=kept)
        self.crm = Crm(hub_url=hub_url, kept=kept)
        self._projects = (self.ccs_dacs, self.cpmcs_derms, self.ouai_dacs, self.ccb_wam, self.crm)
        actions = {name: more for project in self._projects for name, more in project.actions.items()}
        self.control = Control(self.neighbours, actions, port=kept.port("control"))

    @property
    def neighbours(self) -> dict[str, Server]:
        """All of them, by name, in the order they start."""
        found = {name: one for project in self._projects for name, one in project.neighbours.items()}
        return {"mail": self.mail, **found}

    def start(self) -> Self:
        """Start all; those that could be started are stopped where one cannot."""
        with ExitStack() as stack:
            for name, server in self._servers():
                server.start()
                stack.callback(server.stop)
                if isinstance(server, NamespaceServer | Ouai):
                    server.reset(files=True)  # moto keeps what an earlier world of this process put there
                self._kept.keep_port(name, server.port)
            for name, mode in self._breaks:
                self.neighbours[name].fail(mode)
            self._stack = stack.pop_all()
        return self

    def _servers(self) -> list[tuple[str, Starts]]:
        return [*self.neighbours.items(), ("control", self.control)]

    def stop(self) -> None:
        """Stop all, last started first; harmless twice."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def mail_url(self) -> str:
        """The mail server as EMAIL_URL names it."""
        return f"smtp://{self.mail.host}:{self.mail.port}"

    @property
    def places(self) -> Neighbourhood:
        """Where the effects of the customer sync are looked for."""
        return self.ccs_dacs.places(self.mail)

    @property
    def day_places(self) -> DayPlaces:
        """Who acts on a day of the customer programs, and where its effects are looked for."""
        return self.cpmcs_derms.places(self.mail)

    @property
    def analytics_places(self) -> AnalyticsPlaces:
        """Who acts on a day of the analytics, and where its effects are looked for."""
        return self.ouai_dacs.places(self.mail)

    @property
    def points_places(self) -> PointsPlaces:
        """Who acts on a day of the service points, and where its effects are looked for."""
        return self.ccb_wam.places(self.mail)

    @property
    def call_places(self) -> CallPlaces:
        """Who acts on a day of trouble calls, and where its effects are looked for."""
        return self.crm.places(self.mail)

    def addresses(self) -> dict[str, dict[str, str]]:
        """Each neighbour's URL and the URL of its control (contract: `var/demo.json`)."""
        return {
            name: {"url": server.url, "control": self.control.url_of(name)}
            for name, server in self.neighbours.items()
        }

    def passwords(self) -> dict[str, str]:
        """A password for each person of the demo, short enough to type."""
        return {username: self._kept.secret(f"user {username}", bytes_of_chance=9) for username in PEOPLE}

    def callers(self) -> list[Caller]:
        """The neighbours that call the hub; and the hub, which calls its own child flows."""
        projects = (world_ccs_dacs, world_cpmcs_derms, world_ouai_dacs)
        children = [flow for project in projects for flow in project.CHILD_FLOWS]
        itself = Caller(HUB_CLIENT, "The hub itself", children, client_secret(self._kept, HUB_CLIENT))
        return [
            *self.ccs_dacs.callers(),
            *self.cpmcs_derms.callers(),
            *self.ccb_wam.callers(),
            *self.crm.callers(),
            itself,
        ]

    def reaches(self) -> list[Reach]:
        """How each connection of all packages reaches its neighbour."""
        return [reach for project in self._projects for reach in project.reaches()]
