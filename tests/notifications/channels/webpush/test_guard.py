"""The address that a name really led to must be public, at the moment of connecting."""

from __future__ import annotations

import pytest

from notifications.channels.webpush.guard import is_loopback, is_public


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "142.250.196.106", "2404:6800:4004:80a::200a", "64:ff9b::808:808", "::ffff:8.8.8.8"],
)
def test_public_addresses_are_reached(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.1",
        "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "ff02::1", "2001:db8::1", "fec0::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1",
        "64:ff9b:1::7f00:1", "2002:7f00:1::", "2002:808:808::", "2001:0:53aa:64c:0:7ffb:a5d1:fefe",
        "name.example", "", "1",
    ],
)  # fmt: skip
def test_no_other_address_is(address: str) -> None:
    assert not is_public(address)


def test_the_stand_in_is_on_this_machine() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert not any(map(is_loopback, ("8.8.8.8", "10.0.0.1", "0.0.0.0", "localhost")))
