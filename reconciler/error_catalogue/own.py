"""What this tool itself reports about one portal, in an import or in a test, with what to do about it."""

from __future__ import annotations

from reconciler.error_catalogue.explanation import About, Case, Explanation, Source
from reconciler.labels import CREDENTIAL_REMEDIES

_MEDDLING = "Something between here and Microsoft changes answers. Nothing was imported; check the proxy."


def _row(
    about: About, code: str, message: str, when: str, remedy: str, cases: tuple[Case, ...] = (), example: str = ""
) -> Explanation:
    return Explanation(code, message, when, remedy, Source.OURS, about, cases, example)


PORTAL = (
    _row(
        About.PORTAL,
        "secret-unresolved",
        "The secret could not be resolved.",
        "A reference in the portal file leads to no value: the variable is not set, or there is no such file.",
        "Set the variable or write the file that the reference names.",
        example="export CONTOSO_SECRET=…  # for {env: CONTOSO_SECRET}",
    ),
    _row(
        About.PORTAL,
        "secret-id-pasted",
        "The secret is its own Secret ID.",
        "The value that was stored equals `secret_id` of the portal file. Entra would refuse it with AADSTS7000215; "
        "nothing was sent.",
        "In Entra admin center > App registrations > the app > Certificates & secrets > Client secrets, copy the "
        "column Value, not Secret ID; the Value is shown once, so create a new secret when it is gone.",
    ),
    _row(
        About.PORTAL,
        "github-token-missing",
        "GitHub Actions gave no token to sign in with.",
        "The portal signs in with `federated` and `github: true`, and the job may not ask for a token.",
        "Give the job of the workflow `permissions: id-token: write`. Outside of GitHub Actions, sign in another way.",
        (
            Case(
                "without a token",
                "Something other than GitHub answered.",
                "Check the proxy of the runner: something answers in GitHub's place.",
            ),
            Case(
                "is no https address",
                "The variable does not come from GitHub Actions.",
                "Leave the variable as GitHub Actions sets it.",
            ),
        ),
    ),
    _row(
        About.PORTAL,
        "managed-identity-missing",
        "There is no managed identity here to sign in with.",
        "The portal signs in with `managed_identity`, and this machine has none, or not this one.",
        "Run where the identity is assigned (Azure portal > the resource > Identity), check `assigned` and client_id "
        "in the portal file, or sign in another way.",
    ),
    _row(
        About.PORTAL,
        "keyvault-not-installed",
        "A secret is in a key vault, and what reads key vaults is not installed.",
        "A reference in the portal file is `{keyvault: …}`. Reading key vaults is an extra of the installation.",
        "Install the extra: `pip install 'm365-license-reconciler[keyvault]'`.",
    ),
    _row(
        About.PORTAL,
        "keyvault-sign-in-failed",
        "Signing in to the key vault failed.",
        "Entra gives no token for key vaults, or `keyvault` in reconcile.yaml refers to a secret that is not there. In "
        "parentheses stands the error; it has a page of its own.",
        "For the sign-in that `keyvault` in reconcile.yaml declares: …",
    ),
    _row(
        About.PORTAL,
        "keyvault-refused",
        "The key vault refuses to give out the secret.",
        "The identity that `keyvault` in reconcile.yaml declares may not read secrets there.",
        "In Azure portal > the key vault > Access control (IAM), give the identity that `keyvault` in reconcile.yaml "
        "declares the role Key Vault Secrets User; with access policies, the secret permission Get.",
        (
            Case(
                "ForbiddenByFirewall",
                "The network of this machine is not let in.",
                "In Azure portal > the key vault > Networking, let the address of this machine in, or run in a "
                "network that is.",
            ),
            Case(
                "AKV10032",
                "The token is of another tenant than the vault.",
                "Correct `keyvault.tenant_id` in reconcile.yaml: it must be the tenant that the key vault belongs to.",
            ),
        ),
    ),
    _row(
        About.PORTAL,
        "keyvault-secret-missing",
        "The key vault has no such secret.",
        "The vault that the reference names has neither a secret nor a certificate of that name.",
        "Correct `vault` and `secret` of the reference in the portal file, or create the secret in the key vault.",
        example="az keyvault secret list --vault-name contoso-licenses --query '[].name'",
    ),
    _row(
        About.PORTAL,
        "keyvault-secret-unusable",
        "The secret in the key vault cannot be used.",
        "It has no value, or one that is not what its content type says. In parentheses stands which.",
        "Store the secret in the key vault again.",
        (
            Case(
                "it is disabled",
                "Somebody has switched it off.",
                "Enable the secret in the key vault, or let the reference in the portal file name another one.",
            ),
            Case(
                "it expired on …",
                "The expiration date that the vault keeps with the secret is over. It was not used.",
                "Store a new secret in the key vault as a new version, or correct its expiration date.",
            ),
        ),
    ),
    _row(
        About.PORTAL,
        "keyvault-unreachable",
        "The key vault could not be asked.",
        "There is no such vault, the network does not lead there, or something else answered.",
        "Check `vault` of the reference in the portal file, `keyvault.cloud` in reconcile.yaml, then network and "
        "proxy: the vault's host must be reachable, like Microsoft's sign-in.",
    ),
    _row(
        About.PORTAL,
        "thumbprint-unreadable",
        "Thumbprint from public key could not be read.",
        "The public certificate cannot be parsed. In parentheses stands which.",
        "Provide the certificate again, as PEM: the file must start with -----BEGIN CERTIFICATE-----.",
        (
            Case(
                "is no PFX file",
                "The file that `pfx` names is none.",
                "Provide the PFX file again, in binary form.",
            ),
        ),
        example="openssl x509 -in app.crt -noout -subject -enddate -fingerprint -sha256",
    ),
    _row(
        About.PORTAL,
        "assertion-failed",
        "JSON Web Token generation for authentication with GraphAPI failed.",
        "The token request cannot be signed: the private key cannot be used, or the certificate is not valid. In "
        "parentheses stands why.",
        "Check the private key (RSA, right passphrase, belongs to the certificate) and the certificate's end date.",
        (
            Case(
                "needs a passphrase",
                "The private key is encrypted.",
                "Name its passphrase in the portal file: `passphrase: {env: NAME}`.",
            ),
            Case(
                "is not encrypted, yet a passphrase is given",
                "The private key is not encrypted.",
                "Delete `passphrase` from the portal file.",
            ),
            Case(
                "does not open with this passphrase, or is damaged",
                "The passphrase is another file's, or the file is cut.",
                "Store the passphrase of this very file where `passphrase` points, or provide the file again.",
            ),
            Case(
                "is no PEM private key",
                "The file that `private_key` names is something else.",
                "Provide the private key as PEM: the file must start with -----BEGIN PRIVATE KEY-----.",
            ),
            Case(
                "is not RSA",
                "Entra accepts RSA keys only.",
                "Make an RSA key with a new certificate, and upload that certificate to the app.",
            ),
            Case(
                "does not belong to the certificate",
                "Key and certificate are of two pairs.",
                "Store the private key and the certificate of the same pair where the portal file points.",
            ),
            Case(
                "is not valid before …",
                "The certificate begins later, or this machine's clock is wrong.",
                "Wait until …, use the certificate before it, or set the clock of this machine.",
            ),
            Case(
                "the certificate expired on …",
                "The certificate's validity has ended. Entra was not asked.",
                "Make a new certificate, upload it to the app (Entra admin center > App registrations > the app > "
                "Certificates & secrets > Certificates), and store it with its private key where the portal file "
                "points.",
            ),
        ),
        example="openssl pkey -in app.key -noout -text_pub",
    ),
    _row(
        About.PORTAL,
        "foreign-link",
        "A link to the next page leads to another host.",
        "Graph's answer sends the token elsewhere. It was not sent.",
        _MEDDLING,
        (
            Case(
                "The tenant's configuration names a token endpoint on another host.",
                "Entra's answer sends the secret elsewhere. It was not sent.",
                "Check `cloud` in the portal file, then the proxy. No secret was sent there.",
            ),
        ),
    ),
    _row(
        About.PORTAL,
        "page-loop",
        "The list of pages has no end.",
        "A page links to itself or to one before it, or there are more pages than any tenant has.",
        _MEDDLING,
    ),
    _row(
        About.PORTAL,
        "answer-too-large",
        "The answer is larger than any real one.",
        "One answer has more than 64 MiB.",
        _MEDDLING,
    ),
    _row(
        About.PORTAL,
        "tenant-mismatch",
        "Another tenant than the portal's answered.",
        "The tenant that Graph names is not the portal's.",
        "Check tenant_id in the portal file, and whether a proxy answers from a cache.",
    ),
    _row(
        About.PORTAL,
        "internal",
        "Internal error: ….",
        "A defect of this program. Only this portal is affected, or, outside of an import, the command.",
        "Run again with -vv and report the traceback.",
    ),
)
"""One portal could not be read. It keeps its last values, the others are applied."""

