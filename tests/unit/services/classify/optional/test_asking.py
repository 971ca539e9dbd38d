"""Asking an extra: what is refused, when it abstains, what of its answers is believed."""

import json
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from services.classify import classify_file
from services.classify.light_curve_file import LightCurveFile, read_light_curves
from services.classify.optional import EXTRAS
from services.classify.optional.asking import ask
from services.classify.optional.base import (
    CLASS_COLUMNS,
    PARAMETER_COLUMNS,
    ExtraFailedError,
    ExtraRefusedError,
    Ground,
    Job,
    Request,
)

MODEL = "made-of-paper 1.2 one"


def curves(tmp_path: Path, points: int = 12, redshift: float | None = 0.05) -> Path:
    """Two objects: ``bright`` of many points, ``single`` of one."""
    z = "" if redshift is None else str(redshift)
    lines = ["object_id,mjd,band,flux,flux_err,redshift"]
    lines += [f"bright,{60000 + 2 * k},{'gr'[k % 2]},{1000 + k},10,{z}" for k in range(points)]
    lines += [f"single,60000,g,1000,10,{z}"]
    path = tmp_path / "curves.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@dataclass(frozen=True)
class Made:
    """An extra made for these tests: abstains for objects of one point."""

    name: str = "made"
    distribution: str = "made-of-paper"
    modules: tuple[str, ...] = ()
    install: str = "pip install nothing"
    most_objects: int = 10
    columns: tuple[str, ...] = CLASS_COLUMNS

    def job(self, request: Request, folder: Path) -> Job:
        del request, folder
        return Job(self.columns, "one", units={"mass": "solar mass"})

    def grounds(self, curves: LightCurveFile, job: Job) -> Sequence[Ground]:
        del job
        return (("too_few_points", curves.curves.lengths < 2),)


def python_that_says(tmp_path: Path, answers: str) -> Path:
    """An executable that answers so, whatever it is asked; it is called as Python is."""
    (tmp_path / "answers").write_text(answers)
    path = tmp_path / "python"
    path.write_text(f'#!/bin/sh\ncat "{tmp_path}/answers" > "$3/answers.jsonl"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def asked(tmp_path: Path, answers: str, extra: Made | None = None, *, best: bool = False) -> list:
    request = Request(python_that_says(tmp_path, answers), best_only=best)
    _, rows = ask(extra or Made(), read_light_curves(curves(tmp_path)), request)
    return list(rows)


def test_a_row_for_each_class_and_a_reason_where_it_abstains(tmp_path: Path) -> None:
    told = '{"version": "1.2"}\n' + json.dumps({"row": 0, "classes": {"Ia": 0.75, "not Ia": 0.25}})
    rows = asked(tmp_path, told + "\n")
    assert rows[0] == ("bright", "made", "Ia", "0.750000", "", 12, MODEL, "ok")
    assert rows[1][2:4] == ("not Ia", "0.250000")
    assert rows[2] == ("single", "made", "", "", "", 1, MODEL, "too_few_points")
    assert all(len(row) == len(CLASS_COLUMNS) for row in rows)
    assert [row[2] for row in asked(tmp_path, told, best=True)] == ["Ia", ""]


def test_a_row_for_each_parameter(tmp_path: Path) -> None:
    told = '{"version": "1.2"}\n' + json.dumps(
        {"row": 0, "parameters": {"mass": [1.0, 2.0, 3.5], "bad": [1.0, 2.0]}}
    )
    rows = asked(tmp_path, told, Made(columns=PARAMETER_COLUMNS))
    mass = ("bright", "made", "mass", "solar mass", "1", "2", "3.5", 12, MODEL, "ok")
    assert rows[0] == mass
    assert [row[0] for row in rows] == ["bright", "single"]
    assert all(len(row) == len(PARAMETER_COLUMNS) for row in rows)


@pytest.mark.parametrize(
    "told",
    [
        '{"row": 0, "classes": {"Ia": NaN}}',
        '{"row": 0, "classes": {"Ia": "much"}}',
        '{"row": 0, "classes": []}',
        '{"row": 0, "parameters": {"mass": [1, 2, Infinity]}}',
    ],
)
def test_an_answer_without_finite_numbers_is_none(tmp_path: Path, told: str) -> None:
    assert asked(tmp_path, told)[0][-1] == "no_finite_answer"


def test_rows_that_were_not_asked_for_are_ignored(tmp_path: Path) -> None:
    told = '{"row": 7, "classes": {"Ia": 1}}\n[1]\n{"row": 0, "reason": "dull"}\n{"row": 0, "cl'
    assert [row[-1] for row in asked(tmp_path, told)] == ["dull", "too_few_points"]


def test_no_answer_at_all_is_an_error_with_the_last_words(tmp_path: Path) -> None:
    python = python_that_says(tmp_path, "")
    python.write_text("#!/bin/sh\necho starting\necho 'ValueError: out of paper'\nexit 1\n")
    with pytest.raises(ExtraFailedError, match="out of paper"):
        ask(Made(), read_light_curves(curves(tmp_path)), Request(python))


def test_a_missing_package_is_refused_and_says_how_to_install_it(tmp_path: Path) -> None:
    extra = Made(modules=("no_such_package_at_all",))
    with pytest.raises(ExtraRefusedError, match=r"no_such_package_at_all.*pip install nothing"):
        ask(extra, read_light_curves(curves(tmp_path)), Request(_python()))


def test_nothing_is_started_where_everything_abstains(tmp_path: Path) -> None:
    found = read_light_curves(curves(tmp_path, points=1))
    _, rows = ask(Made(), found, Request(tmp_path / "no-python"))
    assert [row[-1] for row in rows] == ["too_few_points", "too_few_points"]


def test_a_python_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExtraRefusedError, match="cannot start"):
        ask(Made(), read_light_curves(curves(tmp_path)), Request(tmp_path / "no-python"))


