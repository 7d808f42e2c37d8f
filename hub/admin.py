"""Pages of the apps the hub builds on: users, roles and tokens in its look; the queue's own taken away."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.http import HttpRequest
from django_q.models import Failure, OrmQ, Schedule, Success
from oauth2_provider.models import (
    get_access_token_model,
    get_application_model,
    get_grant_model,
    get_id_token_model,
    get_refresh_token_model,
)

from hub.theme import AdminPasswordChangeForm, ModelAdmin, UserChangeForm, UserCreationForm
from lookups.only_listed import OnlyListed

# django-q2's pages run code: a user who may only view can resubmit and schedule any callable, and listing
# failures unpickles what is in the table (docs/security.md, S1). Nobody needs OAuth2's codes here.
UNWANTED: list[type[Model]] = [
    Failure,
    OrmQ,
    Schedule,
    Success,
    get_grant_model(),
    get_id_token_model(),
    get_refresh_token_model(),
]
for unwanted in [*UNWANTED, User, Group, get_application_model(), get_access_token_model()]:
    if admin.site.is_registered(unwanted):
        admin.site.unregister(unwanted)


@admin.register(User)
class HubUserAdmin(OnlyListed, UserAdmin, ModelAdmin[User]):  # type: ignore[type-arg]  # Django's takes none at run time
    """Users; only a superuser makes or changes superusers, so that no role grows beyond itself."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "first_name", "last_name", "email", "is_staff", "is_active", "last_login"]
    list_filter = ["groups", "is_staff", "is_active"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who is no superuser gives rights by roles alone."""
        fixed = [*super().get_readonly_fields(request, obj), "last_login", "date_joined"]
        return fixed if request.user.is_superuser else [*fixed, "is_superuser", "user_permissions"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A superuser's page (and password) is for superusers."""
        return self._may_touch(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As for changing."""
        return self._may_touch(request, obj) and super().has_delete_permission(request, obj)

    def _may_touch(self, request: HttpRequest, obj: Any) -> bool:
        return obj is None or not obj.is_superuser or request.user.is_superuser


@admin.register(Group)
class HubGroupAdmin(OnlyListed, GroupAdmin, ModelAdmin[Group]):
    """Roles. The five the hub ships are set again at each migrate (hub/roles.py); a site adds its own."""


class Issued(OnlyListed, ModelAdmin[Any]):
    """Rows that the token endpoint or the Clients page makes: to look at only."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never here."""
        return False


@admin.register(get_application_model())
class ApplicationAdmin(Issued):
    """OAuth2 applications, one a client, made and removed with it."""

    list_display = ["client_id", "name", "authorization_grant_type", "created"]
    search_fields = ["client_id", "name"]
    fields = ["client_id", "name", "client_type", "authorization_grant_type", "created", "updated"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """With its client alone."""
        return False


@admin.register(get_access_token_model())
class AccessTokenAdmin(Issued):
    """Which tokens are out, never their values (kept hashed); deleting one revokes it."""

    list_display = ["application", "created", "expires", "scope"]
    list_filter = ["application"]
    fields = ["application", "created", "expires", "scope"]
