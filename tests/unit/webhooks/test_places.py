"""A webhook is on the internet: whatever spelling, scheme, port or address leads inside is refused."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.webhooks.domain.places import MAX_URL, is_allowed, problem_of

INSIDE_V4: Final = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/29",
        "192.0.2.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
"""What is not the internet: RFC 6890, and what came since."""
INSIDE_V6: Final = tuple(
    IPv6Network(network)
    for network in (
        "::/96",
        "::ffff:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/32",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "fc00::/7",
        "fd00:ec2::/32",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
OUTSIDE: Final = ("93.184.215.14", "1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "2a00:1450:4001:82a::200e")
GOOD: Final = "https://hooks.example.com/rebound"


def within(network: IPv4Network | IPv6Network) -> st.SearchStrategy[IPv4Address | IPv6Address]:
    return st.integers(0, network.num_addresses - 1).map(lambda offset: network[offset])


@given(st.sampled_from(INSIDE_V4 + INSIDE_V6).flatmap(within))
def test_no_address_of_a_network_that_is_not_the_internet_is_posted_to(address: IPv4Address | IPv6Address) -> None:
    assert not is_allowed(address, loopback=False)
    assert is_allowed(address, loopback=True) == address.is_loopback
    host = str(address) if address.version == 4 else f"[{address}]"
    assert problem_of(f"https://{host}/hook", loopback=False) is not None


@given(st.sampled_from(INSIDE_V4).flatmap(within))
def test_an_address_of_the_old_kind_is_not_reached_inside_of_one_of_the_new_kind(address: IPv4Address) -> None:
    number = int(address)
    for embedding in (
        IPv6Address(0xFFFF << 32 | number),  # mapped
        IPv6Address(number),  # compatible
        IPv6Address(0x0064FF9B << 96 | number),  # NAT64
        IPv6Address(0x2002 << 112 | number << 80),  # 6to4
        IPv6Address(0x20010000 << 96 | (number ^ 0xFFFFFFFF)),  # Teredo
    ):
        assert not is_allowed(embedding, loopback=False)
        assert not is_allowed(embedding, loopback=True) or embedding.is_loopback


@pytest.mark.parametrize("address", OUTSIDE)
def test_the_internet_is_posted_to(address: str) -> None:
    host = f"[{address}]" if ":" in address else address

    assert is_allowed(ip_address(address), loopback=False)
    assert problem_of(f"https://{host}/hook", loopback=False) is None


def test_an_address_of_a_link_has_no_place_there() -> None:
    assert not is_allowed(ip_address("2606:4700::1%eth0"), loopback=True)


@pytest.mark.parametrize(
    "url",
    [
        GOOD,
        "https://hooks.example.com",
        "https://hooks.example.com:8443/a/b?c=d&e=@f",
        "https://hooks.example.com./rebound",
        "https://xn--bcher-kva.example/h%C3%B6rer",
        "https://a_b.example.com/",
        "HTTPS://HOOKS.EXAMPLE.COM/",
        f"https://hooks.example.com/{'a' * (MAX_URL - 26)}",
    ],
)
def test_an_address_on_the_internet_is_taken(url: str) -> None:
    assert problem_of(url, loopback=False) is None
    assert problem_of(url, loopback=True) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.com",
        "//hooks.example.com/",
        "http://hooks.example.com/",
        "ftp://hooks.example.com/",
        "file:///etc/passwd",
        "gopher://hooks.example.com/",
        "https:///rebound",
        "https://:443/",
        "https://user@hooks.example.com/",
        "https://user:secret@hooks.example.com/",
        "https://@hooks.example.com/",
        "https://hooks.example.com@127.0.0.1/",
        "https://hooks.example.com/#part",
        "https://hooks.example.com:0/",
        "https://hooks.example.com:22/",
        "https://hooks.example.com:25/",
        "https://hooks.example.com:80/",
        "https://hooks.example.com:65536/",
        "https://hooks.example.com:x/",
        "https://hooks example.com/",
        "https://hooks.example.com/a b",
        "https://hooks.example.com/\r\nX-Evil: 1",
        "https://hooks.example.com/\tx",
        "https://bücher.example/",
        "https://hooks.example.com\\@127.0.0.1/",
        "https://[::1",
        "https://[fe80::1%25eth0]/",
        "https://localhost/",
        "https://LOCALHOST./",
        "https://api.localhost/",
        "https://printer.local/",
        "https://db.internal/",
        "https://router.lan/",
        "https://intranet/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://1.1.1/",
        "https://127.0.0.1.:8443/",
        "https://-hooks.example.com/",
        "https://hooks..example.com/",
        "https://169.254.169.254/latest/meta-data/",
        f"https://hooks.example.com/{'a' * MAX_URL}",
    ],
)
def test_any_other_address_is_refused_with_a_sentence(url: str) -> None:
    problem = problem_of(url, loopback=False)

    assert problem is not None
    assert problem.endswith(".")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/in", "http://localhost:80/", "https://127.0.0.53/", "http://[::1]:9000/in"]
)
def test_only_an_operator_opens_this_machine(url: str) -> None:
    assert problem_of(url, loopback=True) is None
    assert problem_of(url, loopback=False) is not None


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "http://hooks.example.com/", "http://api.localhost/", "http://0/"])
def test_who_opens_this_machine_opens_no_network_and_no_connection_without_tls(url: str) -> None:
    assert problem_of(url, loopback=True) is not None


@given(st.text(max_size=80))
def test_whatever_is_written_there_is_an_answer(rest: str) -> None:
    problem_of(rest, loopback=True)
    problem_of(f"https://{rest}", loopback=False)
    problem_of(f"https://hooks.example.com/{rest}", loopback=False)
