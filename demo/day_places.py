"""Who acts on a day of the customer programs, and where its effects are looked for."""

from dataclasses import dataclass

from demo.cpmcs import Cpmcs
from demo.derms import Derms
from demo.hub_caller import Hub
from demo.mail import MailServer
from demo.shelf import Folder, Shelf


@dataclass(frozen=True, slots=True)
class DayPlaces:
    """`hub`: as CPMCS knows it (DERMS has its own); `scores`, `score_bucket`: where CPMCS puts device scores;
    `networks`: where it gets network location files.
    """

    cpmcs: Cpmcs
    derms: Derms
    hub: Hub
    scores: Folder
    score_bucket: Shelf
    networks: Folder
    mail: MailServer