def test_too_many_objects_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ExtraRefusedError, match="at most 1 a file"):
        ask(Made(most_objects=1), read_light_curves(curves(tmp_path)), Request(_python()))


def test_the_process_may_not_unpickle_and_sees_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOCSIN_TNS_API_KEY", "hush")
    python = python_that_says(tmp_path, "")
    python.write_text(
        '#!/bin/sh\nprintf \'{"row": 0, "reason": "%s %s %s"}\' "$TORCH_FORCE_WEIGHTS_ONLY_LOAD"'
        ' "$1" "${TOCSIN_TNS_API_KEY:-no key}" > "$3/answers.jsonl"\n'
    )
    _, rows = ask(Made(), read_light_curves(curves(tmp_path)), Request(python))
    assert next(iter(rows))[-1] == "1 -I no key"


def test_what_goes_out_holds_the_objects_that_are_asked_about(tmp_path: Path) -> None:
    python = python_that_says(tmp_path, "")
    python.write_text(f'#!/bin/sh\ncp "$3"/job.json "$3"/curves.npz "{tmp_path}"\necho no\n')
    with pytest.raises(ExtraFailedError):
        ask(Made(), read_light_curves(curves(tmp_path)), Request(python))
    with np.load(tmp_path / "curves.npz", allow_pickle=False) as sent:
        assert sent["row"].tolist() == [0]
        assert sent["offsets"].tolist() == [0, 12]
        assert sent["flux_njy"][:2].tolist() == [1000.0, 1001.0]
        assert sent["redshift"].tolist() == [0.05]
    assert json.loads((tmp_path / "job.json").read_text())["bands"] == list("ugrizy")


@pytest.mark.parametrize("name", sorted(EXTRAS))
def test_every_extra_has_its_other_half(name: str) -> None:
    half = Path(classify_file.__file__).parent / "optional" / "inside" / f"ask_{name}.py"
    assert "def answers(" in half.read_text()


@pytest.mark.parametrize("name", sorted(EXTRAS))
def test_the_other_half_imports_nothing_of_tocsin(name: str) -> None:
    half = Path(classify_file.__file__).parent / "optional" / "inside" / f"ask_{name}.py"
    text = half.read_text() + half.with_name("run.py").read_text()
    assert "import services" not in text
    assert "from services" not in text
    assert "from shared" not in text


def test_options_of_our_own_classifiers_do_not_go_with_an_extra(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(curves(tmp_path)), "--with", "mosfit", "--features", "f.csv"]
    assert classify_file.main(arguments) == 2
    assert "--features" in capsys.readouterr().err


def _python() -> Path:
    import sys

    return Path(sys.executable)
