"""Who may connect: networks of addresses."""

from __future__ import annotations

import ipaddress

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Whitelist:
    """Networks, from a text of them separated by commas.

    Raises
    ------
    ValueError
        If one is no network; the message names it.
    """

    def __init__(self, text: str) -> None:
        self._networks: list[Network] = []
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            try:
                self._networks.append(ipaddress.ip_network(part))
            except ValueError as error:
                raise ValueError(f"{part!r} is no network of addresses: {error}") from error

    def allows(self, address: str) -> bool:
        """Whether the address is in one of the networks."""
        try:
            ip = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
        return any((mapped or ip) in network for network in self._networks)
