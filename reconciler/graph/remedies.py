"""What to do about the errors that Entra and Graph report: one line per code, each saying what to click or type.

Sources: Microsoft, "Microsoft Entra authentication and authorization error codes"; Microsoft Graph documentation,
"Error responses and resource types". Codes are diagnostics that Microsoft may change: an unknown one is no surprise.
"""

from __future__ import annotations

_SECRETS = "Entra admin center > App registrations > the app > Certificates & secrets"
_CREDENTIAL = f"In {_SECRETS}"
_CLOCK = "Set the clock of this machine: Entra accepts a signed request only within minutes of its own time."
_NO_SERVICE_PRINCIPAL = (
    "Check tenant_id and client_id in the portal file; if they are right, let an administrator of the tenant consent "
    "to the app (App registrations > the app > API permissions > Grant admin consent)."
)
_WRONG_CLOUD = "Check `cloud` in the portal file: the tenant lives in another Microsoft cloud."
_FEDERATION = f"{_CREDENTIAL} > Federated credentials, compare issuer, subject and audience; case matters."
_BUSY = "Nothing to mend: Microsoft's sign-in is busy. The next run tries again."
_UPLOAD = (
    f"{_CREDENTIAL} > Certificates, upload the public certificate that the portal file names, and check that it has "
    "not expired and belongs to the private key."
)

_ENTRA = {
    "AADSTS50027": "Check the private key and the certificate: Entra could not read the signed request.",
    "AADSTS53003": "Exclude the app from the Conditional Access policy for workload identities, or allow this "
    "machine's address in it.",
    "AADSTS70011": _WRONG_CLOUD,
    "AADSTS90002": "Correct tenant_id in the portal file (Entra admin center > Overview > Tenant ID), and check "
    "`cloud`.",
    "AADSTS90006": _BUSY,
    "AADSTS90024": _BUSY,
    "AADSTS90033": _BUSY,
    "AADSTS90038": _WRONG_CLOUD,
    "AADSTS90055": _BUSY,
    "AADSTS500011": _WRONG_CLOUD,
    "AADSTS700016": "Correct client_id in the portal file (App registrations > the app > Application (client) ID), "
    "or tenant_id when the app is registered in another tenant.",
    "AADSTS700021": "Check client_id in the portal file: the signed request names another app.",
    "AADSTS700023": _WRONG_CLOUD,
    "AADSTS700024": _CLOCK,
    "AADSTS700027": _UPLOAD,
    "AADSTS700211": _FEDERATION,
    "AADSTS700212": _FEDERATION,
    "AADSTS700213": _FEDERATION,
    "AADSTS900023": "Correct tenant_id in the portal file: it must be the Directory (tenant) ID, a GUID.",
    "AADSTS900382": _WRONG_CLOUD,
    "AADSTS1002012": _WRONG_CLOUD,
    "AADSTS5002723": _UPLOAD,
    "AADSTS5002738": "Use an RSA key: Entra does not accept the key's signature algorithm.",
    "AADSTS7000112": "Enable the app: Entra admin center > Enterprise applications > the app > Properties > Enabled "
    "for users to sign-in.",
    "AADSTS7000213": _UPLOAD,
    "AADSTS7000215": f"{_CREDENTIAL} > Client secrets, create a new secret and store its Value, not its Secret ID, "
    "where the portal file points.",
    "AADSTS7000216": "Store a secret or a certificate where the portal file points: none was sent.",
    "AADSTS7000218": "Store a secret or a certificate where the portal file points: none was sent.",
    "AADSTS7000222": f"{_CREDENTIAL} > Client secrets, create a new secret, store its Value where the portal file "
    "points, and correct `expires`.",
    "AADSTS7000229": _NO_SERVICE_PRINCIPAL,
}

_GRAPH = {
    "authorization_requestdenied": "Grant the app the application permissions User.Read.All and "
    "Organization.Read.All (App registrations > the app > API permissions), then Grant admin consent.",
    "authentication_msgraphpermissionmissing": "Grant the app the application permissions User.Read.All and "
    "Organization.Read.All (App registrations > the app > API permissions), then Grant admin consent.",
    "invalidauthenticationtoken": "Check `cloud` in the portal file and run again; if it lasts, remove the app's "
    "sessions in Entra and look for a proxy that changes headers.",
    "toomanyrequests": "Run again later, import fewer portals at once with --jobs, or raise --retry-limit: Graph "
    "throttles this app.",
    "request_throttledtemporarily": "Run again later, import fewer portals at once with --jobs, or raise "
    "--retry-limit: Graph throttles this app.",
    "directory_expiredpagetoken": "Run again: the list of users was too slow to read before Graph forgot the place.",
    "directorypagetokennotfoundexception": "Run again: Graph lost its place in the list of users.",
}


def remedy(code: str, status: int) -> str | None:
    """What to do about an error's code, else about its HTTP status; None when there is nothing special to say."""
    known = _ENTRA.get(code) or _GRAPH.get(code.casefold())
    if known is None and status == 429:
        return _GRAPH["toomanyrequests"]
    if known is None and status >= 500:
        return "Nothing to mend here: Microsoft's side is failing. The next run tries again."
    if known is None and status == 403:
        return _GRAPH["authorization_requestdenied"]
    return known
