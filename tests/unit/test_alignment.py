"""Reading, checking and thinning out alignments."""

from pathlib import Path

import numpy as np
import pytest

from harness.alignment import (
    Alignment,
    check_query,
    read_alignment,
    read_bytes,
    read_fasta,
    subsample,
)
from harness.alphabet import AMINO_ACIDS
from harness.errors import InputError, PrerequisiteError
from tests.builders import DATA, manifest, needs_data, write

A3M = ">query and more\nACDEF\n>one\nAcC-Dgg.F\n>two\nWYX-k-\n"
STOCKHOLM = """# STOCKHOLM 1.0
#=GF ID test

query  AC.DE
one    A-xDE

query  -F
one    W_
#=GC RF xxxxxxx
//
"""


def letters(alignment: Alignment) -> list[str]:
    return ["".join((AMINO_ACIDS + "-")[state] for state in row) for row in alignment.states]


class TestA3M:
    @pytest.mark.parametrize(
        "name", ["a.a3m", "a.fasta", "a.fa", "a.fas", "a.afa", "a.a3m.gz", "A.A3M"]
    )
    def test_insertions_go_and_unknown_letters_become_gaps(self, tmp_path: Path, name: str) -> None:
        alignment = read_alignment(write(tmp_path / name, A3M))
        assert letters(alignment) == ["ACDEF", "AC-DF", "WY---"]
        assert alignment.states.dtype == np.int8
        assert alignment.depth == 3

    def test_query_keeps_its_unknown_letters(self, tmp_path: Path) -> None:
        alignment = read_alignment(write(tmp_path / "a.a3m", ">q\nAXUC\n"))
        assert alignment.query == "AXUC"
        assert letters(alignment) == ["A--C"]

    @pytest.mark.parametrize(
        "text",
        [
            A3M.replace("\n", "\r\n"),
            "#5\t1\n" + A3M,
            "\n\n# a comment\n\n" + A3M + "\n\n",
            A3M.replace("ACDEF", "AC\nDE \n\nF"),
            A3M.rstrip(),
        ],
        ids=["CRLF", "colabfold", "blank lines", "wrapped", "no last line end"],
    )
    def test_variants_of_the_text_read_alike(self, tmp_path: Path, text: str) -> None:
        alignment = read_alignment(write(tmp_path / "a.a3m", text))
        assert letters(alignment) == ["ACDEF", "AC-DF", "WY---"]

    def test_columns_without_a_query_residue_go(self, tmp_path: Path) -> None:
        alignment = read_alignment(write(tmp_path / "a.fasta", ">q\n-AC-\n>r\nW-YW\n"))
        assert alignment.query == "AC"
        assert letters(alignment) == ["AC", "-Y"]

    def test_repeated_rows_stay(self, tmp_path: Path) -> None:
        assert read_alignment(write(tmp_path / "a.a3m", ">q\nAC\n>q\nAC\n>q\nAC\n")).depth == 3


class TestStockholm:
    @pytest.mark.parametrize("name", ["a.sto", "a.stk", "a.stockholm", "a.sto.gz"])
    def test_blocks_join_and_query_gaps_go(self, tmp_path: Path, name: str) -> None:
        alignment = read_alignment(write(tmp_path / name, STOCKHOLM))
        assert alignment.query == "ACDEF"
        assert letters(alignment) == ["ACDEF", "A-DE-"]

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            (STOCKHOLM.replace("//\n", ""), "truncated: the line '//'"),
            (STOCKHOLM + STOCKHOLM, "keep one alignment a file"),
            (STOCKHOLM.replace("# STOCKHOLM 1.0\n", ""), "first line must be"),
            ("", "first line must be"),
            ("# STOCKHOLM 1.0\n//\n", "holds no sequence"),
            (STOCKHOLM.replace("W_", "WW_"), r"record 2 \(one\): 8 columns .* first record has 7"),
            (STOCKHOLM.replace("A-xDE", "A-1DE"), r"record 2 \(one\): '1' in column 3"),
        ],
    )
    def test_bad_files(self, tmp_path: Path, text: str, problem: str) -> None:
        with pytest.raises(InputError, match=problem):
            read_alignment(write(tmp_path / "a.sto", text))


