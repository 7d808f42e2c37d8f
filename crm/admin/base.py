"""What the call centre's pages share."""

from typing import TypeVar

from django.db.models import Model

from integrations.admin.base import ConsoleAdmin, RecordAdmin

M = TypeVar("M", bound=Model)


class CrmAdmin(ConsoleAdmin[M]):
    """A page with a form."""

    class Media:
        """The call centre's own style, beside the console's."""

        css = {"all": ["crm/console.css"]}


class CrmRecordAdmin(RecordAdmin[M]):
    """A page without one: what may be done to its row are buttons and forms that POST to services."""

    class Media:
        """The call centre's own style, beside the console's."""

        css = {"all": ["crm/console.css"]}
