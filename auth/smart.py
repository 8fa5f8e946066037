"""What applications can find out about us before they are known. SMART App Launch 2.2, RFC 8414.

https://hl7.org/fhir/smart-app-launch/conformance.html. Nothing is named here that is not done.
"""

from collections.abc import Mapping
from typing import Any

from auth.public_keys import ALGORITHMS
from auth.scopes import PUSH
from auth.services import AuthServices

CAPABILITIES = (
    "launch-standalone",
    "client-public",
    "client-confidential-symmetric",
    "client-confidential-asymmetric",
    "context-standalone-patient",
    "permission-offline",
    "permission-patient",
    "permission-user",
    "permission-v1",
    "permission-v2",
    "authorize-post",
)
SCOPES = (
    "launch/patient",
    "offline_access",
    "patient/*.rs",
    "patient/*.read",
    "patient/Communication.c",
    "user/*.rs",
    "user/*.read",
    PUSH,
)


def configuration(services: AuthServices) -> Mapping[str, Any]:
    """Return the content of `/.well-known/smart-configuration`.

    Without `issuer` and `jwks_uri`, which belong to OpenID Connect alone there.
    """
    base = services.public_url
    return {
        "authorization_endpoint": f"{base}/authorize",
        "token_endpoint": f"{base}/token",
        "revocation_endpoint": f"{base}/revoke",
        "introspection_endpoint": f"{base}/introspect",
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": [
            "none",
            "client_secret_basic",
            "client_secret_post",
            "private_key_jwt",
        ],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "scopes_supported": list(SCOPES),
        "capabilities": list(CAPABILITIES),
    }


def metadata(services: AuthServices) -> Mapping[str, Any]:
    """Return the content of `/.well-known/oauth-authorization-server` (RFC 8414, RFC 9207)."""
    shared = {
        name: value for name, value in configuration(services).items() if name != "capabilities"
    }
    return {
        "issuer": services.public_url,
        **shared,
        "authorization_response_iss_parameter_supported": True,
    }
