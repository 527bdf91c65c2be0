"""What Graph reports, and what the way to Microsoft does to a request, with what to do about each.

Sources: Microsoft Graph documentation, "Error responses and resource types", "Throttling", "Paging". Graph's own
message is shown when the error happens; codes come in any case.
"""

from __future__ import annotations

from reconciler.error_catalogue.explanation import About, Case, Explanation, Source

_GRANT = (
    "Grant the app the application permissions User.Read.All and Organization.Read.All (App registrations > the app > "
    "API permissions), then Grant admin consent."
)
_THROTTLED = (
    "Run again later, import fewer portals at once with --jobs, or raise --retry-limit: Graph throttles this app."
)
_FAILING = "Nothing to mend here: Microsoft's side is failing. The next run tries again."
_REQUEST = "Update this tool; if it lasts, look for a proxy that changes requests."
_REFUSED = (
    "Check `cloud` in the portal file and run again; if it lasts, remove the app's sessions in Entra and look for a "
    "proxy that changes headers."
)


def _graph(code: str, message: str, when: str, remedy: str, cases: tuple[Case, ...] = ()) -> Explanation:
    return Explanation(code, message, when, remedy, Source.GRAPH, About.PORTAL, cases)


GRAPH = (
    _graph(
        "Authorization_RequestDenied",
        "Insufficient privileges to complete the operation.",
        "The token lacks a permission: it was not granted, or nobody has consented to it.",
        _GRANT,
    ),
    _graph(
        "Authentication_MSGraphPermissionMissing",
        "The principal does not have required Microsoft Graph permission(s): …",
        "The token lacks a permission, and Graph says which.",
        _GRANT,
    ),
    _graph(
        "InvalidAuthenticationToken",
        "Access token validation failure.",
        "Graph does not accept the token, nor a new one.",
        _REFUSED,
        (
            Case(
                "the token is expired",
                "The token is over before Graph sees it: this machine's clock is wrong, or a proxy holds requests "
                "back.",
                "Set the clock of this machine and run again.",
            ),
            Case(
                "Invalid audience",
                "The token is for another cloud's Graph.",
                "Check `cloud` in the portal file: the token is for another Microsoft cloud.",
            ),
            Case(
                "Access token is empty",
                "The token was lost on the way.",
                "Look for a proxy between here and Graph that removes the header Authorization.",
            ),
        ),
    ),
    _graph(
        "TooManyRequests",
        "Too many requests from Identifier:… under category:…. Please try again later.",
        "This app has used up its share of requests in this tenant; retries did not help.",
        _THROTTLED,
    ),
    _graph(
        "Request_ThrottledTemporarily",
        "Your request is throttled temporarily.",
        "This app has used up its share of requests in this tenant; retries did not help.",
        _THROTTLED,
    ),
    _graph(
        "Directory_ExpiredPageToken",
        "The specified page token value has expired and can no longer be included in your request.",
        "The list of users was read too slowly, and starting again did not help.",
        "Run again: the list of users was too slow to read before Graph forgot the place.",
    ),
    _graph(
        "DirectoryPageTokenNotFoundException",
        "Token not found.",
        "Graph no longer knows a place in the list of users, and starting again did not help.",
        "Run again: Graph lost its place in the list of users.",
    ),
    _graph("Request_UnsupportedQuery", "…", "Graph does not take a query that it should take.", _REQUEST),
    _graph("Request_BadRequest", "…", "Graph does not take a request that it should take.", _REQUEST),
    _graph("BadRequest", "…", "Graph does not take a request that it should take.", _REQUEST),
    _graph(
        "Request_ResourceNotFound",
        "Resource '…' does not exist or one of its queried reference-property objects are not present.",
        "Something in the tenant was deleted while it was read.",
        "Run again: something in the tenant was deleted while it was read.",
    ),
    _graph("NotImplemented", "This operation target is not yet supported.", "Graph lacks what was asked.", _REQUEST),
    _graph("ServiceUnavailable", "…", "Graph is down or overloaded; retries did not help.", _FAILING),
    _graph("ServiceNotAvailable", "…", "Graph is down or overloaded; retries did not help.", _FAILING),
    _graph("UnknownError", "…", "Graph fails without saying why; retries did not help.", _FAILING),
    _graph(
        "http-…",
        "… answered … without a message.",
        "A failure of Graph or Entra without a code of its own; the number is the HTTP status.",
        "Run again; if it lasts, look for a proxy between here and Microsoft.",
        (Case("answered 5… without a message.", "Microsoft's side is failing; retries did not help.", _FAILING),),
    ),
)
"""The rows of Graph."""

