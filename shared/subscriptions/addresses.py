"""Addresses from outside: which are well formed, and which must never be called.

A webhook is a request that we make for somebody else, from inside our network. So only public
addresses are called, judged after the name is resolved and on the very address that is then
connected to; a name that changes its mind in between (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, StringConstraints

_MAX_URL_CHARS = 2000
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SIX_TO_FOUR = ipaddress.ip_network("2002::/16")


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"not a URL: {error}") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("a URL begins with https:// or http:// and a host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("no user or password in a URL: use the secret")
    if parts.fragment:
        raise ValueError("a URL to POST to has no #fragment")
    if port == 0:
        raise ValueError("port 0")
    return url


HttpUrl = Annotated[
    str,
    StringConstraints(max_length=_MAX_URL_CHARS, pattern=r"^[\x21-\x7e]+$"),
    AfterValidator(_checked_url),
]
"""An http or https URL in ASCII, without user, password, fragment or white space."""

MailAddress = Annotated[
    str,
    StringConstraints(
        max_length=254,
        pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$",
    ),
]
"""A plain address: no display name, no comment, no quotes, nothing that could end a header."""


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet.

    Not loopback, private, link-local (cloud metadata), shared, multicast or reserved; IPv4
    addresses that are wrapped in IPv6 are judged by what is inside.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if ip in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
        if ip in _SIX_TO_FOUR:
            return is_public(str(ipaddress.IPv4Address((int(ip) >> 80) & 0xFFFFFFFF)))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def as_literal(host: str) -> str | None:
    """The IP address that a URL's host spells out; None if it is a name.

    The odd spellings of C libraries (``127.1``, ``2130706433``, ``0x7f000001``) are read too:
    whoever connects may read them.
    """
    bare = host.strip("[]").rstrip(".")
    try:
        return str(ipaddress.ip_address(bare.partition("%")[0]))
    except ValueError:
        pass
    parts = bare.lower().split(".")
    try:
        numbers = [
            int(p, 16 if p.startswith("0x") else 8 if p.startswith("0") and len(p) > 1 else 10)
            for p in parts
        ]
    except ValueError:
        return None
    if not 1 <= len(numbers) <= 4 or any(n > 255 for n in numbers[:-1]):
        return None
    value = numbers[-1]
    for place, number in enumerate(numbers[:-1]):
        value += number << (24 - 8 * place)
    return str(ipaddress.IPv4Address(value)) if value < 2**32 else None
