"""The hub's addresses, and the same tables in Django's own admin, as it comes, below /plain/."""

from django.apps import apps
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.urls import path

from hub.site import BusbarAdminSite
from hub.urls import urlpatterns as hub_urls

PLAIN = BusbarAdminSite(name="plain")
for _model in apps.get_models():
    if admin.site.is_registered(_model):
        PLAIN.register(_model, ModelAdmin)

urlpatterns = [path("plain/", PLAIN.urls), *hub_urls]
