"""Accounts: from the command line, and the first token of all."""

import stat

import pytest

from services.portal.accounts import Accounts
from services.portal.first_token import write_operator_token
from services.portal.verbs import accounts as verb
from shared.store import open_store

pytestmark = [pytest.mark.kafka, pytest.mark.database]


def test_an_operator_makes_accounts_from_the_command_line(world, monkeypatch, capsys):
    monkeypatch.setenv("TOCSIN_PORTAL_URL", world.url)
    monkeypatch.setenv("TOCSIN_TOKEN", world.tokens["olga"])
    assert verb.main(["create", "nora", "--role", "reader", "--group", "others"]) == 0
    assert verb.main(["token", "nora", "--days", "1", "--purpose", "test"]) == 0
    token = capsys.readouterr().out.strip()
    assert verb.main(["list"]) == 0
    assert "nora" in capsys.readouterr().out
    assert verb.main(["tokens", "nora"]) == 0
    listed = capsys.readouterr().out
    assert token[4:12] in listed
    assert token not in listed
    assert verb.main(["revoke", "nora", token[4:12]]) == 0
    assert verb.main(["close", "nora"]) == 0
    assert verb.main(["close", "nobody"]) == 1


def test_others_are_told_in_one_line_that_they_may_not(world, monkeypatch, capsys):
    monkeypatch.setenv("TOCSIN_PORTAL_URL", world.url)
    monkeypatch.setenv("TOCSIN_TOKEN", world.tokens["vera"])
    assert verb.main(["list"]) == 2
    assert capsys.readouterr().err.strip() == "this needs a token with the scope 'operate'"
    monkeypatch.setenv("TOCSIN_TOKEN", "tcn_wrong")
    assert verb.main(["list"]) == 2
    assert "TOCSIN_TOKEN" in capsys.readouterr().err
    monkeypatch.setenv("TOCSIN_PORTAL_URL", "http://127.0.0.1:1")
    assert verb.main(["list"]) == 2
    assert "tocsin status" in capsys.readouterr().err


async def test_the_first_token_is_written_once_for_its_owner_only(world, tmp_path):
    store = open_store(world.settings)
    try:
        accounts = Accounts(store)
        file = tmp_path / "state" / "operator-token"
        await write_operator_token(accounts, file)
        first = file.read_text()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert (await accounts.account_of(first.strip()))["role"] == "operator"
        await write_operator_token(accounts, file)
        assert file.read_text() == first
        # A token that the database does not know is of no use: another is made.
        file.write_text("tcn_00000000_" + "A" * 43)
        await write_operator_token(accounts, file)
        assert file.read_text() not in {first, ""}
        assert (await accounts.account_of(file.read_text().strip()))["user"] == "operator"
    finally:
        store.close()
