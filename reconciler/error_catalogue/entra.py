"""What Entra reports when it refuses a token, and what to do about it.

Sources: Microsoft, "Microsoft Entra authentication and authorization error codes", and recordings of real answers.
The messages are shortened; Entra's own, in full, is shown when the error happens. Codes are diagnostics that Microsoft
may change: an unknown one is no surprise.
"""

from __future__ import annotations

from reconciler.error_catalogue.explanation import About, Case, Explanation, Source

_APP = "Entra admin center > App registrations > the app"
_SECRETS = f"In {_APP} > Certificates & secrets > Client secrets"
_UPLOAD = (
    f"In {_APP} > Certificates & secrets > Certificates, upload the public certificate that the portal file names, "
    "and check that it has not expired and belongs to the private key."
)
_FEDERATION = f"In {_APP} > Certificates & secrets > Federated credentials"
_CLOUD = "Check `cloud` in the portal file: the tenant lives in another Microsoft cloud."
_NONE_SENT = "Store a secret or a certificate where the portal file points: none was sent."
_BUSY = "Nothing to mend: Microsoft's sign-in is busy. The next run tries again."
_SIGNER = "Update this tool; if it lasts, look for a proxy that changes requests."


def _row(
    number: int, message: str, when: str, remedy: str, cases: tuple[Case, ...] = (), example: str = ""
) -> Explanation:
    return Explanation(f"AADSTS{number}", message, when, remedy, Source.ENTRA, About.PORTAL, cases, example)


