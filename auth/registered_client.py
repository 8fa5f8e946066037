"""A registered application as Authlib asks about it."""

from collections.abc import Mapping
from types import MappingProxyType

from auth.clients import Client, Kind

_METHODS: Mapping[Kind, frozenset[str]] = MappingProxyType(
    {
        Kind.PUBLIC: frozenset({"none"}),
        Kind.CONFIDENTIAL: frozenset({"client_secret_basic", "client_secret_post"}),
        Kind.SIGNING: frozenset({"private_key_jwt"}),
    }
)


class RegisteredClient:
    """A registered application as Authlib asks about it."""

    def __init__(self, client: Client) -> None:
        self.registered = client
        self.client_id = client.client_id

    def get_client_id(self) -> str:
        """Return the client_id."""
        return self.client_id

    def get_allowed_scope(self, scope: str | None) -> str:
        """Return *scope* as it is; `SmartRequest` judges it."""
        return scope or ""

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Tell whether the address is registered."""
        return self.registered.answers_at(redirect_uri)

    def check_client_secret(self, client_secret: str) -> bool:
        """Tell whether the secret is this application's."""
        return self.registered.knows(client_secret)

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        """Tell whether this kind of application may authenticate so, at any endpoint."""
        return method in _METHODS[self.registered.kind]

    def check_response_type(self, _response_type: str) -> bool:
        """Leave the judgement to `SmartRequest`."""
        return True

    def check_grant_type(self, grant_type: str) -> bool:
        """Tell whether the grant is one of those that there are."""
        return grant_type in {"authorization_code", "refresh_token", "client_credentials"}
