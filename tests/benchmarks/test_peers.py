"""Other programs' formats: scripts stand for them, and hand out parameters that the test wrote."""

import numpy as np
import pytest

from benchmarks.contenders import PEERS, fit
from benchmarks.families import Case, random_case
from benchmarks.peers import CCMpred, GremlinCpp, Plmc
from benchmarks.potts import from_pairs
from benchmarks.pydca import Pydca
from harness.alignment import Alignment
from harness.alphabet import AMINO_ACIDS

CASE = random_case(6, 20)
PAIRS = [(i, j) for i in range(6) for j in range(i + 1, 6)]
RANDOM = np.random.default_rng(1)
FIELDS = RANDOM.normal(size=(6, 21)).astype(np.float32)
BLOCKS = RANDOM.normal(size=(15, 21, 21)).astype(np.float32)
SCORES = RANDOM.random((6, 6)).astype(np.float32)
SCORES += SCORES.T
np.fill_diagonal(SCORES, 0)


@pytest.fixture
def install(tmp_path, monkeypatch):
    """A function that puts a script on the path which hands out what is in its own folder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def write(name, script, **files):
        for file, content in files.items():
            kind = "wb" if isinstance(content, bytes) else "w"
            with (folder / file).open(kind) as handle:
                handle.write(content)
        (folder / name).write_text(f'#!/bin/sh\nhere="{folder}"\n{script}')
        (folder / name).chmod(0o755)
        return folder

    return write


def spaced(numbers):
    return " ".join(format(number, ".9g") for number in np.ravel(numbers))


def ccmpred(install):
    raw = [spaced(row[:20]) for row in FIELDS]
    for (i, j), block in zip(PAIRS, BLOCKS, strict=True):
        raw += [f"# {i} {j}", *map(spaced, block)]
    script = 'cp input.aln "$here/seen"; cp "$here/map" "$here/raw" .; cat "$here/said"'
    said = (
        "Reweighted 20 sequences with threshold 0.8 to Beff=17.5 weight mean=1\niter\teval\tf(x)\n"
    )
    said += "1   \t2   \t1.5e+03\t3\t4\t5\n2   \t1   \t1200\t3\t4\t5\n\nFinal fx = 1200\n"
    return install(
        "ccmpred", script, raw="\n".join(raw), map="\n".join(map(spaced, SCORES)), said=said
    )


def gremlin_cpp(install):
    raw = [f"V[{i}] {spaced(row)}" for i, row in enumerate(FIELDS)]
    raw += [f"W[{i}][{j}] {spaced(b)}" for (i, j), b in zip(PAIRS, BLOCKS, strict=True)]
    rows = [f"{i} {j} 9.9 {SCORES[i, j]:.9g} A{i + 1} A{j + 1}" for i, j in PAIRS]
    script = 'cp input.aln "$here/seen"; cp "$here/map" "$here/raw" .; cat "$here/said"'
    said = "# NEFF 17.5\n# lbfgs::iter S_S fx: 5\n# lbfgs::iter 0_1 fx: 4\n"
    said += "# lbfgs::iter 1_1 fx: 3\n# saving MRF: raw\n"
    table = "\n".join(["i j raw apc ii jj", *rows])
    return install("gremlin_cpp", script, raw="\n".join(raw), map=table, said=said)


def plmc(install):
    letters = "-ACDEFGHIKLMNPQRSTVWY"
    order = [(AMINO_ACIDS + "-").index(letter) for letter in letters]
    head = np.array([6, 21, 20, 0, 100], np.int32).tobytes() + np.zeros(5, np.float32).tobytes()
    before = np.ones(20, np.float32).tobytes() + b"-" * 6 + np.arange(6, dtype=np.int32).tobytes()
    tensors = (
        np.zeros((6, 21)),
        FIELDS[:, order],
        np.zeros((15, 21, 21)),
        BLOCKS[:, order][..., order],
    )
    numbers = b"".join(tensor.astype(np.float32).tobytes() for tensor in tensors)
    rows = [f"{i + 1} - {j + 1} - 0 {SCORES[i, j]:.9g}" for i, j in PAIRS]
    script = 'cp input.fa "$here/seen"; cp weights "$here/weights"; cp "$here/map" "$here/raw" .\n'
    script += 'cat "$here/said" >&2'
    said = "Effective number of samples (to 1 decimal place): 17.5.\niter\ttime\tcond\n"
    said += "1\t0.1\t9.99\t20.0\n2\t0.2\t1.50\t19.0\nGradient optimization: success\n"
    raw = head + letters.encode() + before + numbers
    return install("plmc", script, raw=raw, map="\n".join(rows), said=said)


def pydca(install):
    order = [(AMINO_ACIDS + "-").index(letter) for letter in "ACDEFGHIKLMNPQRSTVWY-"]
    numbers = np.concatenate([FIELDS[:, order].ravel(), BLOCKS[:, order][..., order].ravel()])
    script = 'cp input.fa "$here/seen"; cp "$here/raw.npy" .; echo begun; echo Iteration 1:\n'
    folder = install("python", script + "echo fx; echo Iteration 2:; echo done")
    np.save(folder / "raw.npy", numbers)
    return install("plmdca", "")


FAKES = {"ccmpred": ccmpred, "gremlin_cpp": gremlin_cpp, "plmc": plmc, "pydca": pydca}


@pytest.mark.parametrize("name", FAKES)
def test_a_program_reads_the_alignment_and_its_parameters_are_understood(install, name):
    folder = FAKES[name](install)
    fitted = fit(PEERS[name], CASE, threads=1, limit=60)
    assert fitted.note == ""
    seen = [row for row in (folder / "seen").read_text().split() if ">" not in row]
    assert seen == CASE.rows()
    fields = FIELDS.copy()
    fields[:, 20] *= name != "ccmpred"  # which holds that one at zero
    expected = from_pairs(fields, BLOCKS)
    np.testing.assert_allclose(fitted.answer.potts.fields, expected.fields, rtol=1e-6)
    np.testing.assert_allclose(fitted.answer.potts.couplings, expected.couplings, rtol=1e-6)
    assert fitted.answer.facts["iterations"] == 2
    if name != "pydca":  # which writes no map and no number of sequences
        np.testing.assert_allclose(fitted.answer.scores, SCORES, rtol=1e-6)
        assert fitted.answer.facts["neff"] == 17.5


@pytest.mark.parametrize("length", [5, 6, 7, 9, 10, 53, 140, 145, 303, 1000])
def test_all_programs_are_told_to_count_the_same_neighbors(install, tmp_path, length):
    """CCMpred counts above ⌈t L⌉ equal columns, GREMLIN_CPP above ⌊t L⌋, pydca above t L."""
    row = np.zeros(length, dtype=np.int8)
    case = Case("", Alignment(row[None], "A" * length))
    least = case.neighbor_columns
    install("plmdca", "")

    def told(side, option):
        command = side.prepare(case, tmp_path, threads=1).command
        return np.float32(command[option] if option < 0 else command[command.index("-w") + 1])

    ceiled = np.ceil(told(CCMpred("", ()), 0) * np.float32(length))
    floored = np.floor(told(GremlinCpp(), -1) * np.float32(length))
    share = told(Pydca(), -4)
    assert ceiled == floored == least - 1
    assert (
        np.float32(least - 1) / np.float32(length) < share < np.float32(least) / np.float32(length)
    )

    near, far = row.copy(), row.copy()
    near[least:], far[least - 1 :] = 1, 2
    three = Case("", Alignment(np.stack([row, near, far]), "A" * length))
    assert three.weights()[0] == 0.5


def test_penalties_are_those_of_the_referee(tmp_path):
    command = Plmc("plmc", "plmc").prepare(CASE, tmp_path, threads=2).command
    stated = dict(zip(command[1:-1:2], command[2:-1:2], strict=True))
    assert (stated["-lh"], stated["-le"], stated["-n"]) == ("0.01", "1", "2")
    weights = np.loadtxt(tmp_path / "weights")
    np.testing.assert_array_equal(weights, CASE.weights())
