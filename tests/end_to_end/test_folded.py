"""Folding through the command line: chains, complexes, going on, and what can be wrong."""

import json

import pytest

from harness.results import read_rows, read_summary
from tests.builders import pdb_of, put
from tests.folding import choices_for

SEQUENCE = "MKTAYIAKGRQISFVLDERWHCNG"


@pytest.fixture
def folding(command_line, tmp_path):
    """A function that folds a chain and a complex of two, and gives the outcome."""
    files = {"chain/structure.pdb": pdb_of(SEQUENCE)}
    files |= {"complex/sequence.fasta": f">a\n{SEQUENCE[:10]}\n>b\n{SEQUENCE[10:]}\n"}
    root = put(tmp_path / "set", files)

    def run(*arguments):
        return command_line(
            *("method=folded", "dataset=folder", f"dataset.path={root}", "dataset.limit=null"),
            *("dataset.ranges=[min6,inter]", "save_scores=true"),
            *(f"hydra.run.dir={tmp_path / 'run'}", *choices_for("folded"), *arguments),
        )

    return run


def test_chains_and_complexes_are_folded_and_not_again(folding, tmp_path):
    assert folding().code == 0
    rows = read_rows(tmp_path / "run")
    assert set(rows["protein"]) == {"chain", "complex"}
    assert rows[rows["protein"] == "chain"]["value"].notna().any()
    summary = read_summary(tmp_path / "run")
    assert summary["cost"]["forward_passes"] == 2
    assert 0 <= summary["facts"]["mean_plddt"]["mean"] <= 100
    assert summary["provenance"]["weights_sha256"].count("+") == 1
    before = (tmp_path / "run" / "proteins.jsonl").read_bytes()
    assert folding().code == 0
    assert (tmp_path / "run" / "proteins.jsonl").read_bytes() == before


def test_the_linker_of_a_complex_costs_tokens(folding, tmp_path):
    assert folding("joining.gap=512", "joining.linker=GGGGG").code == 0
    lines = (tmp_path / "run" / "proteins.jsonl").read_text().splitlines()
    tokens = {entry["protein"]: entry["tokens"] for entry in map(json.loads, lines)}
    assert tokens == {"chain": len(SEQUENCE) + 2, "complex": len(SEQUENCE) + 5 + 2}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["model.path=/no/where"], "/no/where: no such checkpoint"),
        (["model.chunk_size=0"], "chunk_size is 0; allowed are 1 and more, or null"),
        (["model.dtype=int8"], "dtype is 'int8'; allowed are float32, float16, bfloat16"),
        (["method.scoring.width=0.1"], "width is 0.1; allowed are 0.5 Å and more"),
        (["windows=overlapping", "windows.size=0"], "size is 0"),
    ],
)
def test_wrong_values_are_one_message(folding, overrides, message):
    outcome = folding(*overrides)
    assert outcome.code == 1
    assert message in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1
