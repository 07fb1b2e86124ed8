"""The chains of Zhang et al. (PNAS 2024): GREMLIN's families with structures, and their choice."""

import csv
from pathlib import Path

from harness.datasets.published_files import PublishedFiles
from harness.errors import InputError, PrerequisiteError
from harness.json_text import parse

_TABLE = Path(__file__).with_name("zhang2024.csv")
SEQUENCES, STATES = "full_seq_dict.json", "ss_dict.json"


def published_sequences(path: str | None, source: PublishedFiles, selected: bool) -> dict[str, str]:
    """Sequences of the 1,431 chains that the paper selected, or of all 2,170 of its list, by id.

    They come from the folder `path`, or else from `source`. The selection is the published one:
    chains of 201 to 599 residues, fewer than 50 of them missing, no two of the same fold (TM-score
    above 0.5). The first two can be computed again (1,481 of 2,170 have that length), the last
    cannot without the structures of all.
    """
    table = published_table()
    sequences = read_json(path, source, SEQUENCES)
    wrong = [row["id"] for row in table if len(sequences.get(row["id"], "")) != int(row["length"])]
    if wrong:
        raise InputError(f"{SEQUENCES} is not the published one: {wrong[0]} has another length")
    chosen = [row["id"] for row in table if not selected or row["selected"] == "1"]
    return {identifier: sequences[identifier] for identifier in chosen}


def published_secondary_structure(path: str | None, source: PublishedFiles) -> dict[str, str]:
    """H, E or C for each residue of the selected chains, by id.

    Left out are 2OMKA and 4MAMA, whose published strings have another length than their sequences.
    """
    lengths = {row["id"]: int(row["length"]) for row in published_table()}
    published = read_json(path, source, STATES)
    states = {name.removesuffix(".pdb"): text for name, text in published.items()}
    return {
        name: text.replace("-", "C")
        for name, text in states.items()
        if len(text) == lengths.get(name)
    }


def published_table() -> list[dict[str, str]]:
    """Id, length and selection (1 or 0) of every chain of the paper's list."""
    with _TABLE.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def read_json(path: str | None, source: PublishedFiles, name: str) -> dict[str, str]:
    """A published file, from the folder or else from the source."""
    file = (Path(path) if path else source.fetch()) / name
    if not file.is_file():
        raise PrerequisiteError(
            f"{file} is not there; set dataset.path to a folder with the published {name}, or to "
            "null to fetch it"
        )
    try:
        found: dict[str, str] = parse(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{file}: not JSON ({error})") from error
    return found
