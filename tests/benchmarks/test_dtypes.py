import sys

import numpy as np
import pytest

from benchmarks import dtypes

SMALL = ("model=lattice_2x16", "model.device=cpu", "dataset.limit=2")


@pytest.fixture
def report(monkeypatch, capsys, tmp_path):
    """A function that runs the report with these choices and gives its lines."""

    def run(*choices):
        line = ["dtypes", f"outputs={tmp_path}", *SMALL, *choices]
        monkeypatch.setattr(sys, "argv", line)
        dtypes.main()
        return [text.split() for text in capsys.readouterr().out.splitlines()]

    return run


def test_every_precision_is_compared_with_the_first(report):
    first, heads, *lines = report("method=attention")
    assert first[:2] == ["2", "proteins,"]
    assert heads[:3] == ["device", "error", "Spearman"]
    assert [line[0] for line in lines] == ["float32", "bfloat16", "float16"]
    reference, *others = lines
    assert reference[1:6] == ["cpu", "0.0e+00", "1.000000", "1.000000", "100.0%"]
    assert reference[6:9] == ["+0.000", "[+0.000,", "+0.000]"]
    for line in others:
        assert 0 < float(line[2]) < 0.2
        assert 0.9 < float(line[4]) <= float(line[3]) < 1
        assert np.isfinite([float(text.strip("[],")) for text in line[6:9]]).all()


def test_proteins_without_a_structure_have_maps_and_no_precision(report, tmp_path):
    protein = tmp_path / "proteins" / "p"
    protein.mkdir(parents=True)
    (protein / "sequence.fasta").write_text(">p\nMKTAYIAKGRQISF\n", encoding="ascii")
    *_, line = report("dataset=folder", f"dataset.path={protein.parent}")
    assert "no structures" in " ".join(line)


def test_a_method_without_a_model_is_refused(report):
    with pytest.raises(SystemExit, match="RandomScores reads no model, so it has no precision"):
        report("method=random")


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ("method.foo=3", "Could not override 'method.foo'"),
        ("nonsense", "Error parsing override 'nonsense'"),
        ("model.device=abacus", "device is 'abacus'; allowed are"),
        ("dataset.ranges=[]", "dataset.ranges is empty"),
    ],
)
def test_a_wrong_value_ends_with_a_message(report, choice, message):
    with pytest.raises(SystemExit, match=message):
        report(choice)


def test_a_model_without_a_dtype_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["dtypes", "model=potts"])
    with pytest.raises(SystemExit, match="lattice_family has no dtype"):
        dtypes.main()
