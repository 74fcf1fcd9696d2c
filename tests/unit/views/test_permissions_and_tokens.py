"""Sync permissions and tokens as people read them: what is wrong comes first, and every remedy helps."""

from dataclasses import replace
from datetime import timedelta

from handlers.kit.message import Message
from handlers.views import permissions, tokens
from handlers.views.connected import Detail
from services.model.azure import PasswordSlot, ScopeMap, Token
from services.policy.placement import Placement
from services.policy.sites import sync_actions
from services.policy.sync_permissions import lineage
from tests.golden.values import EXTENSION, NOW, REGISTRY, SITE

EDGE = replace(REGISTRY, name="edge01", parent="plant", token_id="/tokens/edge01", client_token_ids=("/tokens/till",))
PLANT = replace(REGISTRY, name="plant", parent="", token_id="/tokens/plant", client_token_ids=())
DETAIL = Detail(SITE.acr_ref, EDGE, Placement(extensions=((SITE, EXTENSION),)), registries=(EDGE, PLANT))


def token(name: str, *passwords: PasswordSlot, enabled: bool = True) -> Token:
    return Token(f"/{name}", name, f"/scopeMaps/{name}", enabled, passwords)


def shown(message: Message) -> str:
    return str(message.blocks)


def test_no_line_is_offered_that_the_ceiling_would_refuse() -> None:
    actions = sync_actions("edge01", "ReadOnly", ("shop", "team/app"))
    crowd = tuple(f"repositories/image{number}/content/read" for number in range(490))
    maps = [
        ScopeMap("/e", "edge01", actions),
        ScopeMap("/p", "plant", (*sync_actions("plant", "ReadOnly", ()), *crowd)),
    ]
    family = lineage(EDGE, DETAIL.registries, [token("edge01"), token("plant")], maps)
    text = shown(permissions.card(DETAIL, family, 1))

    assert "There is room for 6 more: take others away from it first." in text
    assert "az acr scope-map update" not in text


def test_one_with_a_managed_identity_has_no_scope_map_that_could_lack_anything() -> None:
    edge = replace(EDGE, token_id="", parent="")
    message = permissions.card(replace(DETAIL, registry=edge), lineage(edge, (edge,), (), ()), 1)

    assert message.text == "edge01 has no sync token"


def test_tokens_that_stop_somebody_come_first() -> None:
    expires = {name: NOW + timedelta(days=days, hours=1) for name, days in (("soon", 12), ("late", 90), ("over", -3))}
    client_tokens = [token(name, PasswordSlot("password1", NOW, moment)) for name, moment in expires.items()]
    client_tokens += [
        token("off", PasswordSlot("password2"), enabled=False),
        token("edge01", PasswordSlot("password1")),
    ]
    linked = [f"/tokens/{one.name}" for one in client_tokens[:-1]]
    edge = replace(EDGE, client_token_ids=(*linked, "/tokens/gone"))
    [table] = [
        block
        for block in tokens.listing(replace(DETAIL, registry=edge), client_tokens, NOW).blocks
        if block["type"] == "table"
    ]

    assert [[cell["text"] for cell in row][0::4] for row in table["rows"][1:]] == [
        ["gone", "–"],
        ["off", "none"],
        ["over", "created 2026-09-01 08:30, expired 2026-08-29 09:30"],
        ["soon", "created 2026-09-01 08:30, expires in 12 days"],
        ["edge01", "never expires"],
        ["late", "created 2026-09-01 08:30, expires in 90 days"],
    ]


def test_a_sync_password_that_ends_is_rotated_where_a_rotation_is_possible() -> None:
    ending = [token("edge01", PasswordSlot("password1", NOW, NOW + timedelta(days=5)))]
    alone = replace(DETAIL, registry=replace(EDGE, parent=""))

    assert "`/registry token rotate edge01 --site hamburg`" in shown(tokens.listing(alone, ending, NOW))
    assert "token rotate" not in shown(tokens.listing(DETAIL, ending, NOW))
