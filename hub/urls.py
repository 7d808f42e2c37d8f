"""Where everything answers, but /healthz, /readyz and /metrics: those are in hub/middleware.py."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView
from oauth2_provider.views import RevokeTokenView, TokenView

from integrations.admin.business_object import business_object_view

# Of django-oauth-toolkit, only what client credentials need: no consent pages, no application editor, and no
# introspection, which would tell any holder of a token about the others'.
_oauth2: list[URLPattern | URLResolver] = [
    path("token/", TokenView.as_view(), name="token"),
    path("revoke_token/", RevokeTokenView.as_view(), name="revoke-token"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/object/", admin.site.admin_view(business_object_view), name="business-object"),
    path("admin/", admin.site.urls),
    path("o/", include((_oauth2, "oauth2_provider"))),
    path("ic/api/integration/", include("integrations.api.urls")),
    path("", include("crm.urls")),
    path("docs/api/", SpectacularSwaggerSplitView.as_view(url_name="openapi"), name="api-docs"),
    path("docs/api/openapi.json", SpectacularJSONAPIView.as_view(), name="openapi"),
]

handler400 = "hub.errors.bad_request"
handler403 = "hub.errors.forbidden"
handler404 = "hub.errors.not_found"
handler500 = "hub.errors.server_error"
