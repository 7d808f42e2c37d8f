"""The outage side's tables; every other module imports them from here."""

from crm.models.callback import Callback
from crm.models.caller import CrmCaller
from crm.models.incident import Crew, Incident
from crm.models.landbase import LandbaseObject
from crm.models.message import Nonce, ReceivedMessage
from crm.models.service_delivery_point import ServiceDeliveryPoint
from crm.models.ticket import CallerContact, TroubleTicket

__all__ = [
    "Callback",
    "CallerContact",
    "Crew",
    "CrmCaller",
    "Incident",
    "LandbaseObject",
    "Nonce",
    "ReceivedMessage",
    "ServiceDeliveryPoint",
    "TroubleTicket",
]
