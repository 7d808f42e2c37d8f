"""The neighbours of the customer programs: CPMCS with its file server and object storage, and DERMS (seed 002)."""

import time
from collections.abc import Mapping
from pathlib import Path

from demo import cpmcs_messages
from demo.control import Action
from demo.cpmcs import Cpmcs
from demo.day_places import DayPlaces
from demo.derms import BASE, Derms
from demo.derms_messages import (
    ENROLMENT_ACK,
    ENROLMENT_REQUEST,
    NETWORK_MODEL,
    OUAI_OUTCOMES,
    OUTCOMES,
    RESERVATION,
    STAGE_STATUS,
    STATUS_ACK,
    SYNC_ACK,
)
from demo.hub_caller import Hub
from demo.kept import Kept
from demo.mail import MailServer
from demo.reach import Caller, Reach
from demo.shelf import Folder
from demo.world_servers import (
    Server,
    client_secret,
    hub_reach,
    object_server,
    objects_reach,
    rest_reach,
    sftp_reach,
    sftp_server,
)

# As the package's lookup OUTL-BRT-DACS_DRMS_ConfigProps has them (seed 002).
SCORE_DIRECTORY = "/sploutput/CPMCSEnv/DeviceScore"
NETWORK_DIRECTORY = "/spl/sploutput/CPMCSEnv/NetworkLocation"
NAMESPACE, SCORE_BUCKET = "dacsnamespace", "DACS_DERMS_DEVICE_SCORE"
NETWORK_BUCKET = "DACS_DERMS_NETWORK_LOCATION"

CHILD_FLOWS = ("OUTL-BA-DACS_FTP_TRANSFER", "OUTL-BA-DACS_OS_TRANSFER")
CPMCS_CLIENT, DERMS_CLIENT = "CPMCS", "DERMS"
CPMCS_FLOWS = tuple(cpmcs_messages.FLOWS.values())
DERMS_FLOWS = tuple(
    kind.identifier
    for kind in (
        ENROLMENT_REQUEST,
        ENROLMENT_ACK,
        STATUS_ACK,
        STAGE_STATUS,
        RESERVATION,
        OUTCOMES,
        NETWORK_MODEL,
        SYNC_ACK,
    )
)
# CCS numbers its sync requests by the clock too; beginning elsewhere, nobody takes one for the other.
_NUMBERS_BEGIN = 50_000_000_000_000


class CpmcsDerms:
    """CPMCS and DERMS as the world has them."""

    def __init__(self, folder: Path, *, hub_url: str, kept: Kept) -> None:
        """As World takes them."""
        self._hub_url = hub_url
        self._kept = kept
        root = folder / "cpmcs-files"
        self.scores = Folder(root / SCORE_DIRECTORY.lstrip("/"))
        self.networks = Folder(root / NETWORK_DIRECTORY.lstrip("/"))
        self.sftp = sftp_server(kept, "cpmcs-sftp", root, user="CPMCSUSER")
        self.objects = object_server(kept, "cpmcs-objects", NAMESPACE, [SCORE_BUCKET, NETWORK_BUCKET])
        self.cpmcs = Cpmcs(
            first_id=_NUMBERS_BEGIN + int(time.time()) * 10_000,
            kept=folder / "records",
            username="CPMCSUSER",
            password=kept.secret("cpmcs"),
            port=kept.port("cpmcs"),
        )
        self.derms = Derms(
            hub=self._hub(DERMS_CLIENT),
            answers=True,
            username="DERMSUSER",
            password=kept.secret("derms"),
            port=kept.port("derms"),
        )

    def _hub(self, client_id: str) -> Hub:
        return Hub(self._hub_url, client_id, client_secret(self._kept, client_id))

    @property
    def neighbours(self) -> dict[str, Server]:
        """By name, in the order they start: DERMS last, as it calls."""
        return {
            "cpmcs-sftp": self.sftp,
            "cpmcs-objects": self.objects,
            "cpmcs": self.cpmcs,
            "derms": self.derms,
        }

    def places(self, mail: MailServer) -> DayPlaces:
        """Who acts on a day of the customer programs, and where its effects are looked for."""
        return DayPlaces(
            cpmcs=self.cpmcs,
            derms=self.derms,
            hub=self._hub(CPMCS_CLIENT),
            scores=self.scores,
            score_bucket=self.objects.shelf(SCORE_BUCKET),
            networks=self.networks,
            mail=mail,
        )

    def callers(self) -> list[Caller]:
        """CPMCS and DERMS, each with the flows that its own messages start; DERMS has one of the analytics too."""
        return [
            Caller(name, f"{name}, the neighbour", flows, client_secret(self._kept, name))
            for name, flows in (
                (CPMCS_CLIENT, CPMCS_FLOWS),
                (DERMS_CLIENT, (*DERMS_FLOWS, OUAI_OUTCOMES.identifier)),
            )
        ]

    def reaches(self) -> list[Reach]:
        """How each connection of the package reaches its neighbour."""
        return [
            rest_reach("OU REST CPMCS for CPMCS-DERMS", self.cpmcs),
            rest_reach("OU REST DERMS for CPMCS-DERMS", self.derms, base=BASE),
            hub_reach("OU REST MP OIC for CPMCS-DERMS", self._hub_url, self._kept),
            Reach("OU REST for CPMCS-DERMS"),
            sftp_reach("OU FTP CPMCS for CPMCS-DERMS", self.sftp, SCORE_DIRECTORY),
            objects_reach("OU REST CPMCS Object Storage for CPMCS-DERMS", self.objects, SCORE_BUCKET),
        ]

    @property
    def actions(self) -> Mapping[str, Mapping[str, Action]]:
        """What each can be told beside, as it says itself."""
        return {"cpmcs": self.cpmcs.actions, "derms": self.derms.actions}
