import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.kit.words import join, quote, words
from services.model.errors import Invalid


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("deploy edge01 —site berlin", ("deploy", "edge01", "--site", "berlin")),
        ("deploy edge01 –dry-run", ("deploy", "edge01", "--dry-run")),
        ("deploy edge01 −−site=berlin", ("deploy", "edge01", "--site=berlin")),
        ("list —n 5", ("list", "-n", "5")),
        ("reject op-1 --reason “not now, it’s late”", ("reject", "op-1", "--reason", "not now, it's late")),
        ("show\u00a0edge01\u200b", ("show", "edge01")),
        ("say don't stop", ("say", "don't", "stop")),
        ("set --reason='a b' x", ("set", "--reason=a b", "x")),
        ('say "a \\"b\\" c"', ("say", 'a "b" c')),
        ("edge—01", ("edge—01",)),
        ("> check berlin", ("check", "berlin")),
        ("2. check berlin", ("check", "berlin")),
        ("$ registry check berlin", ("registry", "check", "berlin")),
        ("```bash\ncheck berlin\n```", ("check", "berlin")),
        ("check \u2068berlin\u2069", ("check", "berlin")),
        ("\u202bcheck\u2028berlin\ufe0f\u202c", ("check", "berlin")),
        ("deploy edge01 \\\n  --site berlin `\r\n--dry-run", ("deploy", "edge01", "--site", "berlin", "--dry-run")),
        ("", ()),
    ],
)
def test_what_phones_write_is_read_as_it_was_meant(typed: str, meant: tuple[str, ...]) -> None:
    assert words(typed) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("show <http://contosoacr.azurecr.io|contosoacr.azurecr.io>", ("show", "contosoacr.azurecr.io")),
        ("show <https://a.example/b>", ("show", "https://a.example/b")),
        (
            "tell <#C0EDGE|edge-ops> <@U0ALICE|alice> <!subteam^S0EDGEOPS|@edge-ops>",
            ("tell", "C0EDGE", "U0ALICE", "S0EDGEOPS"),
        ),
        ("say a &lt;b&gt; &amp; &amp;lt;", ("say", "a", "<b>", "&", "&lt;")),
    ],
)
def test_slack_s_own_escapes_are_undone(typed: str, meant: tuple[str, ...]) -> None:
    assert words(typed) == meant


def test_a_quote_that_is_never_closed_is_told() -> None:
    with pytest.raises(Invalid) as told:
        words('reject op-1 --reason "not now')
    assert told.value.rule == "quote.open"


@given(st.lists(st.text(min_size=1), max_size=5))
def test_what_a_form_says_is_read_back_as_it_was(several: list[str]) -> None:
    assert words(join(several), typed=False) == tuple(several)


@given(st.text())
def test_nothing_that_people_type_breaks_the_reader(text: str) -> None:
    try:
        found = words(text)
    except Invalid:
        return
    assert all(isinstance(word, str) for word in found)


def test_a_plain_word_needs_no_quotes() -> None:
    assert (quote("edge01"), quote("a b"), quote("")) == ("edge01", '"a b"', '""')
