"""Get one file over HTTPS, bounded in size and time."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from napari_voxuda import __version__
from napari_voxuda.errors import DownloadError

__all__ = ["Bounds", "MissingError", "get"]

_CHUNK = 1 << 16
_MIB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What a download may take.

    Parameters
    ----------
    download_bytes : int
        Largest size of what is sent.
    unpacked_bytes : int
        Largest size after unpacking.
    silence_seconds : float
        Longest wait for the next piece, and for the connection.
    total_seconds : float
        Longest time for one file.
    """

    download_bytes: int = 64 * _MIB
    unpacked_bytes: int = 512 * _MIB
    silence_seconds: float = 20.0
    total_seconds: float = 600.0


class MissingError(DownloadError):
    """The site answered that it has no such file."""


def get(address: str, bounds: Bounds, *, allow_http: bool = False) -> bytes:
    """Return the content at an address.

    Parameters
    ----------
    address : str
        An HTTPS address.
    bounds : Bounds
        What the download may take.
    allow_http : bool
        Whether the first address may be plain HTTP; a redirect never may.

    Returns
    -------
    bytes
        The body, as long as the site announced it.

    Raises
    ------
    MissingError
        When the site answers 404 or 410.
    DownloadError
        When it cannot be reached, answers with another error, breaks a bound or redirects to an
        address that is not HTTPS. The message is a reason in a few words, not a whole sentence.
    """
    if not (allow_http or _is_https(address)):
        raise DownloadError(f"its address {address} is not HTTPS")
    headers = {"User-Agent": f"napari-voxuda/{__version__}", "Accept-Encoding": "identity"}
    request = urllib.request.Request(address, headers=headers)
    opener = urllib.request.build_opener(_HttpsRedirects)
    try:
        with opener.open(request, timeout=bounds.silence_seconds) as response:
            return _body(response, bounds)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in (404, 410):
            raise MissingError("no such file") from error
        raise DownloadError(f"it answered {error.code}, {error.reason}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DownloadError(_reason(error)) from error


class _HttpsRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to HTTPS only."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """Return the request for the new address."""
        if not _is_https(newurl):
            fp.close()
            raise DownloadError(f"it redirects to {newurl}, which is not HTTPS")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _is_https(address: str) -> bool:
    return urlsplit(address).scheme == "https"


def _body(response: http.client.HTTPResponse, bounds: Bounds) -> bytes:
    announced = response.length  # None where the site does not tell
    if announced is not None and announced > bounds.download_bytes:
        raise DownloadError(_too_large(bounds))
    end = time.monotonic() + bounds.total_seconds
    body = bytearray()
    while part := response.read1(_CHUNK):
        body += part
        if len(body) > bounds.download_bytes:
            raise DownloadError(_too_large(bounds))
        if time.monotonic() > end:
            raise DownloadError(f"it took longer than {bounds.total_seconds:g} s")
    if announced is not None and len(body) != announced:
        raise DownloadError(f"it broke off after {len(body)} of {announced} bytes")
    return bytes(body)


def _too_large(bounds: Bounds) -> str:
    return f"the file is larger than {bounds.download_bytes / _MIB:.4g} MiB"


def _reason(error: BaseException) -> str:
    """Return the system's words for what went wrong."""
    inner = getattr(error, "reason", error)
    words = getattr(inner, "strerror", None) or str(inner) or type(inner).__name__
    return " ".join(str(words).split()).rstrip(".")
