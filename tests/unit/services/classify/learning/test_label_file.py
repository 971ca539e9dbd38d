"""Labels from CSV files: what is read, what is refused and why."""

import pytest

from services.classify.learning.label_file import LabelDefaults, read_label_file
from services.classify.verbs.labels.importing import main

DEFAULTS = LabelDefaults("expert", "ann", 5_000)


def written(tmp_path, text):
    path = tmp_path / "labels.csv"
    path.write_text(text)
    return path


def test_a_file_with_few_and_with_many_columns(tmp_path):
    path = written(
        tmp_path,
        "object_id,type,source,confidence,said_at,z\n"
        "ZTF1,SN Ia-91T-like,spectrum,0.9,2026-11-01T00:00:00,0.03\nZTF2,SN II,,,,\n",
    )
    labels, refused = read_label_file(path, DEFAULTS)
    assert refused == []
    assert labels[0].said_ms == 1793491200000
    assert (labels[0].source, labels[0].redshift) == ("spectrum", 0.03)
    assert (labels[1].source, labels[1].author, labels[1].taken_ms) == ("expert", "ann", 5_000)


def test_bad_lines_are_refused_with_number_and_reason(tmp_path):
    path = written(
        tmp_path,
        "object_id,class_name,confidence\na,SN Ia,2\nb,strange,1\nc,SN II,1\nd,SN II\n,SN Ia,1\n",
    )
    labels, refused = read_label_file(path, DEFAULTS)
    assert [one.object_id for one in labels] == ["c"]
    assert [one.line for one in refused] == [2, 3, 5, 6]
    assert "confidence" in refused[0].why
    assert "strange" in refused[1].why


@pytest.mark.parametrize(
    "text", ["", "name,colour\nx,red\n", "object_id,class_name,mood\na,Ia,x\n"]
)
def test_a_file_that_is_none_is_refused_whole(tmp_path, text, capsys):
    assert main([str(written(tmp_path, text)), "--dry-run"]) == 2
    assert "column" in capsys.readouterr().err


def test_a_dry_run_sends_nothing(tmp_path, capsys):
    path = written(tmp_path, "object_id,class_name\na,SN Ia\nb,what\n")
    assert main([str(path), "--dry-run"]) == 1
    assert "1 labels would be sent, 1 lines refused" in capsys.readouterr().out
