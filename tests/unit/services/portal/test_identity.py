"""Tokens, callers and what may be counted of them."""

import pytest

from services.portal.identity import SCOPES_OF, Caller, Role, Scope
from services.portal.limits import Limits
from services.portal.problems import ProblemError
from services.portal.reading.seen import Sight
from services.portal.settings import PortalSettings, is_loopback
from services.portal.tokens import has_form, new_token, sha256_of
from shared.archive.readers import Reader


def test_tokens_differ_and_hide_their_secret():
    tokens = [new_token() for _ in range(100)]
    assert len({token.text for token in tokens}) == 100
    for token in tokens:
        assert has_form(token.text)
        assert token.sha256 == sha256_of(token.text)
        assert token.text[13:] not in repr(token)
        assert token.text.startswith(f"tcn_{token.prefix}_")


@pytest.mark.parametrize(
    "text",
    ["", "x", "tcn_0_x", "tcn_0000000g_" + "A" * 43, "tcn_" * 1000,
     "tcn_00000000_" + "A" * 43 + "\n", "tcn_００００００００_" + "A" * 43],
)  # fmt: skip
def test_what_is_no_token_is_not_looked_up(text):
    assert not has_form(text)


def test_a_role_may_do_what_those_before_may():
    assert SCOPES_OF[Role.READER] < SCOPES_OF[Role.USER] < SCOPES_OF[Role.OPERATOR]


def test_who_sees_what():
    anybody = Caller()
    vera = Caller("vera", Role.USER, frozenset({"novae"}), SCOPES_OF[Role.USER])
    boss = Caller("olga", Role.OPERATOR, frozenset(), SCOPES_OF[Role.OPERATOR])
    limited = Caller("olga", Role.OPERATOR, frozenset(), frozenset({Scope.READ}))
    assert anybody.is_anonymous
    assert not anybody.may_write
    assert not anybody.owns("")
    assert not anybody.may_see(is_public=False, owner="", group=None)
    assert vera.may_see(is_public=False, owner="someone", group="novae")
    assert not vera.may_see(is_public=False, owner="someone", group="others")
    assert boss.may_see(is_public=False, owner="someone")
    assert not limited.may_see(is_public=False, owner="someone")
    assert boss.visible(visibility="public") == {}
    assert anybody.visible(visibility="public") == {"$or": [{"visibility": "public"}]}


def test_private_hits_are_taken_out_under_any_name():
    sight = Sight(Reader("vera"), {})
    hits = [{"owner": owner, "is_public": public} for owner in ("vera", "eve") for public in (0, 1)]
    seen = sight.of_alert({"watched": hits, "matches": [{"catalog": "x"}], "n": [1, 2]})
    assert seen == {
        "watched": [hits[0], hits[1], hits[3]],
        "matches": [{"catalog": "x"}],
        "n": [1, 2],
    }
    assert Sight(Reader(), {}).of_alert({"w": hits})["w"] == [hits[1], hits[3]]


def test_limits_refuse_what_is_too_much():
    settings = PortalSettings(
        portal_requests_per_minute=5, portal_requests_per_minute_anonymous=2,
        portal_failures_per_minute=3, portal_daily_mib=1, portal_streams_per_caller=1,
    )  # fmt: skip
    limits = Limits(settings)
    for _ in range(2):
        limits.request("1.2.3.4", has_token=False)
    with pytest.raises(ProblemError, match="2 requests"):
        limits.request("1.2.3.4", has_token=False)
    for _ in range(5):
        limits.request("token", has_token=True)
    for _ in range(3):
        limits.refuse_guesser("1.2.3.4")
        limits.failed("1.2.3.4")
    with pytest.raises(ProblemError) as refused:
        limits.refuse_guesser("1.2.3.4")
    assert refused.value.status == 429
    assert int(refused.value.headers["Retry-After"]) >= 1
    limits.sent("heavy", 2 << 20)
    with pytest.raises(ProblemError, match="MiB a day"):
        limits.request("heavy", has_token=True)
    with limits.stream("a"), pytest.raises(ProblemError, match="1 streams"), limits.stream("a"):
        pass
    assert limits.streams_open == 0


def test_only_loopback_is_open_by_itself():
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert not is_loopback("192.0.2.1")
    assert PortalSettings().anonymous_may_read
    assert not PortalSettings(portal_host="192.0.2.1").anonymous_may_read
    assert PortalSettings(portal_host="192.0.2.1", portal_anonymous_read=True).anonymous_may_read
