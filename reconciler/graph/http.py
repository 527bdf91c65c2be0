"""The one seam to the network: an httpx client on a transport that retries.

Whom to trust is decided in ``trust.py``. ``HTTPS_PROXY`` (or ``ALL_PROXY``) and ``NO_PROXY`` are honored. Emulation
passes ``httpx.WSGITransport`` as the inner transport, and everything above stays the same.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpx

from reconciler import __version__
from reconciler.errors import ConfigurationError, ReconcileError
from reconciler.graph.answers import cause
from reconciler.graph.interception import UntrustedCertificate, presented_issuer
from reconciler.graph.masking import masked, note_proxy_login
from reconciler.graph.retry import RetryPolicy, RetryTransport, causes, proxy_status
from reconciler.graph.trust import tls_context

USER_AGENT = f"m365-license-reconciler/{__version__}"
TIMEOUT = httpx.Timeout(60.0, connect=10.0, pool=None)
"""Seconds without progress: 10 to connect, 60 for anything else. Waiting for one's turn is no failure."""
LIMITS = httpx.Limits(max_connections=128, max_keepalive_connections=128, keepalive_expiry=30.0)
DEFAULT_POLICY = RetryPolicy()


def open_http(
    *,
    transport: httpx.BaseTransport | None = None,
    retry: RetryPolicy = DEFAULT_POLICY,
    sleep: Callable[[float], None] = time.sleep,
) -> httpx.Client:
    """The client for everything that is sent; threads may share it, and whoever opens it closes it.

    ``transport`` replaces the network, ``sleep`` the waiting between retries. Raises ConfigurationError when the
    environment names a proxy or a certificate file that cannot be used.
    """
    inner = transport if transport is not None else EnvironmentTransport()
    return httpx.Client(
        transport=RetryTransport(inner, retry, sleep=sleep),
        trust_env=False,  # EnvironmentTransport does it, below the retries; .netrc is never wanted
        timeout=TIMEOUT,
        follow_redirects=False,
        headers={"user-agent": USER_AGENT},
        # Portals share this client: a cookie that one tenant's sign-in sets must not travel with another's.
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
    )


def fetch(client: httpx.Client, url: str) -> bytes:
    """Download a public file over https, following redirects. Raises ReconcileError (``download-failed``)."""
    try:
        response = client.get(url, follow_redirects=True)
    except httpx.RequestError as error:
        raise _not_downloaded(url, cause(error)) from None
    if any(hop.url.scheme != "https" for hop in (*response.history, response)):
        raise _not_downloaded(url, "it leads to an address without https")
    if response.status_code != httpx.codes.OK:
        raise _not_downloaded(url, f"{response.url.host} answered {response.status_code}")
    return response.content


def _not_downloaded(url: str, detail: str) -> ReconcileError:
    return ReconcileError(f"Could not download {url}.", code="download-failed", detail=detail)


class EnvironmentTransport(httpx.BaseTransport):
    """The real network: direct, or through the proxy that the environment names for the host.

    httpx reads the environment only when it builds its own transports, and then a retrying one cannot sit on top.
    """

    def __init__(self) -> None:
        context = tls_context()
        self._proxy = _proxy(context)
        self._direct = httpx.HTTPTransport(verify=context, trust_env=False, limits=LIMITS)
        self._proxied = _through(self._proxy, context)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send over the way that the environment wants for this host."""
        # Nothing but a machine's own identity service is asked over plain http, and no proxy knows the way to that.
        plain = request.url.scheme != "https"
        direct = self._proxied is None or plain or bool(proxy_bypass(request.url.host))
        way = self._direct if direct or self._proxied is None else self._proxied
        answered: list[httpx.Headers] = []
        if not direct:
            request.extensions["trace"] = _noting(answered)
            if self._proxy is not None and self._proxy.raw_auth is not None:
                note_proxy_login(request, self._proxy.raw_auth)
        try:
            return way.handle_request(request)
        except httpx.ProxyError as error:
            if proxy_status(error) is None or not answered:
                raise
            raise httpx.ProxyError(_refusal(str(error), answered[-1], request)) from None
        except httpx.ConnectError as error:
            if any(isinstance(reason, ssl.SSLCertVerificationError) for reason in causes(error)):
                issuer = presented_issuer(request.url.host, None if direct else self._proxy)
                raise UntrustedCertificate(str(error), issuer) from error
            if direct:
                raise
            raise httpx.ProxyError(str(error)) from error

    def close(self) -> None:
        """Close both ways."""
        self._direct.close()
        if self._proxied is not None:
            self._proxied.close()


def _noting(answered: list[httpx.Headers]) -> Callable[[str, Mapping[str, Any]], None]:
    """Keeps the headers of each answer: what a proxy says to CONNECT is not in the exception that it becomes."""

    def note(event: str, info: Mapping[str, Any]) -> None:
        if event == "http11.receive_response_headers.complete":
            answered.append(httpx.Headers(info["return_value"][3]))

    return note


def _refusal(said: str, headers: httpx.Headers, request: httpx.Request) -> str:
    """Status, phrase and content type of a proxy's answer, without the password that it was sent."""
    status, _, phrase = said.partition(" ")
    words = ", ".join(part for part in (phrase, headers.get("content-type", "").partition(";")[0]) if part)
    return f"{status} {masked(words, request)}"


def _proxy(context: ssl.SSLContext) -> httpx.Proxy | None:
    """The proxy that the environment names."""
    proxies = getproxies()
    address = proxies.get("https") or proxies.get("all")
    if not address:
        return None
    try:
        proxy = httpx.Proxy(address if "://" in address else f"http://{address}")
    except (ValueError, httpx.InvalidURL):
        raise _unusable() from None
    if proxy.url.scheme == "https":
        proxy.ssl_context = context
    return proxy


def _through(proxy: httpx.Proxy | None, context: ssl.SSLContext) -> httpx.HTTPTransport | None:
    if proxy is None:
        return None
    try:
        return httpx.HTTPTransport(verify=context, trust_env=False, limits=LIMITS, proxy=proxy)
    except (ValueError, ImportError):
        raise _unusable() from None


def _unusable() -> ConfigurationError:
    """Without the address: it may hold a password."""
    return ConfigurationError(code="proxy-invalid")
