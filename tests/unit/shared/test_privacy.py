"""A private list exists for its owner's filters, and for nobody else's."""

import io
import json

import fastavro
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.distribute.deliver import outgoing_alerts
from shared.filters.engine import FilterEngine
from shared.filters.schemas import schema_of
from shared.filters.user_filter import UserFilter
from shared.kafka.records import Envelope, Record
from shared.privacy import private_owners, seen_by
from shared.schemas.avro.schema import alert_schema
from shared.schemas.watched import REGIONS, WATCHLISTS
from shared.testing.published import published_batch

PARSED = fastavro.parse_schema(alert_schema())


def hit(name, owner, *, is_public=False, **fields):
    return {"name": name, "owner": owner, "version": "1", "is_public": is_public, **fields}


def near(name, owner, **fields):
    return hit(name, owner, separation_arcsec=0.5, target="t", **fields)


LISTS = [
    [near("secret", "ann"), near("open", "bob", is_public=True)],
    [near("secret", "bob")],
    [],
    None,
    [near("open", "bob", is_public=True)],
]
AREAS = [
    [],
    [hit("acre", "ann")],
    [hit("acre", "ann"), hit("all", "ann", is_public=True)],
    None,
    [],
]


def envelope(lists=LISTS, regions=AREAS):
    batch = published_batch(len(lists), seed=4, changes={"watchlists": lists, "regions": regions})
    return Envelope(Record("tocsin.alerts.correlated", 0, 7, 0, None, b""), batch)


def deliver(*filters, envelopes=None, is_public=False, **more):
    engine = FilterEngine(
        [
            UserFilter(name=n, owner=o, where=w, description="x", is_public=is_public, **more)
            for n, o, w in filters
        ]
    )
    given_envelopes = [envelope()] if envelopes is None else envelopes
    return {
        topic.removeprefix("out."): [
            fastavro.schemaless_reader(io.BytesIO(m.value[5:]), PARSED) for m in messages
        ]
        for topic, messages in outgoing_alerts(engine, given_envelopes, "").items()
    }


def names(alerts, column):
    return [[one["name"] for one in alert[column] or []] for alert in alerts]


def test_everybody_sees_what_is_public_and_only_the_owner_the_rest():
    found = deliver(("a", "ann", "true"), ("b", "bob", "true"), ("c", "eve", "true"))
    assert names(found["a"], "watchlists") == [["secret", "open"], [], [], [], ["open"]]
    assert names(found["b"], "watchlists") == [["open"], ["secret"], [], [], ["open"]]
    assert names(found["c"], "watchlists") == [["open"], [], [], [], ["open"]]
    assert names(found["a"], "regions") == [[], ["acre"], ["acre", "all"], [], []]
    assert names(found["c"], "regions") == [[], [], ["all"], [], []]
    assert "secret" not in str(found["c"])
    assert "acre" not in str(found["c"])


@pytest.mark.parametrize(
    "where",
    [
        "on_watchlist('secret')",
        "len(list_filter(watchlists, lambda one: NOT one.is_public)) > 0",
        "list_contains(list_transform(watchlists, lambda one: one.owner), 'ann')",
        "in_region('acre')",
        "len(watchlists) = 2",
    ],
)
def test_a_filter_of_another_cannot_find_out_by_selecting(where):
    assert deliver(("spy", "eve", where)) == {}
    assert deliver(("mine", "ann", where))["mine"]


def test_the_owners_filter_selects_by_the_private_hit_and_others_are_not_disturbed():
    found = deliver(
        ("mine", "ann", "on_watchlist('secret')"),
        ("not_mine", "ann", "NOT on_watchlist('secret')"),
        ("his", "bob", "on_watchlist('secret')"), ("all_of_them", "eve", "true"),
    )  # fmt: skip
    ids = [alert["alert_id"] for alert in found["all_of_them"]]
    assert [alert["alert_id"] for alert in found["mine"]] == ids[:1]
    assert [alert["alert_id"] for alert in found["his"]] == ids[1:2]
    # A null list is neither on it nor not: SQL's three values.
    assert [alert["alert_id"] for alert in found["not_mine"]] == [ids[1], ids[2], ids[4]]


def test_owners_are_found_with_their_rows():
    rows = private_owners(pa.Table.from_batches([envelope().batch.record_batch]))
    assert {owner: mask.tolist() for owner, mask in rows.items()} == {
        "ann": [True, True, True, False, False], "bob": [False, True, False, False, False],
    }  # fmt: skip


