"""Addresses of the call centre's interface (contract, "CRM")."""

from django.urls import path

from crm.api.view import OperationView
from crm.soap.view import SchemaView, ServiceView

app_name = "crm"
urlpatterns = [
    path("crm/soap/<str:name>.xsd", SchemaView.as_view(), name="schema"),
    path("crm/soap/<str:service>", ServiceView.as_view(), name="service"),
    path("crm/soap/<str:service>/", ServiceView.as_view()),
    # What a WSDL names is beside it, also where that was asked for with a slash at the end.
    path("crm/soap/<str:service>/<str:name>.xsd", SchemaView.as_view()),
    path("api/crm/v1/<str:operation>", OperationView.as_view(), name="operation"),
    path("api/crm/v1/<str:operation>/", OperationView.as_view(schema=None)),
]
