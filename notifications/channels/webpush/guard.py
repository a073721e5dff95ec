"""The last check before a connection: the address that a name really led to must be a public one."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from typing import Any

import pycurl

# Addresses that carry an IPv4 address inside: the one inside is what is reached.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_TUNNELS = (ipaddress.IPv6Network("2002::/16"), ipaddress.IPv6Network("2001::/32"))
_UNICAST = ipaddress.IPv6Network("2000::/3")  # all that was ever given out
# Of protocols and relays; what Python calls global among them differs from version to version.
_SPECIAL = (ipaddress.IPv4Network("192.0.0.0/24"), ipaddress.IPv4Network("192.88.99.0/24"))


def is_public(address: str) -> bool:
    """A machine on the public Internet: not this one, this network, a carrier's inside, a group, or nobody."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif ip in _NAT64:  # a network without IPv4 of its own reaches the public one so
            ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        elif ip not in _UNICAST or any(ip in net for net in _TUNNELS):
            return False
    special = isinstance(ip, ipaddress.IPv4Address) and any(ip in net for net in _SPECIAL)
    return ip.is_global and not (special or ip.is_multicast or ip.is_reserved)


def is_loopback(address: str) -> bool:
    """This machine."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def open_public(_purpose: int, address: Any) -> Any:
    """Libcurl's OPENSOCKETFUNCTION: called with the resolved address, so a name that changes its mind gains nothing."""
    return _Descriptor(address) if is_public(address.addr[0]) else pycurl.SOCKET_BAD


def open_loopback(_purpose: int, address: Any) -> Any:
    """The same for the stand-in: nothing but this machine."""
    return _Descriptor(address) if is_loopback(address.addr[0]) else pycurl.SOCKET_BAD


class _Descriptor:
    """A socket until libcurl has made its own copy of the descriptor, which it does at once."""

    def __init__(self, address: Any) -> None:
        self._socket = socket.socket(address.family, address.socktype, address.protocol)

    def fileno(self) -> int:
        """The descriptor to be copied."""
        return self._socket.fileno()

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError, OSError):
            self._socket.close()
