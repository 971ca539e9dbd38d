"""Subscriptions over HTTP: whose they are, what is refused, and that no secret comes out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.kafka, pytest.mark.database]
ROOT = Path(__file__).parents[4]
SECRET = "a signing key of vera's"  # noqa: S105  # of nothing
HOOK = {
    "name": "hook", "source": "out.bright", "channel": "webhook",
    "settings": {"url": "https://example.org/hook"}, "secret": SECRET,
}  # fmt: skip
API = "/api/v1/subscriptions"

REFUSED = {
    "no secret": {"secret": None},
    "short secret": {"secret": "short"},
    "secret of two lines": {"secret": "a secret of\r\ntwo lines"},
    "loopback by name in a URL with a user": {"settings": {"url": "http://a:b@localhost/"}},
    "a file": {"settings": {"url": "file:///etc/passwd"}},
    "unknown setting": {"settings": {"url": "https://example.org", "verify": False}},
    "unknown channel": {"channel": "carrier_pigeon"},
    "another topic": {"source": "alerts.correlated"},
    "a path": {"source": "out.../../etc"},
    "line end in the name": {"name": "x\ny"},
    "too fast": {"rate_per_minute": 1_000_000},
}


@pytest.fixture
def made(world):
    with world.client("vera") as vera:
        answer = vera.post(API, json=HOOK)
        assert answer.status_code == 201, answer.text
        yield answer.json()["subscription_id"], answer
        vera.delete(f"{API}/{answer.json()['subscription_id']}")


def test_a_subscription_is_its_owners_and_its_secret_nobodys(world, made):
    name, answer = made
    texts = [answer.text]
    with world.client("vera") as vera:
        texts += [vera.get(API).text, vera.get(f"{API}/{name}").text]
        assert name in texts[1]
        assert vera.post(f"{API}/{name}/pause").json()["state"] == "paused"
        assert vera.post(f"{API}/{name}/resume").json()["state"] == "active"
        counts = vera.get(f"{API}/{name}/deliveries/tally").json()["counts"]
        assert set(counts) == {"queued", "sending", "sent", "confirmed", "failed"}
        assert vera.get(f"{API}/{name}/deliveries").json() == {"items": [], "next_cursor": None}
    assert not any(SECRET in text or "sealed" in text for text in texts)
    with world.client("eve") as eve:
        assert name not in eve.get(API).text
        paths = ["", "/deliveries", "/deliveries/tally"]
        assert {eve.get(f"{API}/{name}{path}").status_code for path in paths} == {404}
        assert eve.post(f"{API}/{name}/pause").status_code == 404
        assert eve.delete(f"{API}/{name}").status_code == 404
    with world.client() as nobody:
        assert nobody.get(API).status_code == 401
        assert nobody.post(API, json=HOOK).status_code == 401
    with world.client("rhea") as reader:
        assert reader.post(API, json=HOOK).status_code == 403


@pytest.mark.parametrize("name", REFUSED)
def test_what_will_not_do_is_refused(world, name):
    with world.client("vera") as vera:
        answer = vera.post(API, json=HOOK | REFUSED[name])
    assert answer.status_code == 422, answer.text
    assert SECRET not in answer.text
    assert "two lines" not in answer.text or name != "secret of two lines"


def test_nobody_subscribes_to_what_they_may_not_read(world):
    with world.client("eve") as eve:
        assert eve.post(API, json=HOOK | {"source": "out.secret_filter"}).status_code == 404
        assert eve.post(API, json=HOOK | {"source": "associations"}).status_code == 403
        assert eve.post(API, json=HOOK | {"group": "novae"}).status_code == 403
        tns = {"channel": "tns", "settings": {
            "bot_id": 1, "bot_name": "b", "reporting_group_id": 2, "data_source_id": 3,
            "reporter": "E. Ve",
        }}  # fmt: skip
        assert eve.post(API, json=HOOK | tns).status_code == 403


def test_the_verb_subscribes_lists_and_deletes(world):
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "TOCSIN_PORTAL_URL": world.url,
        "TOCSIN_TOKEN": world.tokens["vera"], "HOOK_KEY": SECRET,
    }  # fmt: skip

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "services.portal.verbs.subscriptions", *arguments],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    environment["TOCSIN_TOKEN"] = world.tokens["rhea"]  # who may not subscribe
    nothing = run("list")
    assert nothing.stdout == ""
    assert "no subscriptions yet; tocsin subscriptions create" in nothing.stderr
    environment["TOCSIN_TOKEN"] = world.tokens["vera"]
    made = run("create", "cli", "--to", "out.bright", "--channel", "webhook",
               "--set", "url=https://example.org/x", "--secret-from", "HOOK_KEY")  # fmt: skip
    assert made.returncode == 0, made.stderr
    name = made.stdout.split()[0]
    listed = run("list")
    assert f"{name}  active" in listed.stdout
    assert SECRET not in listed.stdout + made.stdout
    assert run("deliveries", name).returncode == 0
    assert run("deliveries", "cli").returncode == 0
    assert "no deliveries yet" in run("deliveries", "cli").stderr
    assert run("deliveries", "no-such-name").returncode == 1
    twin = run("create", "cli", "--to", "out.bright", "--channel", "webhook",
               "--set", "url=https://example.org/y", "--secret-from", "HOOK_KEY")  # fmt: skip
    which = run("pause", "cli")
    assert (which.returncode, "2 subscriptions are named cli" in which.stderr) == (2, True)
    assert run("delete", twin.stdout.split()[0]).returncode == 0
    assert run("pause", "cli").returncode == 0
    assert f"{name}  paused" in run("list").stdout
    assert run("delete", "cli").returncode == 0
    assert name not in run("list").stdout
    bad = run("create", "x", "--to", "out.bright", "--channel", "webhook", "--set", "url=ftp://x",
              "--secret-from", "HOOK_KEY")  # fmt: skip
    assert (bad.returncode, len(bad.stderr.strip().splitlines())) == (2, 1)
    assert run("pause", "0" * 12).returncode == 1