class TestBadFiles:
    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("", "holds no sequence"),
            ("\n \n", "holds no sequence"),
            ("# only a comment\n", "holds no sequence"),
            ("ACDEF\n", "letters before the first header"),
            (">q\nAC\n>r\n>s\nAC\n", r"record 2 \(r\): the header has no sequence"),
            (">q\nAC\n>r\nAC\n>s\nACD\n", r"record 3 \(s\): 3 columns .* first record has 2"),
            (">q\nAC\n>r x\nAa*C\n", r"a\.a3m, record 2 \(r\): '\*' in column 3 is no residue"),
            (">q\nAC\n>r\nA\x00\n", r"record 2 \(r\): '\\x00' in column 2"),
            (">q\nAC\n>r\nAé\n", r"record 2 \(r\): 'é' in column 2"),
            (">q\nAcC\n>r\nAC\n", "the query, which comes first, has lower-case letters"),
            (">q\n--\n>r\nAC\n", "the query, which comes first, has no residue"),
            (b">caf\xe9\nAC\n", "byte 5 is not UTF-8"),
        ],
    )
    def test_message_names_file_record_and_place(
        self, tmp_path: Path, text: str | bytes, problem: str
    ) -> None:
        with pytest.raises(InputError, match=problem) as caught:
            read_alignment(write(tmp_path / "a.a3m", text))
        assert "a.a3m" in str(caught.value)

    def test_truncated_gzip(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.a3m.gz", A3M * 100)
        path.write_bytes(path.read_bytes()[:-20])
        with pytest.raises(InputError, match="damaged or truncated gzip"):
            read_alignment(path)

    def test_corrupt_gzip(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.a3m.gz", "".join(f">{n}\nACDEF\n" for n in range(999)))
        data = bytearray(path.read_bytes())
        data[30:60] = bytes(30)
        path.write_bytes(data)
        with pytest.raises(InputError, match="damaged or truncated gzip"):
            read_alignment(path)

    def test_text_named_gz(self, tmp_path: Path) -> None:
        path = tmp_path / "a.a3m.gz"
        path.write_text(A3M, encoding="ascii")
        with pytest.raises(InputError, match="damaged or truncated gzip"):
            read_alignment(path)

    def test_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(PrerequisiteError, match=r"absent\.a3m is not there"):
            read_bytes(tmp_path / "absent.a3m")

    def test_unknown_suffix(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"use \.a3m, .*\.sto"):
            read_alignment(write(tmp_path / "a.aln", A3M))


class TestReadFasta:
    def test_names_and_letters(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.fasta", ">one first\nacDE\nfx\n>two\nUO\n")
        assert read_fasta(path) == [("one", "ACDEFX"), ("two", "UO")]

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            (">q\nACDE*\n", r"record 1 \(q\): '\*' in column 5"),
            (">q\nAC-E\n", "'-' in column 3"),
            (">q\nAC?E\n", r"'\?' in column 3"),
            (">q\n", "the header has no sequence"),
            ("", "holds no sequence"),
        ],
    )
    def test_bad_files(self, tmp_path: Path, text: str, problem: str) -> None:
        with pytest.raises(InputError, match=problem):
            read_fasta(write(tmp_path / "a.fasta", text))


class TestCheckQuery:
    @pytest.fixture
    def alignment(self, tmp_path: Path) -> Alignment:
        return read_alignment(write(tmp_path / "a.a3m", ">q\nAXCD\n>r\nAWCE\n>s\nAWCD\n"))

    @pytest.mark.parametrize("sequence", ["AXCD", "AUCD", "A?C?", "????"])
    def test_unknown_equals_unknown_and_hidden_equals_anything(
        self, alignment: Alignment, sequence: str
    ) -> None:
        check_query(alignment, sequence, Path("a.a3m"))

    @pytest.mark.parametrize(
        ("sequence", "problem"),
        [
            ("AWCD", r"first row has X in column 2, the protein has W; row 3 .* move it first"),
            ("AXCE", "first row has D in column 4, the protein has E, and no other row is"),
            ("AXC", "first row has 4 residues, the protein has 3"),
        ],
    )
    def test_another_protein(self, alignment: Alignment, sequence: str, problem: str) -> None:
        with pytest.raises(InputError, match=r"^a\.a3m: the " + problem):
            check_query(alignment, sequence, Path("a.a3m"))


@needs_data
def test_real_alignments_have_the_stated_shape() -> None:
    assert len(manifest()) == 62
    for row in manifest():
        alignment = read_alignment(DATA / "proteins" / row["id"] / "msa.a3m.gz")
        assert alignment.states.shape == (int(row["n_seqs"]), int(row["length"]))
        assert len(alignment.query) == int(row["length"])


class TestSubsample:
    @pytest.fixture
    def alignment(self) -> Alignment:
        return Alignment(np.repeat(np.arange(20, dtype=np.int8)[:, None], 3, axis=1), "AAA")

    @pytest.mark.parametrize("depth", [1, 2, 10, 19])
    def test_query_first_and_file_order(self, alignment: Alignment, depth: int) -> None:
        rows = subsample(alignment, depth, seed=0).states[:, 0]
        assert len(rows) == depth
        assert rows[0] == 0
        assert (np.diff(rows) > 0).all()

    def test_seed_decides(self, alignment: Alignment) -> None:
        first, again, other = (subsample(alignment, 8, seed).states for seed in (1, 1, 2))
        assert (first == again).all()
        assert (first != other).any()

    @pytest.mark.parametrize("depth", [None, 20, 21])
    def test_nothing_to_leave_out(self, alignment: Alignment, depth: int | None) -> None:
        assert subsample(alignment, depth, seed=0) is alignment

    @pytest.mark.parametrize("depth", [0, -1])
    def test_less_than_the_query(self, alignment: Alignment, depth: int) -> None:
        with pytest.raises(ValueError, match="depth is"):
            subsample(alignment, depth, seed=0)
