"""The neighbours of the analytics: OUAI, and DACS as it is told of enrolments (seed 003); the rest is there already."""

import time
from collections.abc import Mapping
from pathlib import Path

from demo.control import Action
from demo.dacs_sync import DacsSync
from demo.day_analytics import FTP_TRANSFER, KWH_DIRECTORY, AnalyticsPlaces
from demo.derms import BASE, Derms
from demo.hub_caller import Hub
from demo.kept import Kept
from demo.mail import MailServer
from demo.ouai import BUCKETS, ENROLMENTS, NAMESPACE, Ouai
from demo.reach import Reach
from demo.shelf import Folder
from demo.world_ccs_dacs import CcsDacs
from demo.world_servers import (
    HUB_CLIENT,
    Server,
    client_secret,
    object_server,
    objects_reach,
    rest_reach,
    sftp_reach,
)

# As the package's lookup OUTL-BRT-OUAI_DACS_DRMS_ConfigProps has them (seed 003 chapter 7).
EXTRACT_DIRECTORY = "/sploutput/DACSEnv/enroll/"
EXTRACT_BUCKET, KWH_BUCKET = "DACS_EnrollFolder", "DACS_KWHAvdFolder"
DACS_BUCKETS = (EXTRACT_BUCKET, KWH_BUCKET)

CHILD_FLOWS = ("OUTL-BA-OUAI_OS_TRANSFER", FTP_TRANSFER, "OUTL-BA-OUAI_DACS_OS_TRANSFER")
# Apart from those of CCS, CPMCS and CC&B, so that nobody takes one for the other.
_NUMBERS_BEGIN = 30_000_000_000_000


class OuaiDacs:
    """OUAI and DACS as the world has them; DACS's places are those of the customer sync."""

    def __init__(self, folder: Path, *, hub_url: str, kept: Kept, dacs: CcsDacs, derms: Derms) -> None:
        """As World takes them; `dacs`: whose file server and object storage DACS is met at, with DACS_BUCKETS."""
        self._hub = Hub(hub_url, HUB_CLIENT, client_secret(kept, HUB_CLIENT))
        self._derms = derms
        self._sftp, self._objects = dacs.dacs_sftp, dacs.dacs_objects
        root = folder / "dacs-files"
        self._extracts = Folder(root / EXTRACT_DIRECTORY.strip("/"))
        self._kwh = Folder(root / KWH_DIRECTORY.strip("/"))
        self.ouai = Ouai(object_server(kept, "ouai", NAMESPACE, BUCKETS))
        self.dacs = DacsSync(
            first_id=_NUMBERS_BEGIN + int(time.time()) * 10_000,
            kept=folder / "records",
            username="DACSUSER",
            password=kept.secret("dacs-sync"),
            port=kept.port("dacs-sync"),
        )

    @property
    def neighbours(self) -> dict[str, Server]:
        """By name, in the order they start."""
        return {"ouai": self.ouai, "dacs-sync": self.dacs}

    def places(self, mail: MailServer) -> AnalyticsPlaces:
        """Who acts on a day of the analytics, and where its effects are looked for."""
        return AnalyticsPlaces(
            ouai=self.ouai,
            dacs=self.dacs,
            derms=self._derms,
            hub=self._hub,
            extracts=self._extracts,
            extract_bucket=self._objects.shelf(EXTRACT_BUCKET),
            kwh_bucket=self._objects.shelf(KWH_BUCKET),
            kwh=self._kwh,
            mail=mail,
        )

    def reaches(self) -> list[Reach]:
        """How each connection of the package reaches its neighbour."""
        return [
            objects_reach("OU REST OUAI OS for OUAI DACS DRMS", self.ouai.objects, ENROLMENTS),
            sftp_reach("OU FTP DACS for OUAI DACS DRMS", self._sftp, EXTRACT_DIRECTORY),
            objects_reach("OU REST DACS OS for OUAI DACS DRMS", self._objects, EXTRACT_BUCKET),
            rest_reach("OU REST DACS for OUAI DACS DRMS", self.dacs),
            rest_reach("OU REST DRMS for OUAI DACS DRMS", self._derms, base=BASE),
            rest_reach("OU REST API DRMS for OUAI DACS DRMS", self._derms, base=BASE),
            Reach("OU REST for OUAI DACS DERMS"),
        ]

    @property
    def actions(self) -> Mapping[str, Mapping[str, Action]]:
        """What each can be told beside, as it says itself."""
        return {"ouai": self.ouai.actions, "dacs-sync": self.dacs.actions}
