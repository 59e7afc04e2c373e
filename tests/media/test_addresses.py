"""Which addresses are public."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harken.media.addresses import address_of, is_allowed, is_public, networks_of

NAT64 = IPv6Network("64:ff9b::/96")
PUBLIC = [
    *("1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.0", "172.15.255.255"),
    *("172.32.0.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0"),
    *(
        "223.255.255.255",
        "169.253.255.255",
        "169.255.0.0",
        "168.63.129.15",
        "11.0.0.0",
        "126.255.255.255",
    ),
    *("2606:4700:4700::1111", "2a00:1450:4001::1", "2001:4860:4860::8888", "::ffff:8.8.8.8"),
    *("64:ff9b::8.8.8.8", "2002:808:808::1"),
]
NOT_PUBLIC = {
    "this machine": ["127.0.0.1", "127.255.255.255", "::1", "0.0.0.0", "0.1.2.3", "::"],
    "private": ["10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.1"],
    "private, IPv6": ["fc00::1", "fd00:ec2::254", "fdff:ffff::1", "fec0::1"],
    "carriers": ["100.64.0.0", "100.100.100.200", "100.127.255.255"],
    "this line": ["169.254.0.1", "169.254.169.254", "fe80::1", "fe80::1%eth0", "febf::1"],
    "many": ["224.0.0.1", "239.255.255.255", "255.255.255.255", "240.0.0.1", "ff02::1", "ff0e::1"],
    "metadata": [
        "169.254.169.254",
        "169.254.170.2",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254",
    ],
    "documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
    "measurement and protocols": [
        "198.18.0.1",
        "198.19.255.255",
        "192.0.0.8",
        "192.88.99.1",
        "100::1",
    ],
    "tunnels": ["2001::1", "2001:10::1", "2001:20::1", "5f00::1", "64:ff9b:1::1"],
    "carried inside": [
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::127.0.0.1"),
        *("64:ff9b::a9fe:a9fe", "2002:7f00:1::1", "2002:a9fe:a9fe::", "2002:a00:1::1"),
        *("::127.0.0.1", "::10.0.0.1", "::ffff:0:127.0.0.1"),
    ],
}


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_address_is_allowed(text: str) -> None:
    assert is_public(address_of(text))
    assert is_allowed(address_of(text), ())


@pytest.mark.parametrize(
    "text",
    [pytest.param(text, id=f"{kind}-{text}") for kind, some in NOT_PUBLIC.items() for text in some],
)
def test_an_address_that_is_not_public_is_not_allowed(text: str) -> None:
    assert not is_public(address_of(text))
    assert not is_allowed(address_of(text), ())


def test_what_the_operator_allows_is_allowed_and_no_neighbour_of_it() -> None:
    private = networks_of("10.1.0.0/16, fd00::/8")
    for text in ("10.1.255.255", "::ffff:10.1.0.1", "64:ff9b::10.1.0.1", "fd00::1", "8.8.8.8"):
        assert is_allowed(address_of(text), private), text
    for text in ("10.2.0.0", "127.0.0.1", "::ffff:10.2.0.1", "fc00::1", "169.254.169.254"):
        assert not is_allowed(address_of(text), private), text


@given(st.ip_addresses(v=4))
def test_an_address_is_judged_alike_however_ipv6_carries_it(address: IPv4Address) -> None:
    number = int(address)
    mapped = IPv6Address((0xFFFF << 32) | number)
    translated = IPv6Address((0x64FF9B << 96) | number)
    tunnelled = IPv6Address((0x2002 << 112) | (number << 80) | 1)
    compatible = IPv6Address(number)
    for carrier in (mapped, translated, tunnelled):
        assert is_public(carrier) == is_public(address)
    assert not is_public(compatible)


@given(st.ip_addresses())
def test_nothing_that_python_knows_to_be_special_is_public(
    address: IPv4Address | IPv6Address,
) -> None:
    assume(address not in NAT64)  # reserved to carry others, see above
    carried = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    plain = carried or address
    special = (
        *(plain.is_loopback, plain.is_link_local, plain.is_multicast, plain.is_unspecified),
        *(plain.is_reserved, plain.is_private),
    )
    assert not (any(special) and is_public(address))


@given(
    st.sampled_from(
        ["10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.168.0.0/16", "100.64.0.0/10"]
    ),
    st.data(),
)
def test_no_address_of_a_private_network_is_public(network: str, data: st.DataObject) -> None:
    address = data.draw(st.ip_addresses(network=network))
    assert not is_public(address)
    assert is_allowed(address, networks_of(network))


@pytest.mark.parametrize(
    "text", ["10.0.0.1/8", "10.0.0.0/33", "example.org", "10.0.0.0/8;fd00::/8"]
)
def test_what_is_no_network_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        networks_of(text)
