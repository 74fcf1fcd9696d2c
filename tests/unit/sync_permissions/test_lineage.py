"""Which permissions those above a connected registry lack for it."""

from services.model.azure import ConnectedRegistry, ScopeMap, Token
from services.policy.sync_permissions import Lineage, grants, lineage

GATEWAY = ("config/read", "config/write", "message/read", "message/write")


def registry(name: str, parent: str = "") -> ConnectedRegistry:
    return ConnectedRegistry(
        id=f"/{name}",
        name=name,
        mode="ReadOnly",
        connection_state="Online",
        activation="Active",
        provisioning_state="Succeeded",
        token_id=f"/tokens/{name}",
        schedule="* * * * *",
        window=None,
        message_ttl=None,
        parent=parent,
    )


def family(of: str, parents: dict[str, str], actions: dict[str, tuple[str, ...]]) -> Lineage:
    """All with a sync token and a scope map of their own names, and the permissions of their own gateways."""
    registries = [registry(name, parent) for name, parent in parents.items()]
    scope_maps = [
        ScopeMap(f"/{name}", name, (*(f"gateway/{name}/{verb}" for verb in GATEWAY), *actions.get(name, ())))
        for name in parents
    ]
    tokens = [Token(f"/{name}", name.upper(), f"/scopeMaps/{name}", enabled=True) for name in parents]
    return lineage(next(one for one in registries if one.name == of), registries, tokens, scope_maps)


def gateways(*names: str) -> tuple[str, ...]:
    return tuple(f"gateway/{name}/{verb}" for name in names for verb in GATEWAY)


def test_what_one_below_needs_is_needed_of_all_above_it() -> None:
    read = "repositories/shop/content/read"
    lineage_of_line = family(
        "line",
        {"plant": "", "line": "plant", "cell": "line", "other": ""},
        {"plant": (*gateways("line"), read), "line": gateways("cell"), "cell": (read,)},
    )

    assert [(one.holder.name, one.actions, one.needed_by) for one in lineage_of_line.shortfalls] == [
        ("plant", gateways("cell"), ("line", "cell")),
        ("line", (read,), ("cell",)),
    ]


def test_a_family_that_has_all_permissions_lacks_none() -> None:
    complete = family("line", {"plant": "", "line": "plant"}, {"plant": gateways("line")})

    assert complete.shortfalls == ()


def test_parents_in_a_circle_come_to_an_end() -> None:
    circle = family("one", {"one": "two", "two": "one"}, {})

    assert [access.name for access in (*circle.above, *circle.below)] == ["two", "two"]


def test_a_pattern_gives_what_it_covers_and_no_more() -> None:
    actions = ("repositories/team/*/content/read", "repositories/*/metadata/read")

    assert grants(actions, "repositories/team/app/content/read")
    assert grants(actions, "repositories/shop/metadata/read")
    assert not grants(actions, "repositories/shop/content/read")
    assert not grants(actions, "gateway/team/config/read")
