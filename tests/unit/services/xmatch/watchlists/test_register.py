"""Importing, versions, compiling, following; and the hits alerts get."""

import json

import numpy as np
import pytest
from mocpy import MOC

from services.xmatch.watchlists import command
from services.xmatch.watchlists.compiled import open_watched
from services.xmatch.watchlists.entries import WatchlistError
from services.xmatch.watchlists.following import Following
from services.xmatch.watchlists.positions import ColumnNames
from services.xmatch.watchlists.register import Register
from services.xmatch.watchlists.watch import MOST_TARGETS, watch
from shared.schemas.watched import WATCHED
from shared.sky.separation import separation_arcsec
from shared.testing.placed_alerts import alerts_at


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "state" / "watchlists"


@pytest.fixture
def register(folder):
    return Register(folder)


@pytest.fixture
def add(register, tmp_path):
    def one(text, name="mine", owner="ann", *, is_public=False, **names):
        path = tmp_path / f"{name}.csv"
        path.write_text(text)
        return register.add(
            path, name=name, owner=owner, is_public=is_public, names=ColumnNames(**names)
        )

    return one


def hits(register, ra_deg, dec_deg):
    batch = watch(alerts_at(ra_deg, dec_deg), open_watched(register.current()))
    return batch.strings("watchlists"), batch.strings("regions")


def test_an_alert_gets_the_hits_of_all_lists_nearest_first(add, register):
    add("name,ra,dec,radius\na,10,0,5\nb,10.001,0,5\nfar,11,0,5\n")
    add("ra,dec\n10.0002,0\n", name="public", owner="bob", is_public=True, radius_arcsec=10)
    (found, nothing), _ = hits(register, [10.0003, 200.0], [0.0, 0.0])
    assert [(h["name"], h["owner"], h["target"], h["is_public"]) for h in found] == [
        ("public", "bob", None, True), ("mine", "ann", "a", False), ("mine", "ann", "b", False),
    ]  # fmt: skip
    assert found[0]["separation_arcsec"] == pytest.approx(0.36, abs=1e-3)
    assert {h["version"] for h in found} == {"1"}
    assert nothing == []


def test_positions_and_regions_by_brute_force(add, register, tmp_path):
    rng = np.random.default_rng(5)
    lines = [
        f"{ra:.9f},{dec:.9f},{radius:.3f}"
        for ra, dec, radius in zip(
            rng.uniform(0, 360, 3_000), np.degrees(np.arcsin(rng.uniform(-1, 1, 3_000))),
            10 ** rng.uniform(0, 3.5, 3_000), strict=True,
        )
    ]  # fmt: skip
    rows = np.array([line.split(",") for line in lines], dtype=float)
    add("ra,dec,radius\n" + "\n".join(lines))
    moc = tmp_path / "north.moc"
    MOC.from_str("1/0-15").save(str(moc), format="ascii")
    register.add(moc, name="north", owner="bob", is_public=True, names=ColumnNames())
    ra_deg = np.concatenate([rng.uniform(0, 360, 500), rows[:500, 0]])
    dec_deg = np.concatenate([np.degrees(np.arcsin(rng.uniform(-1, 1, 500))), rows[:500, 1]])
    lists, regions = hits(register, ra_deg, dec_deg)
    away = separation_arcsec(ra_deg[:, None], dec_deg[:, None], rows[:, 0], rows[:, 1])
    expected = np.minimum((away <= rows[:, 2]).sum(axis=1), MOST_TARGETS)
    assert [len(one) for one in lists] == expected.tolist()
    assert expected[500:].min() >= 1
    # Cells 0 to 15 of order 1 are base cells 0 to 3: the northern cap.
    assert all(bool(one) for one, dec in zip(regions, dec_deg, strict=True) if dec > 42)
    assert not any(one for one, dec in zip(regions, dec_deg, strict=True) if dec < 0)


def test_only_regions_are_enough(register, tmp_path):
    path = tmp_path / "all.moc"
    path.write_text("0/0-11")
    entry = register.add(path, name="sky", owner="ann", is_public=False, names=ColumnNames())
    assert (entry.kind, entry.sky_fraction) == ("region", 1.0)
    lists, regions = hits(register, [1.0], [-89.9])
    assert lists == [[]]
    assert regions == [[{"name": "sky", "owner": "ann", "version": "1", "is_public": False}]]


