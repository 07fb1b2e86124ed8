"""Groups of proteins in a folder data set: from a table to samples and version."""

from pathlib import Path

import pytest

from harness.errors import InputError, PrerequisiteError
from tests.builders import DATA, folder_dataset, manifest, needs_data, put

TABLE = "id,tier,fold\naligned,A,a+b\nboth,B,a/b\nfolded, A ,NA\nabsent,C,\n"
IN_TIERS = {"groups": "groups.csv", "group_column": "tier"}


class TestSamples:
    @pytest.mark.parametrize("place", ["groups.csv", "../groups.csv"])
    def test_a_bare_name_is_found_in_the_folder_or_beside_it(self, root: Path, place: str) -> None:
        data = folder_dataset(put(root, {place: TABLE}), **IN_TIERS)
        assert [data[name].group for name in data.protein_ids] == ["A", "B", "A"]

    def test_another_path_is_taken_as_it_is(
        self, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(root, {"groups.csv": TABLE, "tables/groups.csv": TABLE.replace("both,B", "both,X")})
        (root / "tables").rename(tmp_path / "tables")
        monkeypatch.chdir(tmp_path / "tables")
        for given in (str(tmp_path / "tables" / "groups.csv"), "./../tables/groups.csv"):
            data = folder_dataset(root, groups=given, group_column="tier")
            assert data["both"].group == "X"

    def test_any_column_will_do_and_a_name_that_looks_like_nothing_is_a_name(
        self, root: Path
    ) -> None:
        put(root, {"groups.csv": TABLE})
        data = folder_dataset(root, groups="groups.csv", group_column="fold")
        assert [data[name].group for name in data.protein_ids] == ["a+b", "a/b", "NA"]

    def test_without_a_table_there_is_no_group(self, root: Path) -> None:
        put(root, {"groups.csv": TABLE})
        for column in (None, "tier"):
            assert folder_dataset(root, group_column=column)["both"].group == ""

    def test_only_scored_proteins_need_a_group(self, root: Path) -> None:
        put(root, {"groups.csv": "id,tier\nboth,B\n"})
        data = folder_dataset(root, ids=["both"], **IN_TIERS)
        assert data["both"].group == "B"
        assert data["folded"].group == ""

    def test_labeled_proteins_need_none(self, root: Path) -> None:
        scored = folder_dataset(root, labeled=1).protein_ids
        put(root, {"groups.csv": "id,tier\n" + "".join(f"{name},A\n" for name in scored)})
        data = folder_dataset(root, labeled=1, **IN_TIERS)
        assert data[data.labeled_ids[0]].group == ""
        assert data.version != folder_dataset(root, labeled=1).version


class TestVersion:
    def version(self, root: Path, table: str) -> str:
        return folder_dataset(put(root, {"groups.csv": table}), **IN_TIERS).version

    def test_covers_the_groups_and_nothing_else_of_the_table(self, root: Path) -> None:
        before, other = self.version(root, TABLE), TABLE.replace("a+b", "other")
        assert self.version(root, other.replace("absent,C", "q,D")) == before
        assert self.version(root, TABLE.replace("both,B", "both,A")) != before

    def test_does_not_mind_where_the_table_is(self, root: Path, tmp_path: Path) -> None:
        before = self.version(root, TABLE)
        moved = put(tmp_path, {"elsewhere.csv": TABLE}) / "elsewhere.csv"
        assert folder_dataset(root, groups=str(moved), group_column="tier").version == before

    def test_without_groups_is_what_it_was(self, root: Path) -> None:
        grouped = self.version(root, TABLE)
        assert folder_dataset(root).version == folder_dataset(root, group_column="tier").version
        assert folder_dataset(root).version != grouped


class TestErrors:
    @pytest.mark.parametrize(
        ("table", "problem"),
        [
            ("id,length,fold\nboth,3,x\n", "no column tier among id, length, fold; name one with"),
            ("name,tier\nboth,A\n", "no column id among name, tier"),
            ("", "not readable as a table"),
            (TABLE + "both,A,x\n", "more than one row for both; keep one"),
            (TABLE.replace("both,", "bath,"), "both needs a row whose tier has 1 to 64"),
            (TABLE.replace("both,B", "both, "), "both needs a row whose tier has 1 to 64"),
            (TABLE.replace("both,B", "both," + "B" * 65), "both needs a row whose tier has 1 to"),
        ],
    )
    def test_bad_tables(self, root: Path, table: str, problem: str) -> None:
        with pytest.raises(InputError, match=rf"groups\.csv: {problem}"):
            _ = folder_dataset(put(root, {"groups.csv": table}), **IN_TIERS).version

    def test_a_column_that_is_not_named(self, root: Path) -> None:
        data = folder_dataset(put(root, {"groups.csv": TABLE}), groups="groups.csv")
        with pytest.raises(InputError, match=r"no column null among .* dataset\.group_column=NAME"):
            _ = data.version

    @pytest.mark.parametrize("given", ["groups.csv", "both", "", "..", "../x.csv", "/dev/zero"])
    def test_what_is_no_file(
        self, root: Path, given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "work").mkdir()
        monkeypatch.chdir(put(tmp_path / "work", {"groups.csv": TABLE}))  # where nobody looks
        with pytest.raises(PrerequisiteError, match=r"dataset\.groups is '.*': there is no such"):
            _ = folder_dataset(root, groups=given, group_column="tier").version


@needs_data
def test_real_proteins_have_the_tiers_of_their_manifest() -> None:
    data = folder_dataset(DATA / "proteins", groups="manifest.csv", group_column="tier")
    tiers = {row["id"]: row["tier"] for row in manifest()}
    for name in ("1ATZA", "1AYIA", "2O9SA_PF00018"):
        assert data[name].group == tiers[name]
