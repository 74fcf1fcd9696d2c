"""When a request to ARM is sent again."""

from datetime import UTC, datetime

import pytest

from services.gateways.answers import retry_after
from services.gateways.azure.retries import TryOutcome, pause


def test_a_success_stands() -> None:
    assert pause(TryOutcome(200), tries=1, resendable=True, remaining=20) is None


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, None])
def test_a_passing_failure_is_tried_again_when_the_request_may_be_repeated(status: int | None) -> None:
    assert pause(TryOutcome(status), tries=1, resendable=True, remaining=20) == pytest.approx(0.2)


@pytest.mark.parametrize("status", [500, 503, None])
def test_what_must_not_be_done_twice_is_not_sent_again_after_a_failure(status: int | None) -> None:
    assert pause(TryOutcome(status, retry_after=1), tries=1, resendable=False, remaining=20) is None


def test_a_throttled_request_is_sent_again_whatever_it_is_since_it_was_not_carried_out() -> None:
    assert pause(TryOutcome(429, retry_after=3), tries=1, resendable=False, remaining=20) == 3


def test_throttling_is_obeyed_as_often_as_the_deadline_allows() -> None:
    assert pause(TryOutcome(429, retry_after=3), tries=9, resendable=True, remaining=20) == 5
    assert pause(TryOutcome(429, retry_after=30), tries=1, resendable=True, remaining=20) is None


def test_four_tries_are_enough_for_a_server_that_fails() -> None:
    assert pause(TryOutcome(500), tries=4, resendable=True, remaining=20) is None


def test_no_pause_outlives_the_deadline() -> None:
    assert pause(TryOutcome(503, retry_after=5), tries=1, resendable=True, remaining=4.9) is None


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 422])
def test_a_refusal_stands(status: int) -> None:
    assert pause(TryOutcome(status, retry_after=1), tries=1, resendable=True, remaining=20) is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "0.2"}, 0.2),
        ({"Retry-After": "0"}, 0),
        ({"x-ms-retry-after-ms": "50", "Retry-After": "7"}, 0.05),
        ({"Retry-After": "Tue, 24 Nov 2026 11:00:10 GMT"}, 10),
        ({"Retry-After": "Tue, 24 Nov 2026 10:00:00 GMT"}, 0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "inf"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_every_form(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, datetime(2026, 11, 24, 11, 0, tzinfo=UTC)) == seconds
