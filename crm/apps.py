"""The crm app; its flows are discovered like those of any app."""

from django.apps import AppConfig


class Crm(AppConfig):
    """Trouble tickets, incidents and callbacks."""

    name = "crm"
    label = "crm"