def test_nobody_watches_anything():
    batch = watch(alerts_at([1.0], [2.0]), None)
    assert [batch.strings(field.name) for field in WATCHED] == [[None], [None]]


def test_a_new_version_replaces_the_one_before_and_few_are_kept(add, register, folder):
    for ra in range(5):
        assert add(f"ra,dec\n{ra},0\n").version == ra + 1
    lists, _ = hits(register, [0.0, 4.0], [0.0, 0.0])
    assert [len(one) for one in lists] == [0, 1]
    assert lists[1][0]["version"] == "5"
    (entry,) = register.entries()
    versions = sorted(p.name for p in (folder / "entries" / entry.key).iterdir())
    assert versions == ["3", "4", "5"]
    assert len(list((folder / "compiled").iterdir())) == 2


def test_removed_and_imported_anew_is_not_what_it_was(add, register):
    entry = add("ra,dec\n1,0\n")
    register.remove(entry)
    assert register.current() is None
    assert register.entries() == []
    add("ra,dec\n2,0\n")
    assert [len(one) for one in hits(register, [1.0, 2.0], [0.0, 0.0])[0]] == [0, 1]


@pytest.mark.parametrize(
    ("name", "owner"), [("../evil", "ann"), ("", "ann"), ("a b", "ann"), ("x" * 64, "ann"),
                        ("mine", ""), ("mine", "a\nb")],
)  # fmt: skip
def test_a_name_that_is_none_is_refused_and_nothing_is_kept(add, register, name, owner, tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("ra,dec\n1,2\n")
    with pytest.raises(WatchlistError, match=r"name|owner"):
        register.add(path, name=name, owner=owner, is_public=False, names=ColumnNames())
    assert register.entries() == []


def test_a_bad_file_leaves_the_version_before(add, register):
    add("ra,dec\n1,0\n")
    with pytest.raises(WatchlistError):
        add("ra,dec\nx,y\n")
    assert [entry.version for entry in register.entries()] == [1]
    assert len(hits(register, [1.0], [0.0])[0][0]) == 1


def test_a_worker_follows_without_a_restart_and_survives_damage(add, register, folder):
    following = Following(folder, every_s=0.0)
    assert following.latest() is None
    entry = add("ra,dec\n1,0\n")
    first = following.latest()
    assert len(first.positions) == 1
    add("ra,dec\n1,0\n2,0\n")
    assert len(following.latest().positions) == 2
    add("ra,dec\n1,0\n2,0\n3,0\n")
    next(register.current().glob("list_of.npy")).write_bytes(b"damage")
    assert len(following.latest().positions) == 2
    with pytest.raises(WatchlistError, match="tocsin watchlists compile"):
        open_watched(register.current())
    register.compile()
    assert len(open_watched(register.current()).positions) == 3
    # What a worker has mapped stays good although its files are gone.
    assert first.positions.cells29[0] >= 0
    register.remove(entry)
    assert following.latest() is None


def test_the_command_from_import_to_removal(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TOCSIN_STATE_DIR", str(tmp_path))
    path = tmp_path / "agn.csv"
    path.write_text("name,ra,dec\na,1,2\nb,x,2\n")
    assert command.main(["import", str(path), "--owner", "ann", "--radius", "3"]) == 0
    out = capsys.readouterr()
    assert out.out == "list agn of ann, version 1: 1 positions, private to its owner's filters\n"
    assert "1 rows left out" in out.err
    assert command.main(["import", str(path), "--owner", "bob", "--public"]) == 0
    assert command.main(["list", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()[1:]]
    assert [(r["owner"], r["is_public"]) for r in rows] == [("ann", False), ("bob", True)]
    assert command.main(["show", "agn"]) == 2
    assert "choose with --owner" in capsys.readouterr().err
    assert command.main(["show", "agn", "--owner", "ann"]) == 0
    assert "source_sha256" in capsys.readouterr().out
    assert command.main(["remove", "agn", "--owner", "ann"]) == 0
    assert command.main(["remove", "agn", "--owner", "ann"]) == 2
    assert command.main(["list"]) == 0
    assert "bob" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["import", "nowhere.csv", "--owner", "a"], ["show", "none"]])
def test_the_command_says_what_is_wrong_in_one_line(tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.setenv("TOCSIN_STATE_DIR", str(tmp_path))
    assert command.main(arguments) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
