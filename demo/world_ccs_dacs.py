"""The neighbours of the customer sync: CCS, DACS, their file servers and object storages (seed 001 chapter 5)."""

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from demo.acknowledgements import HubAddress
from demo.ccs import Ccs
from demo.control import Action
from demo.dacs import Dacs
from demo.effects import Neighbourhood
from demo.extracts import BATCHES
from demo.kept import Kept
from demo.mail import MailServer
from demo.reach import Caller, Reach
from demo.shelf import Folder, Shelf
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

# As the package's lookup OUTL-BRT-CCS_DACS_ConfigProps has them (seed 001 chapter 6).
CCS_DIRECTORY = "/sploutput/CCSEnv/CustomerSync"
DACS_DIRECTORY = "/spl/sploutput/DACSEnv/CustomerSync"
CCS_NAMESPACE, DACS_NAMESPACE, BUCKET = "ccsnamespace", "dacsnamespace", "CCSDACS_CustomerSync"

ACK_FLOW = "OUTL-BA-DACS_CCS_CUST_SYNC_ACK"
CHILD_FLOWS = ("OUTL-BA-CCS_DACS_FTP_TRANSFER", "OUTL-BA-CCS_DACS_OS_TRANSFER")
ACK_PATH = f"/ic/api/integration/v1/flows/oracleutilities/{ACK_FLOW}/1.0/sendCustomerSyncAck"
DACS_CLIENT = "DACS"


class CcsDacs:
    """CCS and DACS as the world has them."""

    def __init__(
        self,
        folder: Path,
        *,
        hub_url: str,
        kept: Kept,
        population: int = 300,
        first_id: int | None = None,
        buckets: Iterable[str] = (),
    ) -> None:
        """As World takes them; `buckets`: further ones of DACS, for another project."""
        self._hub_url = hub_url
        self._kept = kept
        self.source = Folder(folder / "ccs-files" / CCS_DIRECTORY.lstrip("/"))
        self.target = Folder(folder / "dacs-files" / DACS_DIRECTORY.lstrip("/"))
        self.ccs_sftp = sftp_server(kept, "ccs-sftp", folder / "ccs-files", user="CCSUSER")
        self.dacs_sftp = sftp_server(kept, "dacs-sftp", folder / "dacs-files", user="DACSUSER")
        self.ccs_objects = object_server(kept, "ccs-objects", CCS_NAMESPACE, [BUCKET])
        self.dacs_objects = object_server(kept, "dacs-objects", DACS_NAMESPACE, [BUCKET, *buckets])
        self.ccs = Ccs(
            population=population,
            first_id=first_id or int(time.time()) * 10_000,
            kept=folder / "records",
            username="CCSUSER",
            password=kept.secret("ccs"),
            port=kept.port("ccs"),
        )
        self.dacs = Dacs(
            shelves={"ftp": self.target, "os": self.dacs_objects.shelf(BUCKET)},
            hub=HubAddress(hub_url + ACK_PATH, DACS_CLIENT, client_secret(kept, DACS_CLIENT)),
            kept=folder / "records",
            username="DACSUSER",
            password=kept.secret("dacs"),
            port=kept.port("dacs"),
        )

    @property
    def neighbours(self) -> dict[str, Server]:
        """By name, in the order they start: DACS last, as it calls."""
        return {
            "ccs-sftp": self.ccs_sftp,
            "dacs-sftp": self.dacs_sftp,
            "ccs-objects": self.ccs_objects,
            "dacs-objects": self.dacs_objects,
            "ccs": self.ccs,
            "dacs": self.dacs,
        }

    def places(self, mail: MailServer) -> Neighbourhood:
        """Where the effects of the customer sync are looked for."""
        return Neighbourhood(self.ccs, self.dacs, self.source, self.target, mail)

    def callers(self) -> list[Caller]:
        """DACS, which acknowledges and may hand in files."""
        secret = client_secret(self._kept, DACS_CLIENT)
        return [Caller(DACS_CLIENT, "DACS, the neighbour", (ACK_FLOW, *CHILD_FLOWS), secret)]

    def reaches(self) -> list[Reach]:
        """How each connection of the package reaches its neighbour."""
        return [
            sftp_reach("OU FTP CCS for CCS-DACS", self.ccs_sftp, CCS_DIRECTORY),
            sftp_reach("OU FTP DACS for CCS-DACS", self.dacs_sftp, DACS_DIRECTORY),
            objects_reach("OU REST CCS OS for CCS-DACS", self.ccs_objects, BUCKET),
            objects_reach("OU REST DACS OS for CCS-DACS", self.dacs_objects, BUCKET),
            rest_reach("OU REST CCS for CCS-DACS", self.ccs),
            rest_reach("OU REST DACS for CCS-DACS", self.dacs),
            Reach("OU REST for CCS-DACS"),
            hub_reach("OU REST OIC for CCS-DACS", self._hub_url, self._kept),
        ]

    @property
    def actions(self) -> Mapping[str, Mapping[str, Action]]:
        """What CCS can be told beside: `extract {"batchCode", "changes", "zip", "to": "ftp" or "os"}`."""
        return {"ccs": {"extract": self._extract}}

    def _extract(self, values: Mapping[str, Any]) -> dict[str, Any]:
        batch = BATCHES.get(str(values.get("batchCode")))
        if batch is None:
            raise ValueError(f"batchCode is {values.get('batchCode')!r}; it can be {', '.join(BATCHES)}")
        if not batch.initial:
            self.ccs.change(batch.entity, int(values.get("changes", 5)))
        made = self.ccs.extract(batch.code, self._shelf(values), zipped=bool(values.get("zip")))
        return {
            "name": made.name,
            "records": made.records,
            "sha256": made.sha256,
            "syncRequests": made.references,
        }

    def _shelf(self, values: Mapping[str, Any]) -> Shelf:
        place = values.get("to", "ftp")
        if place not in ("ftp", "os"):
            raise ValueError(f"to is {place!r}; it can be ftp or os")
        return self.source if place == "ftp" else self.ccs_objects.shelf(BUCKET)
