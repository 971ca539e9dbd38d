"""ZTF's simulated packets: valid, marked, consistent, and astronomically sane."""

import gzip
import io

import fastavro
import fastavro.validation
import numpy as np
import pytest
from astropy.io import fits

from services.simulate.population import simulate_night
from services.simulate.surveys import WRITERS
from services.simulate.surveys.ztf_schema import ALERT
from services.simulate.telescopes import ZTF


@pytest.fixture(scope="module")
def records(ztf_packets):
    return [next(fastavro.reader(io.BytesIO(packet.payload))) for packet in ztf_packets]


def test_every_packet_is_one_valid_record(ztf_packets, records):
    schema = fastavro.parse_schema(ALERT)
    for packet, record in zip(ztf_packets, records, strict=True):
        assert record["candid"] == record["candidate"]["candid"] == packet.alert_id
        assert record["objectId"] == packet.object_id
    for packet, record in list(zip(ztf_packets, records, strict=True))[::6]:
        assert fastavro.validation.validate(record, schema)
        again = io.BytesIO()
        fastavro.schemaless_writer(again, schema, record)
        assert again.getvalue() in packet.payload


def test_identifiers_are_unique_and_look_like_ztf(records):
    assert len({r["candid"] for r in records}) == len(records)
    for r in records:
        assert len(r["objectId"]) == 12
        assert r["objectId"].startswith("ZTF26s")
        assert r["candid"] // 1_000_000 == r["candidate"]["pid"]
        assert r["candidate"]["pid"] // 10**9 == r["candidate"]["nid"] == 61_041 - 57_754


def test_marked_as_simulated(records):
    assert {r["publisher"] for r in records} == {"Tocsin simulator"}
    assert {r["schemavsn"] for r in records} == {"4.02"}


def test_alerts_are_five_sigma_and_in_order_of_time(records):
    times = [r["candidate"]["jd"] for r in records]
    assert times == sorted(times)
    for r in records:
        assert r["candidate"]["sigmapsf"] <= 1.0857362 / 5.0 + 1e-6
        assert r["candidate"]["fid"] in (1, 2)


def test_history_is_before_and_agrees_with_forced_photometry(records):
    with_history = [r for r in records if r["prv_candidates"]]
    assert len(with_history) > 0.9 * len(records)
    for r in with_history:
        jd = r["candidate"]["jd"]
        earlier = [p["jd"] for p in r["prv_candidates"]]
        assert earlier == sorted(earlier)
        assert jd - 31.5 < earlier[0] <= earlier[-1] < jd
        for p, f in zip(r["prv_candidates"], r["fp_hists"], strict=True):
            assert (p["jd"], p["pid"], p["fid"]) == (f["jd"], f["pid"], f["fid"])
            snr = f["forcediffimflux"] / f["forcediffimfluxunc"]
            if p["candid"] is None:
                assert p["magpsf"] is None
                assert p["isdiffpos"] is None
                assert p["diffmaglim"] > 15
            else:
                assert p["isdiffpos"] == ("t" if snr > 0 else "f")
                mag = f["magzpsci"] - 2.5 * np.log10(abs(f["forcediffimflux"]))
                assert mag == pytest.approx(p["magpsf"], abs=1e-3)


def test_a_detection_reads_the_same_in_later_packets(records):
    own = {r["candid"]: r["candidate"] for r in records}
    repeated = 0
    for r in records:
        for p in r["prv_candidates"] or ():
            first = own.get(p["candid"])
            if first is not None:
                repeated += 1
                assert all(first[k] == p[k] for k in ("jd", "ra", "dec", "magpsf", "fwhm", "rb"))
    assert repeated > 20


def test_cutouts_show_the_source_in_the_middle(records, ztf_night):
    names = [ztf_night.model_names[c] for c in ztf_night.model_code]
    ratios = []
    for i, r in enumerate(records):
        images = {}
        for kind in ("Science", "Template", "Difference"):
            stamp = gzip.decompress(r[f"cutout{kind}"]["stampData"])
            with fits.open(io.BytesIO(stamp)) as file:
                images[kind] = np.asarray(file[0].data, dtype=float)
            assert images[kind].shape == (63, 63)
        source = ztf_night.point_source[ztf_night.alert_points[i]]
        if names[source] == "bogus" or r["candidate"]["sigmapsf"] > 0.05:
            continue
        sign = 1.0 if r["candidate"]["isdiffpos"] == "t" else -1.0
        difference = sign * images["Difference"]
        assert difference[29:34, 29:34].max() == difference[20:43, 20:43].max()
        # The aperture holds the flux that the packet tells: detector units of zero point 26.25.
        flux = 10 ** (-0.4 * (r["candidate"]["magpsf"] - 26.25))
        ratios.append(difference[26:37, 26:37].sum() / flux)
    assert len(ratios) > 30
    assert np.median(ratios) == pytest.approx(0.97, abs=0.05)


def test_asteroids_bear_a_name_and_move(records):
    by_name = {}
    for r in records:
        name = r["candidate"]["ssnamenr"]
        assert (r["candidate"]["ssdistnr"] == -999.0) == (name == "null")
        if name != "null":
            by_name.setdefault(name, []).append(r["candidate"])
    pairs = [c for c in by_name.values() if len(c) > 1]
    assert pairs
    for first, second, *_ in pairs:
        hours = (second["jd"] - first["jd"]) * 24.0
        moved = 3600.0 * np.hypot(
            (second["ra"] - first["ra"]) * np.cos(np.radians(first["dec"])),
            second["dec"] - first["dec"],
        )
        assert 4.0 < moved / hours < 95.0


def test_bogus_scores_low(records, ztf_night):
    names = np.array(ztf_night.model_names)[
        ztf_night.model_code[ztf_night.point_source[ztf_night.alert_points]]
    ]
    drb = np.array([r["candidate"]["drb"] for r in records])
    assert np.median(drb[names == "bogus"]) < 0.3
    assert np.median(drb[names != "bogus"]) > 0.9


def test_same_seed_same_bytes_other_seed_other_alerts(ztf_packets):
    def payloads(seed):
        night = simulate_night(ZTF, 61_041, len(ztf_packets), seed)
        return WRITERS["ztf"](night).write(np.arange(len(ztf_packets)))

    assert [p.payload for p in payloads(5)] == [p.payload for p in ztf_packets]
    other = payloads(6)
    assert not {p.alert_id for p in other} & {p.alert_id for p in ztf_packets}
    assert not {p.object_id for p in other} & {p.object_id for p in ztf_packets}


def test_chunks_do_not_change_the_record(ztf_night, ztf_packets):
    writer = WRITERS["ztf"](ztf_night)
    alone = next(fastavro.reader(io.BytesIO(writer.write(np.array([17]))[0].payload)))
    together = next(fastavro.reader(io.BytesIO(ztf_packets[17].payload)))
    scalars = ("objectId", "candid", "candidate", "prv_candidates", "fp_hists")
    assert {k: alone[k] for k in scalars} == {k: together[k] for k in scalars}
