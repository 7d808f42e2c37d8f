"""Which DERMS a message goes to: by its instance's name, else by division (contract, "Flows"; lookup Routing)."""

from typing import TYPE_CHECKING

from integrations.flows.cpmcs_derms.package import ROUTING

if TYPE_CHECKING:
    from integrations.engine.context import Run


def derms_for(run: "Run", *, instance: str | None = None, division: str | None = None) -> str:
    """The connection to the DERMS of this instance or division; LookupFault where the lookup has no row for it.

    A message that names neither goes where the row `*` says.
    """
    column, value = ("DRMS_Instance", instance) if instance else ("Division", division or "*")
    found = run.lookup(ROUTING, column, value, "DRMS_Site_Connection")
    run.key("dermsConnection", found)
    return found