TEST = (
    _row(
        About.TEST,
        "credential-expired",
        "It expired on ….",
        "The day that `expires` of a client secret names is over. A certificate that has ended is assertion-failed.",
        CREDENTIAL_REMEDIES["secret"],
    ),
    _row(
        About.TEST,
        "credential-expiring",
        "It ends …, on ….",
        "The day that `expires` of a client secret names is near; the settings say how near.",
        CREDENTIAL_REMEDIES["secret"],
        (
            Case(
                "(certificate …)",
                "The end of a certificate is near; it stands in the certificate itself.",
                CREDENTIAL_REMEDIES["certificate"],
            ),
        ),
    ),
    _row(
        About.TEST,
        "key-too-short",
        "The RSA key has … bits; it needs at least 2048.",
        "A key of that length can be broken.",
        "Make a new pair (`reconcile certificate create`), upload its certificate in Entra, and let the portal's file "
        "point to it.",
    ),
    _row(
        About.TEST,
        "clock-wrong",
        "The clock of this machine is about … … Microsoft's.",
        "This machine's clock is wrong by a minute or more; from five minutes on Entra may refuse signed requests.",
        "Set the clock of this machine, and let it follow a time server (`timedatectl set-ntp true`).",
    ),
    _row(
        About.TEST,
        "token-unreadable",
        "The token does not show its permissions.",
        "Microsoft's token is not in the form that it has had so far. It may work all the same.",
        "Nothing to do when the calls below succeed.",
    ),
    _row(
        About.TEST,
        "permission-missing",
        "The token lacks ….",
        "A permission was not granted, or nobody has consented to it.",
        "In Entra admin center > App registrations > the app > API permissions > Add a permission > Microsoft Graph > "
        "Application permissions, add …, then Grant admin consent.",
    ),
    _row(
        About.TEST,
        "permission-excessive",
        "More than needed: ….",
        "The app may do more than this tool needs.",
        "In Entra admin center > App registrations > the app > API permissions, remove …: User.Read.All and "
        "Organization.Read.All are enough.",
        (
            Case(
                "in place of …",
                "A wider permission stands in for one that is enough.",
                "In Entra admin center > App registrations > the app > API permissions, add …, then remove …: "
                "User.Read.All and Organization.Read.All are enough.",
            ),
        ),
    ),
)
"""Found by `reconcile test-connection` before an import stumbles over it."""
