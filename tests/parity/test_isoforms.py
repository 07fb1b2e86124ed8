"""Isoforms of real myoglobins, all of them *constructed*: a segment is cut out of a crystal.

Four structures (102M and three homologs), each without the same segments. What is cut out uncovers
what it covered; nothing else changes, because the structure of each isoform is the fragment itself.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.constructed_isoforms import name_of, write
from harness.datasets.deletions import CONSTRUCTED
from harness.exposure import exposure, hydrophobic
from harness.structure import read_chains
from tests.builders import DATA, needs_data

pytestmark = needs_data

CUTS = ((0, 36), (20, 51), (58, 78))
"""Helices A and B; B and C; E. Residues count from 0."""


def sources() -> dict[str, Path]:
    """The structure of each myoglobin."""
    homologs = sorted((DATA / "bonus" / "myoglobin").glob("*.pdb.gz"))
    files = [DATA / "proteins" / "102MA" / "structure.cif.gz", *homologs]
    return {name_of(path): path for path in files}


@pytest.fixture(scope="module")
def constructed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the table of pairs, and the structures of full lengths and isoforms."""
    root = tmp_path_factory.mktemp("myoglobins")
    write(root, {name: read_chains(path)[0] for name, path in sources().items()}, CUTS)
    return root


@pytest.fixture(scope="module")
def table(constructed: Path) -> pd.DataFrame:
    """What the command line measures of all pairs."""
    import subprocess
    import sys

    command = [sys.executable, "-m", "harness", "dataset=isoforms", "evaluation=isoform"]
    command += [f"dataset.pairs={constructed / 'pairs.csv'}", "method=structure", "tracker=none"]
    command += [f"predictions={constructed / 'structures'}", "method.confidence=none"]
    command += [f"outputs={constructed / 'outputs'}", f"hydra.run.dir={constructed / 'run'}"]
    root = Path(__file__).parent.parent.parent
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return pd.read_csv(constructed / "run" / "isoforms.csv").set_index("isoform")


def test_all_pairs_are_measured_and_labelled_as_constructed(
    table: pd.DataFrame, constructed: Path
) -> None:
    assert len(table) == len(sources()) * len(CUTS) == 12
    assert set(table["source"]) == {CONSTRUCTED}
    pages = {path.stem for path in (constructed / "run" / "isoforms").glob("*.html")}
    assert pages == {"index", *table.index}
    assert CONSTRUCTED in (constructed / "run" / "isoforms" / "index.html").read_text("utf-8")


def test_a_fragment_is_the_fold_that_it_was_cut_from(table: pd.DataFrame) -> None:
    assert table["rmsd kept"].max() < 1e-3
    assert table["tm_score kept"].min() > 1 - 1e-6
    assert (table["lddt kept"] == 1).all()
    assert (table["contacts_kept kept"] == 1).all()


def test_what_was_covered_is_uncovered(table: pd.DataFrame) -> None:
    """Helices of a globin bury some hundreds of Å², most of it hydrophobic."""
    areas = table["exposed_area kept"], table["exposed_hydrophobic_area kept"]
    assert areas[0].between(800, 2200).all()
    assert (areas[1] / areas[0]).between(0.4, 0.8).all()
    assert (table["sap_change kept"] > 1).all()
    np.testing.assert_allclose(areas[0], table["exposed_area_cut_out kept"], atol=2)


def test_four_myoglobins_agree(table: pd.DataFrame) -> None:
    """The same cut uncovers about the same in each of the homologs."""
    for start, end in CUTS:
        own = table.filter(like=f"_without_{start}_{end}", axis=0)["exposed_area kept"]
        assert len(own) == len(sources())
        assert own.std() / own.mean() < 0.1


@pytest.mark.parametrize(("start", "end"), CUTS)
def test_exposure_rises_where_the_removed_part_was_and_nowhere_else(start: int, end: int) -> None:
    (chain,) = read_chains(sources()["102MA"])
    atoms = chain.atoms
    assert atoms is not None
    kept = np.array([i for i in range(len(chain.sequence)) if not start <= i < end])
    whole = exposure(atoms, chain.sequence, 5.0)
    left = exposure(atoms[np.isin(atoms.res_id, kept)], chain.sequence, 5.0)
    gain = (left.area - whole.area)[kept]
    lost = atoms[~np.isin(atoms.res_id, kept)].coord
    nearest = np.array(
        [
            np.sqrt(((atoms[atoms.res_id == i].coord[:, None] - lost) ** 2).sum(-1)).min()
            for i in kept
        ]
    )
    assert gain.min() >= 0  # nothing is covered by taking something away
    reach = 2 * (1.9 + 1.4)  # two atoms and the water between them
    assert gain[nearest > reach].max() == 0
    assert gain[nearest < 4].sum() > 0.8 * gain.sum()
    greasy = hydrophobic(chain.sequence)[kept]
    assert gain[greasy].sum() > 0.4 * gain.sum()
