"""Which region is drawn of an event that the archive knows."""

from __future__ import annotations

import asyncio

from services.mma.archive_alerts import archived_notices
from services.mma.notices import read_notice
from services.mma.plot import _region_of_event
from shared.store import Collection
from shared.testing.notices import gcn_json, lvk_json, voevent

BURST = read_notice(
    voevent("ivo://nasa.gsfc.gcn/Fermi#GBM_Fin_Pos_1", params={"TrigID": "726746786"}), 0
)
GROUND_SEARCH = read_notice(
    gcn_json("swift/bat/Guano", id=["7"], follow_up_event="Fermi 726746786", ra_dec_error=0.05), 0
)


class Kept:
    """In place of the store: what ``find`` would give."""

    def __init__(self, documents):
        self.documents = documents
        self.asked = {}

    async def find(self, collection, query, fields=None):
        self.asked[collection] = query
        return self.documents[collection]


def test_notices_of_all_its_names_are_found():
    documents = [
        {"timestamp_ms": n, "value": one.to_json()} for n, one in enumerate([BURST, GROUND_SEARCH])
    ]
    store = Kept({
        Collection.EVENTS: [{"names": ["Fermi_GBM_726746786", "Swift_GUANO_7"]}],
        Collection.NOTICES: documents,
    })  # fmt: skip
    found = asyncio.run(archived_notices(store, "Swift_GUANO_7"))
    assert [n.notice_id for n in found] == [BURST.notice_id, GROUND_SEARCH.notice_id]
    assert store.asked[Collection.NOTICES] == {
        "key": {"$in": ["Fermi_GBM_726746786", "Swift_GUANO_7"]}
    }


def test_the_best_region_of_the_joined_event_by_either_name():
    for name in (BURST.event_id, GROUND_SEARCH.event_id):
        region = _region_of_event([BURST, GROUND_SEARCH], name)
        assert region.searched_area_deg2(0.9) < 0.02
    assert _region_of_event([BURST], "Swift_GUANO_7") is None


def test_a_retracted_event_is_drawn_where_it_was():
    wave, gone = lvk_json(), lvk_json(alert_type="RETRACTION", created="2024-01-15T01:00:00Z")
    notices = [read_notice(payload, 0) for payload in (wave, gone)]
    assert _region_of_event(notices, "S240115a") is not None
