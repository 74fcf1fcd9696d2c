"""Faults in force."""

import pytest

from sandbox.faults import Fault, Faults


def test_a_fault_strikes_once_unless_told_otherwise() -> None:
    faults = Faults()
    faults.add(Fault("azure", "^PUT "))

    assert faults.take("azure", "PUT /subscriptions/1") is not None
    assert faults.take("azure", "PUT /subscriptions/1") is None


def test_a_fault_strikes_as_often_as_it_says() -> None:
    faults = Faults()
    faults.add(Fault("azure", "PUT", times=2))

    struck = [faults.take("azure", "PUT /a") is not None for _ in range(3)]

    assert struck == [True, True, False]


def test_a_fault_without_a_count_strikes_until_it_is_removed() -> None:
    faults = Faults()
    fault = faults.add(Fault("slack", "chat.update", times=None))
    assert all(faults.take("slack", "chat.update") for _ in range(10))

    assert faults.remove(fault.id)

    assert faults.take("slack", "chat.update") is None


def test_a_fault_lets_calls_pass_first() -> None:
    faults = Faults()
    faults.add(Fault("kube", "GET", skip=2))

    struck = [faults.take("kube", "GET /api/v1/nodes") is not None for _ in range(4)]

    assert struck == [False, False, True, False]


def test_a_fault_strikes_only_its_part() -> None:
    faults = Faults()
    faults.add(Fault("kube", "GET"))

    assert faults.take("azure", "GET /") is None


def test_matching_ignores_case_because_arm_paths_do() -> None:
    faults = Faults()
    faults.add(Fault("azure", "/connectedregistries/"))

    assert faults.take("azure", "PUT /x/connectedRegistries/edge01") is not None


def test_the_oldest_of_two_matching_faults_strikes_first() -> None:
    faults = Faults()
    faults.add(Fault("azure", "PUT", status=500))
    faults.add(Fault("azure", "PUT", status=429))

    struck = [fault.status for _ in range(2) if (fault := faults.take("azure", "PUT /a"))]

    assert struck == [500, 429]


def test_removing_an_unknown_fault_says_so() -> None:
    assert not Faults().remove("fault9")


def test_clearing_takes_all_out_of_force() -> None:
    faults = Faults()
    faults.add(Fault("azure", "PUT"))

    faults.clear()

    assert list(faults) == []


def test_a_broken_regular_expression_is_refused() -> None:
    with pytest.raises(ValueError, match="regular expression"):
        Fault("azure", "(")