BY_STATUS = {429: _THROTTLED, 403: _GRANT}
"""What to do about a code that no row has, by the HTTP status that came with it."""

FAILING = _FAILING
"""What to do about any status from 500 on."""


def _transport(code: str, message: str, when: str, remedy: str, cases: tuple[Case, ...] = ()) -> Explanation:
    return Explanation(code, message, when, remedy, Source.TRANSPORT, About.PORTAL, cases)


TRANSPORT = (
    _transport(
        "graph-unreachable",
        "Could not connect to GraphAPI server.",
        "No answer came from Entra or Graph. In parentheses stand the host and the reason.",
        "Check network, proxy and firewall: the login host and the Graph host of the portal's cloud must be open.",
        (
            Case(
                "the proxy: name could not be resolved",
                "HTTPS_PROXY names a proxy that this machine cannot find.",
                "Correct the name of the proxy in HTTPS_PROXY.",
            ),
            Case(
                "the proxy: connection refused",
                "Nothing listens where HTTPS_PROXY points to.",
                "Correct address and port of the proxy in HTTPS_PROXY, or start it.",
            ),
            Case(
                "name could not be resolved",
                "DNS does not know the host from here.",
                "Check DNS on this machine; where only a proxy resolves names, set HTTPS_PROXY.",
            ),
            Case(
                "connection refused",
                "Something on the way turns the connection down.",
                "Open port 443 to that host in the firewall, or set HTTPS_PROXY.",
            ),
            Case(
                "the certificate is not trusted",
                "A proxy intercepts TLS with a certificate authority that this machine does not trust.",
                "Put your company's CA certificate into the operating system's trust store, or name its file in "
                "SSL_CERT_FILE.",
            ),
            Case(
                "the TLS handshake failed",
                "Something on the way does not speak TLS, or only an old version of it.",
                "Check that HTTPS_PROXY names an http:// proxy and that nothing on the way breaks TLS.",
            ),
            Case(
                "connecting took too long",
                "Packets to that host vanish.",
                "Open port 443 to that host in the firewall, or set HTTPS_PROXY.",
            ),
            Case(
                "no answer in time",
                "The connection stands, and the answer does not come.",
                "Run again; if it lasts, look for a proxy or firewall that holds connections back.",
            ),
            Case(
                "connection dropped",
                "The connection was cut before the answer was complete; retries did not help.",
                "Run again; if it lasts, look for a proxy or firewall that cuts long connections.",
            ),
            Case(
                "the answer arrived damaged",
                "The answer says that it is compressed, and is not.",
                "Look for a proxy that changes answers on the way.",
            ),
        ),
    ),
    _transport(
        "success-not-deserialized",
        "GraphAPI webcall returned success but information could not be deserialized.",
        "Something answered in Microsoft's place, such as a network's sign-in page. In parentheses stands what came.",
        "Check the proxy settings: something between here and Microsoft answers in Graph's place, or from a cache.",
    ),
    _transport(
        "failure-not-deserialized",
        "GraphAPI webcall returned failure but error information could not be deserialized.",
        "A failure that is not in the form of Entra or Graph, such as a proxy's error page. In parentheses stands what "
        "came.",
        "Check firewall and proxy: something intercepts the connection, or Microsoft's front end is failing.",
        (
            Case(
                "answered 407",
                "A proxy wants a user name and a password.",
                "Put name and password for the proxy into HTTPS_PROXY (http://NAME:PASSWORD@HOST:PORT, kept as a "
                "secret), let this machine through without them, or list the host in NO_PROXY where it can be reached "
                "directly.",
            ),
            Case(
                "the proxy answered",
                "The proxy does not let this host through, or cannot reach it.",
                "Allow the login host and the Graph host of the portal's cloud in the proxy that HTTPS_PROXY names, or "
                "list them in NO_PROXY where they can be reached directly.",
            ),
            Case(
                "a redirect to …",
                "Something sends requests elsewhere, such as to a sign-in page. Redirects are not followed.",
                "Sign in to the network, or let this machine reach Microsoft directly: requests are sent to '…'.",
            ),
        ),
    ),
)
"""The rows of the connection. The three messages are the original's, word for word."""
