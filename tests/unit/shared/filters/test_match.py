import pytest

from shared.filters.engine import FilterEngine
from shared.filters.match import where_of_match
from shared.filters.user_filter import UserFilter
from shared.testing.published import published_batch

BATCH = published_batch(200, seed=3).record_batch


def masks(**filters):
    made = [UserFilter(name=n, description="x", owner="x", **one) for n, one in filters.items()]
    return FilterEngine(made).select(BATCH, "ztf")


@pytest.mark.parametrize(
    ("match", "where"),
    [
        ({"band": "g"}, "band = 'g'"),
        ({"flux_njy": {"$gt": 0, "$lte": 20000.5}}, "flux_njy > 0 AND flux_njy <= 20000.5"),
        ({"band": {"$in": ["g", "i"]}}, "band IN ('g', 'i')"),
        ({"band": {"$nin": ["g", "i"]}}, "band NOT IN ('g', 'i')"),
        ({"early_sn_ia.probability": {"$exists": True}}, "early_sn_ia.probability IS NOT NULL"),
        ({"early_sn_ia.probability": None}, "early_sn_ia.probability IS NULL"),
        ({"flux_njy": {"$not": {"$gt": 0}}}, "NOT coalesce(flux_njy > 0, false)"),
        ({"object_id": {"$regex": "5$"}}, "object_id ~ '.*5$'"),
        ({"matches": {"$size": 1}}, "len(matches) = 1"),
        (
            {"matches": {"$elemMatch": {"catalog": "gcvs", "separation_arcsec": {"$lt": 30}}}},
            "match_of('gcvs').separation_arcsec < 30",
        ),
        (
            {"$or": [{"band": "g"}, {"reliability": {"$gt": 0.5}}], "is_solar_system": False},
            "(band = 'g' OR reliability > 0.5) AND NOT is_solar_system",
        ),
        ({"$nor": [{"band": "g"}, {"reliability": {"$gt": 0.5}}]},
         "NOT (band = 'g' OR reliability > 0.5)"),
        ({"$and": [{"band": "g"}, {"flux_njy": {"$ne": 0}}]}, "band = 'g' AND flux_njy <> 0"),
        ({"$where": "cone(180, 45, 200000)"}, "cone(180, 45, 200000)"),
        ({"object_id": "o' OR 'a' = 'a"}, "false"),
        ({"magnitude_ab": {"$lt": 19}}, "magnitude_ab < 19"),
    ],
)  # fmt: skip
def test_a_match_is_the_sql_that_it_means(match, where):
    found = masks(match={"match": match}, where={"where": where})
    assert found["match"].tolist() == found["where"].tolist()
    assert where == "false" or 0 < found["where"].sum() < 200


@pytest.mark.parametrize(
    "match",
    [
        {},
        [],
        "true",
        {"a b": 1},
        {"a": {}},
        {"a": {"$sleep": 1}},
        {"$expr": 1},
        {"$or": {}},
        {"a": {"$in": "abc"}},
        {"a": {"$gt": {"$gt": 1}}},
        {"a": [1]},
        {"a": float("nan")},
        {"$where": 1},
        {'a" OR true --': 1},
    ],
)
def test_what_is_no_match_is_refused(match):
    with pytest.raises(ValueError, match=r"."):
        where_of_match(match)


def test_depth_is_limited():
    deep = {"a": 1}
    for _ in range(30):
        deep = {"$and": [deep]}
    with pytest.raises(ValueError, match="nested deeper"):
        where_of_match(deep)
