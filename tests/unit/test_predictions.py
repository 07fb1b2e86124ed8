"""Files of predictors: where they are, what is read, and what is refused."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.errors import InputError, PrerequisiteError
from harness.predictions import Predictions, read_pae
from harness.protein import Protein
from tests.builders import QUERY, put
from tests.folding import predicted

PAE = np.arange(len(QUERY) ** 2, dtype=float).reshape(len(QUERY), -1) / 10
PROTEIN = Protein("P12345", QUERY)
LAYOUTS = {
    "plain": ("P12345.pdb", "P12345_pae.json"),
    "packed": ("P12345.cif.gz", "P12345_pae.npz"),
    "database": ("AF-P12345-F1-model_v4.cif", "AF-P12345-F1-predicted_aligned_error_v4.json"),
    "relaxed": (
        "P12345_relaxed_rank_001_alphafold2_ptm_model_3_seed_000.pdb",
        "P12345_scores_rank_001_alphafold2_ptm_model_3_seed_000.json",
    ),
    "unrelaxed": (
        "P12345_unrelaxed_rank_001_alphafold2_ptm_model_3_seed_000.pdb",
        "P12345_predicted_aligned_error_v1.json",
    ),
    "alphafold2": ("P12345/ranked_0.pdb", None),
    "alphafold3": ("P12345/P12345_model.cif", "P12345/P12345_confidences.json"),
    "alphafold3_lower": ("p12345/p12345_model.cif", "p12345/p12345_confidences.json"),
    "server": ("fold_p12345_model_0.cif", "fold_p12345_full_data_0.json"),
    "boltz": ("P12345/P12345_model_0.cif", "P12345/pae_P12345_model_0.npz"),
    "boltz_root": (
        "predictions/P12345/P12345_model_0.pdb",
        "predictions/P12345/pae_P12345_model_0.npz",
    ),
    "chai": ("P12345/pred.model_idx_0.cif", None),
}
FORMS: dict[str, Any] = {
    "_pae.json": {"pae": PAE.tolist()},
    "_v4.json": [{"predicted_aligned_error": PAE.tolist(), "max_predicted_aligned_error": 31.75}],
    "_000.json": {"plddt": [], "max_pae": 30.0, "pae": PAE.tolist(), "ptm": 0.5},
    "_v1.json": {"predicted_aligned_error": PAE.tolist(), "max_predicted_aligned_error": 30.0},
    "_confidences.json": {"atom_plddts": [], "pae": PAE.tolist()},
    "_0.json": {"atom_plddts": [], "pae": PAE.tolist()},
}


def write_pae(path: Path) -> None:
    if path.suffix == ".npz":
        np.savez(path, pae=PAE.astype(np.float32))
    else:
        content = next(form for ending, form in FORMS.items() if path.name.endswith(ending))
        path.write_text(json.dumps(content))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_found_and_read(tmp_path: Path, layout: str) -> None:
    structure, pae = LAYOUTS[layout]
    predicted(tmp_path / structure, QUERY, plddt=81.0)
    if pae is not None:
        write_pae(tmp_path / pae)
    found = Predictions(tmp_path, "plddt").read(PROTEIN)
    assert [chain.sequence for chain in found.chains] == [QUERY]
    assert len(found) == len(QUERY)
    assert found.plddt == pytest.approx(np.full(len(QUERY), 81.0))
    if pae is None:
        assert found.pae is None
    else:
        assert found.pae == pytest.approx(PAE, rel=1e-6)


def test_all_heavy_atoms_are_there_without_hydrogens(tmp_path: Path) -> None:
    path = predicted(tmp_path / "P12345.pdb", QUERY)
    hydrogen = path.read_text().splitlines()[0].replace("  N  ", "  H  ")
    path.write_text(hydrogen + "\n" + path.read_text())
    atoms = Predictions(tmp_path, "plddt").read(PROTEIN).atoms
    assert len(atoms) == 4 * len(QUERY) - QUERY.count("G")
    assert atoms.res_id.tolist() == sorted(atoms.res_id.tolist())
    assert set(atoms.res_id.tolist()) == set(range(len(QUERY)))


def test_a_file_of_your_own_comes_before_those_of_programs(tmp_path: Path) -> None:
    for name in ("P12345.pdb", "P12345_relaxed_rank_001_x.pdb", "AF-P12345-F1-model_v4.pdb"):
        predicted(tmp_path / name, QUERY)
    assert Predictions(tmp_path, "plddt").find("P12345").structure.name == "P12345.pdb"
    (tmp_path / "P12345.pdb").unlink()
    assert Predictions(tmp_path, "plddt").find("P12345").structure.name.startswith("AF-")


@pytest.mark.parametrize(
    "names",
    [
        ("P12345.pdb", "P12345.cif"),
        ("AF-P12345-F1-model_v4.pdb", "AF-P12345-F1-model_v3.pdb"),
        ("P12345_relaxed_rank_001_a.pdb", "P12345_relaxed_rank_001_b.pdb"),
    ],
)
def test_two_of_one_kind_are_for_the_user_to_choose(tmp_path: Path, names: tuple[str, str]) -> None:
    for name in names:
        predicted(tmp_path / name, QUERY)
    with pytest.raises(InputError, match=rf"{re.escape(sorted(names)[0])}, .*; keep one of them"):
        Predictions(tmp_path, "plddt").find("P12345")


def test_colabfold_writes_aligned_errors_twice(tmp_path: Path) -> None:
    structure, pae = LAYOUTS["relaxed"]
    predicted(tmp_path / structure, QUERY)
    for name in (pae, LAYOUTS["unrelaxed"][1]):
        write_pae(tmp_path / str(name))
    found = Predictions(tmp_path, "plddt").find("P12345").pae
    assert found is not None
    assert found.name == pae


@pytest.mark.parametrize("other", ["P1234", "P12345_long", "P12345.2"])
def test_an_id_does_not_find_the_files_of_another(tmp_path: Path, other: str) -> None:
    predicted(tmp_path / f"{other}.pdb", QUERY)
    predicted(tmp_path / f"{other}_relaxed_rank_001_x.pdb", QUERY)
    with pytest.raises(InputError, match="has no prediction of P12345: predict it, or leave it"):
        Predictions(tmp_path, "plddt").find("P12345")


def test_ids_never_leave_the_folder(tmp_path: Path) -> None:
    predicted(tmp_path / "x.pdb", QUERY)
    inside = tmp_path / "inside"
    inside.mkdir()
    with pytest.raises(InputError, match="cannot name a protein"):
        Predictions(inside, "plddt").find("../x")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PrerequisiteError, match="is no folder: set predictions=DIR"):
        Predictions(tmp_path / "none", "plddt").find("P12345")


def test_confidence_is_one_of_two() -> None:
    with pytest.raises(ValueError, match="confidence is 'bfactor'; allowed are plddt and none"):
        Predictions(Path(), "bfactor")


def test_digests_are_those_of_both_files(tmp_path: Path) -> None:
    predicted(tmp_path / "P12345/P12345_model_0.cif", QUERY)
    write_pae(tmp_path / "P12345/pae_P12345_model_0.npz")
    digests = Predictions(tmp_path, "plddt").digests("P12345")
    assert list(digests) == ["P12345/P12345_model_0.cif", "P12345/pae_P12345_model_0.npz"]
    assert all(len(value) == 64 for value in digests.values())


@pytest.mark.parametrize(
    ("sequence", "message"),
    [
        (QUERY[:-1], rf"it has 13 residues, P12345 has {len(QUERY)}\."),
        ("W" + QUERY[1:], r"residue 0 \(from 0\) is W, not M"),
        (QUERY[::-1], r"predicted structure of another sequence\?"),
    ],
)
def test_a_structure_of_another_sequence(tmp_path: Path, sequence: str, message: str) -> None:
    predicted(tmp_path / "P12345.pdb", sequence)
    with pytest.raises(InputError, match=message):
        Predictions(tmp_path, "plddt").read(PROTEIN)


def test_residues_outside_the_twenty_equal_any(tmp_path: Path) -> None:
    predicted(tmp_path / "P12345.pdb", QUERY)
    unknown = Protein("P12345", QUERY.replace("K", "X"))
    assert len(Predictions(tmp_path, "plddt").read(unknown)) == len(QUERY)


def test_modified_residues_are_read_as_their_parents(tmp_path: Path) -> None:
    path = predicted(tmp_path / "P12345.pdb", QUERY)
    lines = path.read_text().replace("MET A", "MSE A").splitlines()
    lines = [x.replace("ATOM  ", "HETATM") if "MSE" in x else x for x in lines]
    put(tmp_path, {"P12345.pdb": "\n".join(lines) + "\n"})
    assert Predictions(tmp_path, "plddt").read(PROTEIN).chains[0].sequence == QUERY


def test_several_chains_of_one_protein(tmp_path: Path) -> None:
    one = predicted(tmp_path / "a.pdb", QUERY).read_text().removesuffix("END\n")
    other = predicted(tmp_path / "b.pdb", QUERY, chain="B").read_text()
    put(tmp_path, {"P12345.pdb": one + other})
    with pytest.raises(InputError, match=r"2 protein chains \(A, B\), and P12345 has 1; keep"):
        Predictions(tmp_path, "plddt").read(PROTEIN)
    dimer = Protein("P12345", QUERY * 2, breaks=(len(QUERY),))
    found = Predictions(tmp_path, "plddt").read(dimer)
    assert found.places("CA").shape == (2 * len(QUERY), 3)
    assert found.atoms.res_id.max() == 2 * len(QUERY) - 1


@pytest.mark.parametrize(("given", "expected"), [(0.83, 83.0), (83.0, 83.0), (1.0, 100.0)])
def test_confidence_as_a_fraction_or_in_percent(
    tmp_path: Path, given: float, expected: float
) -> None:
    predicted(tmp_path / "P12345.pdb", QUERY, plddt=given)
    found = Predictions(tmp_path, "plddt").read(PROTEIN)
    assert found.plddt == pytest.approx(np.full(len(QUERY), expected))


def test_b_factors_that_nobody_wrote_are_no_confidence(tmp_path: Path) -> None:
    predicted(tmp_path / "P12345.pdb", QUERY, plddt=0.0)
    with pytest.raises(InputError, match=r"B-factors are all 0, so no pLDDT was written"):
        Predictions(tmp_path, "plddt").read(PROTEIN)


WRONG = {
    "no JSON": ("x.json", "{", "not readable as JSON"),
    "brackets": ("x.json", "[" * 100_000, "not readable as JSON"),
    "no table": ("x.json", '{"plddt": [1]}', "no table named predicted_aligned_error or pae"),
    "a number": ("x.json", "3", "no table named"),
    "old list": ("x.json", '[{"distance": [1]}]', "no table named"),
    "text": ("x.json", '{"pae": [["a", "b"], ["c", "d"]]}', "no table of numbers"),
    "ragged": ("x.json", '{"pae": [[1, 2], [3]]}', "no table of numbers"),
    "too small": ("x.json", '{"pae": [[1]]}', r"aligned errors of shape \(1, 1\) for 2 residues"),
    "a row": ("x.json", '{"pae": [1, 2]}', r"shape \(2,\) for 2 residues"),
    "negative": ("x.json", '{"pae": [[0, -1], [1, 0]]}', "negative or no finite number"),
    "not a number": ("x.json", '{"pae": [[0, NaN], [1, 0]]}', "negative or no finite number"),
    "no array": ("x.npz", "PK", "not readable as .npz"),
}


@pytest.mark.parametrize("case", WRONG)
def test_aligned_errors_that_are_none(tmp_path: Path, case: str) -> None:
    name, content, message = WRONG[case]
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=message):
        read_pae(tmp_path / name, 2)


def test_an_archive_without_aligned_errors(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", plddt=np.zeros(2))
    with pytest.raises(InputError, match="no array pae in it, but plddt"):
        read_pae(tmp_path / "x.npz", 2)
