"""How the remaining request quotas of ARM slow the bot down."""

import pytest

from services.gateways.azure.quotas import Quotas, kind_of, pause


class Watch:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def remaining(number: int, kind: str = "reads", scope: str = "subscription") -> dict[str, str]:
    return {f"x-ms-ratelimit-remaining-{scope}-{kind}": str(number)}


@pytest.mark.parametrize(("level", "seconds"), [(250, 0), (20, 0), (10, 0.4), (0, 0.8)])
def test_the_pause_lasts_until_the_bucket_has_left_the_low_zone(level: float, seconds: float) -> None:
    assert pause(level, "reads") == pytest.approx(seconds)


def test_a_full_quota_does_not_slow_anything() -> None:
    quotas = Quotas(Watch())
    quotas.note("sub", remaining(249))
    assert quotas.pause("sub", "GET") == 0


def test_a_low_quota_slows_requests_of_its_kind_and_subscription_only() -> None:
    quotas = Quotas(Watch())
    quotas.note("sub", remaining(5, "writes"))
    assert quotas.pause("sub", "PUT") == pytest.approx(1.5)
    assert quotas.pause("sub", "GET") == 0
    assert quotas.pause("other", "PUT") == 0


def test_the_lowest_figure_counts_when_answers_overtake_each_other() -> None:
    quotas = Quotas(Watch())
    quotas.note("sub", remaining(5))
    quotas.note("sub", remaining(240))
    assert quotas.figures()[0].remaining == 5


def test_a_quota_fills_up_again_with_time() -> None:
    watch = Watch()
    quotas = Quotas(watch)
    quotas.note("sub", remaining(0))
    watch.time += 1
    assert quotas.pause("sub", "GET") == 0


def test_the_tightest_scope_decides() -> None:
    quotas = Quotas(Watch())
    quotas.note("sub", remaining(200) | remaining(10, scope="subscription-global"))
    assert quotas.pause("sub", "GET") == pytest.approx(0.4)


def test_headers_in_any_case_are_read_and_other_ones_ignored() -> None:
    quotas = Quotas(Watch())
    quotas.note("sub", {"X-MS-RateLimit-Remaining-Subscription-Reads": "3", "Retry-After": "1", "x-other": "7"})
    assert [(quota.scope, quota.kind, quota.remaining) for quota in quotas.figures()] == [("subscription", "reads", 3)]


@pytest.mark.parametrize(
    ("method", "kind"),
    [("GET", "reads"), ("head", "reads"), ("PUT", "writes"), ("POST", "writes"), ("DELETE", "deletes")],
)
def test_every_method_is_taken_from_its_bucket(method: str, kind: str) -> None:
    assert kind_of(method) == kind
