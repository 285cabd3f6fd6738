"""Which hosts may be asked: addresses, origins, and what counts as private."""

from __future__ import annotations

import ipaddress
import socket

import httpx


def addresses(host: str) -> list[str]:
    """Every IP address of a host.

    Raises:
        OSError: The name cannot be resolved.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"not a host name: {error}") from None
    return [str(entry[4][0]) for entry in found]


def is_private(address: str) -> bool:
    """Whether an IP address is anything but a public one (RFC 6890).

    An IPv6 address that only wraps an IPv4 one (mapped, 6to4) is judged by what it wraps.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    inner = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None) or ip
    return ip.is_multicast or not inner.is_global


def origin(url: httpx.URL) -> tuple[str, str, int]:
    """Scheme, host and port: what a user vouches for by naming a mirror."""
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)