def test_without_private_hits_nothing_is_copied():
    table = pa.Table.from_batches([published_batch(5).record_batch])
    assert private_owners(table) == {}
    assert seen_by(table, None) is table


def test_an_envelope_from_before_there_were_lists_goes_through():
    batch = published_batch(5)
    bare = batch.record_batch.drop_columns(["watchlists", "regions"])
    old = Envelope(envelope().record, type(batch)(bare))
    assert len(deliver(("a", "ann", "true"), envelopes=[old])["a"]) == 5


OWNERS = st.sampled_from(["ann", "bob", None])
HITS = st.lists(st.tuples(OWNERS, st.sampled_from([True, False, None])), max_size=4)


@settings(deadline=None)
@given(st.lists(st.none() | HITS, min_size=1, max_size=6), st.sampled_from(["ann", "eve", None]))
def test_what_is_left_is_what_may_be_seen(rows, owner):
    lists = [
        None if row is None else [near("l", who, is_public=public) for who, public in row]
        for row in rows
    ]
    array = pa.array(lists, WATCHLISTS.type)
    table = pa.table({"watchlists": array, "regions": pa.nulls(len(lists), REGIONS.type)})
    # A slice has an offset of its own: what lies outside must not come back.
    for start in {0, len(lists) - 1}:
        seen = seen_by(table.slice(start), owner).column("watchlists").to_pylist()
        expected = [
            None if row is None else [
                one for one in row
                if one["is_public"] or (owner is not None and one["owner"] == owner)
            ]
            for row in array.to_pylist()[start:]
        ]  # fmt: skip
        assert seen == expected


def test_many_alerts_with_many_private_hits():
    rng = np.random.default_rng(2)
    lists = [[near(f"l{k}", f"o{k}") for k in rng.choice(30, 3, replace=False)] for _ in range(200)]
    found = deliver(
        *[(f"f{k}", f"o{k}", "true") for k in range(30)], envelopes=[envelope(lists, [[]] * 200)]
    )
    for k in range(30):
        seen = {one["owner"] for alert in found[f"f{k}"] for one in alert["watchlists"]}
        assert seen == {f"o{k}"}
        assert len(found[f"f{k}"]) == 200


def test_a_public_filter_or_one_of_a_group_sees_no_private_hit_of_its_owner():
    """Others read its topic."""
    mine = ("mine", "ann", "on_watchlist('secret')")
    assert deliver(mine)
    assert not deliver(mine, is_public=True)
    assert not deliver(mine, group="friends")


def test_a_selected_column_holds_only_what_the_owner_may_see():
    engine = FilterEngine(
        [
            UserFilter(
                name=name, owner=owner, description="x", is_public=False,
                select="SELECT len(watchlists) AS n, watchlists FROM alerts WHERE true",
            )
            for name, owner in (("anns", "ann"), ("bobs", "bob"))
        ]
    )  # fmt: skip
    found = outgoing_alerts(engine, [envelope()], "")
    seen = {}
    for topic, (message, *_) in found.items():
        name = topic.removeprefix("out.")
        schema = schema_of(engine.filters[name], engine.outputs[name])
        row = fastavro.schemaless_reader(
            io.BytesIO(message.value[5:]), fastavro.parse_schema(json.loads(schema.text))
        )
        assert row["n"] == len(row["watchlists"])
        seen[name] = {hit["owner"] for hit in row["watchlists"] if not hit["is_public"]}
    assert seen["anns"] == {"ann"}
    assert seen["bobs"] <= {"bob"}


def test_alerts_of_a_private_survey_go_to_private_filters_of_its_group_only():
    private = {"ztf": frozenset({"partners"})}
    cases = {
        "public": {},
        "owner_in_the_group": {"is_public": False, "owner_groups": ("partners",)},
        "owner_outside": {"is_public": False, "owner_groups": ("others",)},
        "of_the_group": {"is_public": False, "group": "partners"},
        "of_another_group": {"is_public": False, "group": "x", "owner_groups": ("partners",)},
        "public_of_a_member": {"owner_groups": ("partners",)},
    }
    filters = [
        UserFilter(name=name, owner="ann", where="true", description="x", **more)
        for name, more in cases.items()
    ]
    engine = FilterEngine(filters, None, private)
    found = engine.select(envelope().batch.record_batch, "ztf")
    assert set(found) == {"owner_in_the_group", "of_the_group"}
