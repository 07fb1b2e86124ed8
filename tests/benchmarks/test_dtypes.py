import sys

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
    assert heads[:2] == ["error", "Spearman"]
    assert [line[0] for line in lines] == ["float32", "bfloat16", "float16"]
    reference, *others = lines
    assert reference[1:5] == ["0.0e+00", "1.000000", "1.000000", "100.0%"]
    assert reference[5:8] == ["+0.000", "[+0.000,", "+0.000]"]
    for line in others:
        assert 0 < float(line[1]) < 0.2
        assert 0.9 < float(line[3]) <= float(line[2]) < 1


def test_proteins_without_a_structure_have_maps_and_no_precision(report, tmp_path):
    protein = tmp_path / "proteins" / "p"
    protein.mkdir(parents=True)
    (protein / "sequence.fasta").write_text(">p\nMKTAYIAKGRQISF\n", encoding="ascii")
    *_, line = report("dataset=folder", f"dataset.path={protein.parent}")
    assert "no structures" in " ".join(line)


def test_a_method_without_a_model_is_refused(report):
    with pytest.raises(SystemExit, match="RandomScores reads no model, so it has no precision"):
        report("method=random")
