"""Which Service address is chosen, and what is said of a given one."""

from ipaddress import ip_address, ip_network

from hypothesis import given, settings
from hypothesis import strategies as st

from services.model.kubernetes import ServiceRanges
from services.operations.deploy.addresses import Choice, Full, assess_address, candidates, choose, static_band


def known(*ranges: str, used: frozenset[str] = frozenset()) -> ServiceRanges:
    return ServiceRanges(ranges, used, "ServiceCIDR")


@st.composite
def clusters(draw: st.DrawFn) -> tuple[ServiceRanges, frozenset[str]]:
    """A cluster's ranges, small enough to be full, and addresses that others lease."""
    texts = draw(
        st.lists(
            st.sampled_from(["10.96.0.0/28", "10.97.0.0/26", "fd00::/124", "10.98.0.4/30"]), min_size=1, unique=True
        )
    )
    all_addresses = [str(address) for text in texts for address in ip_network(text)]
    used = draw(st.frozensets(st.sampled_from(all_addresses)))
    leased = draw(st.frozensets(st.sampled_from(all_addresses)))
    return ServiceRanges(tuple(texts), used, "ServiceCIDR"), leased


@settings(deadline=None)
@given(clusters())
def test_a_chosen_address_is_always_judged_to_be_good(cluster: tuple[ServiceRanges, frozenset[str]]) -> None:
    ranges, leased = cluster

    assert all(assess_address(choice.address, ranges, leased).verdict == "ok" for choice in candidates(ranges, leased))


@settings(deadline=None)
@given(clusters())
def test_the_range_is_told_to_be_full_only_when_no_address_is_good(
    cluster: tuple[ServiceRanges, frozenset[str]],
) -> None:
    ranges, leased = cluster
    spared = {ip_network(text).network_address + 1 for text in ranges.ranges}
    good = {
        address
        for text in ranges.ranges
        for address in ip_network(text)
        if address not in spared and assess_address(str(address), ranges, leased).verdict == "ok"
    }

    assert isinstance(choose(ranges, leased), Full) == (not good)


@settings(deadline=None)
@given(clusters())
def test_candidates_name_every_free_address_once(cluster: tuple[ServiceRanges, frozenset[str]]) -> None:
    ranges, leased = cluster
    found = [choice.address for choice in candidates(ranges, leased)]

    assert len(found) == len(set(found))


@settings(deadline=None)
@given(clusters())
def test_dynamic_addresses_come_after_all_static_ones(cluster: tuple[ServiceRanges, frozenset[str]]) -> None:
    bands = [choice.band for choice in candidates(*cluster)]

    assert bands == sorted(bands, reverse=True)


@settings(deadline=None)
@given(clusters())
def test_the_same_world_always_gives_the_same_address(cluster: tuple[ServiceRanges, frozenset[str]]) -> None:
    assert choose(*cluster) == choose(*cluster)


@settings(deadline=None)
@given(st.ip_addresses(v=4).map(str))
def test_an_address_is_outside_exactly_when_no_range_contains_it(address: str) -> None:
    inside = ip_address(address) in ip_network("10.0.0.0/8")

    assert (assess_address(address, known("10.0.0.0/8")).verdict == "outside") != inside


def test_the_static_band_follows_the_formula_of_kubernetes() -> None:
    bands = {
        text: static_band(ip_network(text))
        for text in ("10.0.0.0/24", "10.0.0.0/20", "10.0.0.0/16", "10.0.0.0/28", "fd00::/108")
    }

    assert bands == {"10.0.0.0/24": 16, "10.0.0.0/20": 256, "10.0.0.0/16": 256, "10.0.0.0/28": 0, "fd00::/108": 256}


def test_the_lowest_free_address_of_the_static_band_is_chosen() -> None:
    ranges = known("10.96.0.0/16", used=frozenset({"10.96.0.1", "10.96.0.2"}))

    assert choose(ranges, {"10.96.0.3"}) == Choice("10.96.0.4", "10.96.0.0/16", "static")


def test_the_static_band_of_a_second_range_comes_before_the_first_ones_dynamic_part() -> None:
    used = frozenset(str(address) for address in list(ip_network("10.96.0.0/24"))[:17])

    assert choose(known("10.96.0.0/24", "10.97.0.0/24", used=used)) == Choice("10.97.0.2", "10.97.0.0/24", "static")


def test_a_full_static_band_is_said_in_the_choice() -> None:
    used = frozenset(str(address) for address in list(ip_network("10.96.0.0/24"))[:17])

    assert choose(known("10.96.0.0/24", used=used)) == Choice("10.96.0.17", "10.96.0.0/24", "dynamic")


def test_a_full_range_is_told_with_figures() -> None:
    used = frozenset(str(address) for address in list(ip_network("10.96.0.0/28"))[1:14])

    assert choose(known("10.96.0.0/28", used=used), {"10.96.0.14"}) == Full(("10.96.0.0/28",), 14, 13, 1)


def test_network_and_broadcast_address_are_reserved() -> None:
    verdicts = [assess_address(address, known("10.96.0.0/24")).verdict for address in ("10.96.0.0", "10.96.0.255")]

    assert verdicts == ["reserved", "reserved"]


def test_the_last_address_of_an_ipv6_range_is_usable() -> None:
    assert assess_address("fd00::f", known("fd00::/124")).verdict == "ok"


def test_an_address_in_use_is_taken_however_it_is_written() -> None:
    assert assess_address("fd00:0::5", known("fd00::/108", used=frozenset({"fd00::5"}))).verdict == "taken"


def test_an_address_that_another_operation_holds_is_leased() -> None:
    assert assess_address("10.96.0.9", known("10.96.0.0/24"), {"10.96.0.9"}).verdict == "leased"


def test_a_huge_range_is_answered_without_walking_through_it() -> None:
    assert choose(known("fd00::/64")) == Choice("fd00::2", "fd00::/64", "static")
    former = "fd00::ffff:ffff:1"
    assert choose(known("fd00::/64"), former=former) == Choice(former, "fd00::/64", "dynamic")
    assert choose(known("fd00::/64"), {former}, former) == Choice("fd00::2", "fd00::/64", "static")