ENTRA = (
    _row(
        90002,
        "Tenant '…' not found.",
        "No tenant of this cloud has the portal's tenant_id, or it has no active subscription left.",
        "Correct tenant_id in the portal file (Entra admin center > Overview > Tenant ID), and check `cloud`.",
    ),
    _row(
        900023,
        "Specified tenant identifier '…' is neither a valid DNS name, nor a valid external domain.",
        "tenant_id is neither a GUID nor a domain.",
        "Correct tenant_id in the portal file: it must be the Directory (tenant) ID, a GUID.",
    ),
    _row(
        700016,
        "Application with identifier '…' was not found in the directory '…'.",
        "client_id names no app in this tenant.",
        "Correct client_id in the portal file (App registrations > the app > Application (client) ID), or tenant_id "
        "when the app is registered in another tenant.",
    ),
    _row(
        7000229,
        "The client application … is missing service principal in the tenant ….",
        "The app is registered elsewhere, and nobody has let it into this tenant yet.",
        "Check tenant_id and client_id in the portal file; if they are right, let an administrator of the tenant "
        "consent to the app (App registrations > the app > API permissions > Grant admin consent).",
    ),
    _row(
        7000112,
        "Application '…'(…) is disabled.",
        "Sign-in to the app is switched off in this tenant.",
        "Enable the app: Entra admin center > Enterprise applications > the app > Properties > Enabled for users to "
        "sign-in.",
    ),
    _row(
        7000215,
        "Invalid client secret provided.",
        "The secret is not one of the app's: mistyped, cut, deleted, or the Secret ID was stored in place of the "
        "Value. (When the portal file has `secret_id`, the tool says secret-id-pasted before it asks Entra.)",
        f"{_SECRETS}, create a new secret and store its Value, not its Secret ID, where the portal file points.",
        example="A Value has about 40 characters, some of them ~ . _ or -; a Secret ID is a GUID.",
    ),
    _row(
        7000222,
        "The provided client secret keys for app '…' are expired.",
        "The secret was right, and its validity has ended.",
        f"{_SECRETS}, create a new secret, store its Value where the portal file points, and correct `expires`.",
    ),
    _row(7000216, "'client_assertion', 'client_secret' or 'request' is required", "No proof was sent.", _NONE_SENT),
    _row(
        7000218,
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        "No proof was sent.",
        _NONE_SENT,
    ),
    _row(
        700027,
        "Client assertion failed signature validation.",
        "Entra has no valid certificate of the app that this request was signed with. Its description gives the "
        "reason.",
        _UPLOAD,
        (
            Case(
                "Reason - The key was not found.",
                "The certificate is not registered on the app.",
                f"In {_APP} > Certificates & secrets > Certificates, upload the public certificate that the portal "
                "file names; the message says its thumbprint.",
            ),
            Case(
                "Reason - The key used is expired.",
                "The certificate is registered on the app, and past its end.",
                "Make a new certificate that has not expired, upload it to the app (Certificates & secrets > "
                "Certificates), and store it with its private key where the portal file points.",
            ),
            Case(
                "Reason - The provided signature value did not match the expected signature value.",
                "The certificate is registered on the app, and the private key belongs to another one.",
                "Store the private key that belongs to the certificate, or upload the certificate that belongs to the "
                "private key.",
            ),
        ),
    ),
    _row(7000213, "Invalid certificate chain.", "The certificate's issuer is not trusted for this app.", _UPLOAD),
    _row(
        5002723,
        "Invalid JWT token. No certificate SHA-1 thumbprint, certificate SHA-256 thumbprint, nor keyId specified",
        "The signed request does not name its certificate.",
        _UPLOAD,
    ),
    _row(
        5002727,
        "Invalid JWT header type specified",
        "The federated token is not of a kind that Entra takes.",
        "Check the file that `authentication.token` names: it must hold a token that its issuer made for Entra.",
    ),
    _row(
        5002738,
        "Invalid JWT token. '…' is not a supported signature algorithm.",
        "The key is not RSA, or the token of another identity provider is signed in a way that Entra refuses.",
        "Use an RSA key: Entra does not accept the signature algorithm '…'.",
    ),
    _row(
        50027,
        "JWT token is invalid or malformed.",
        "What was sent as the app's proof is no token: the file with the federated token is damaged.",
        "Check the file that `authentication.token` names: it must hold one token (a JWT) and nothing else.",
    ),
    _row(
        700021,
        "Client assertion application identifier doesn't match 'client_id' parameter.",
        "The signed request names another app as its sender.",
        "Check client_id in the portal file: the signed request names another app.",
    ),
    _row(
        700023,
        "Client assertion audience claim does not match Realm issuer.",
        "The signed request is meant for another tenant or cloud.",
        _CLOUD,
    ),
    _row(
        700024,
        "Client assertion is not within its valid time range.",
        "This machine's clock is wrong by more than a few minutes, or the federated token is too old.",
        "Set the clock of this machine: Entra accepts a signed request only within minutes of its own time. A "
        "federated token must be a fresh one.",
        example="timedatectl status",
    ),
    _row(90014, "The required field '…' is missing from the credential.", "The signed request lacks '…'.", _SIGNER),
    _row(900144, "The request body must contain the following parameter: '…'.", "A field was lost.", _SIGNER),
    _row(
        70021,
        "No matching federated identity record found for presented assertion.",
        "No federated credential of the app matches the token in issuer, subject and audience.",
        f"{_FEDERATION}, compare Issuer, Subject and Audience with the token's, which stand in parentheses; case "
        "matters.",
    ),
    _row(
        700211,
        "No matching federated identity record found for presented assertion issuer '…'.",
        "The federated token comes from an issuer that the app does not trust.",
        f"{_FEDERATION}, make one credential's Issuer exactly '…', as the token has it; compare case and the slash at "
        "the end.",
        example="GitHub Actions: https://token.actions.githubusercontent.com",
    ),
    _row(
        700212,
        "No matching federated identity record found for presented assertion audience '…'.",
        "The federated token is made for another audience than the app's credential says.",
        f"{_FEDERATION}, make the credential's Audience exactly '…', as the token has it, or have the token made for "
        "the credential's audience.",
        example="api://AzureADTokenExchange",
    ),
    _row(
        700213,
        "No matching federated identity record found for presented assertion subject '…'.",
        "The federated token is for another repository, branch, environment or service account than the app's "
        "credential says.",
        f"{_FEDERATION}, make one credential's Subject exactly '…', as the token has it; case matters.",
        example="repo:contoso/licenses:ref:refs/heads/main; repositories made after 2026-07-15 carry IDs: "
        "repo:contoso@1234/licenses@5678:ref:refs/heads/main",
    ),
    _row(
        53003,
        "Access has been blocked by Conditional Access policies.",
        "A Conditional Access policy for workload identities does not let this app sign in from here.",
        "Exclude the app from the Conditional Access policy for workload identities, or allow this machine's address "
        "in it.",
    ),
    _row(500011, "The resource principal named … was not found in the tenant named ….", "Wrong cloud.", _CLOUD),
    _row(70011, "The provided value for the input parameter 'scope' is not valid.", "Wrong cloud.", _CLOUD),
    _row(1002012, "The provided value for scope … is not valid.", "Wrong cloud.", _CLOUD),
    _row(900382, "Confidential Client is not supported in Cross Cloud request.", "Wrong cloud.", _CLOUD),
    _row(90038, "The tenant '…' belongs to the National Cloud '…'.", "Wrong cloud.", _CLOUD),
    _row(90006, "External server is temporarily unavailable.", "Entra is busy; retries did not help.", _BUSY),
    _row(90024, "A transient error has occurred.", "Entra is busy; retries did not help.", _BUSY),
    _row(90033, "A transient error has occurred.", "Entra is busy; retries did not help.", _BUSY),
    _row(90055, "The tenant is exceeding its limit of requests.", "Entra is busy; retries did not help.", _BUSY),
)
"""The rows, in the order in which a sign-in meets them."""
