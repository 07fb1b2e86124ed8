"""Entries of the PDB as its archive has them: mmCIF files that state whole sequences."""

from dataclasses import replace

from tests.builders import NAMES, cif_text, helix


def entry(sequence, missing=(), chain="A", entities=True):
    """An mmCIF file of one chain, with its whole sequence and some residues not seen."""
    atoms = [a for a in helix(sequence, chain=chain) if a.number - 1 not in missing]
    return entry_of(atoms, [sequence]) if entities else cif_text(atoms)


def entry_of(atoms, sequences):
    """An mmCIF file of these atoms; their chains, in order, are entities of these sequences."""
    head, _, rest = cif_text(atoms).partition("loop_\n")
    columns = [line for line in rest.splitlines() if line.startswith("_atom_site")]
    lines = [line for line in rest.splitlines() if line.strip() and line not in (*columns, "#")]
    entity = {name: n for n, name in enumerate(dict.fromkeys(a.chain for a in atoms), start=1)}
    rows = [f"{line} {entity[a.chain]}" for line, a in zip(lines, atoms, strict=True)]
    poly = [
        f"{n} {place} {NAMES[letter]} n"
        for n, sequence in enumerate(sequences, start=1)
        for place, letter in enumerate(sequence, start=1)
    ]
    names = ("entity_id", "num", "mon_id", "hetero")
    lines = [*head.splitlines(), "loop_", *(f"_entity_poly_seq.{name}" for name in names), *poly]
    lines += ["#", "loop_", *columns, "_atom_site.label_entity_id", *rows, "#"]
    return "\n".join([*lines, ""])


def moved(atoms):
    """The atoms 9 Å to the side."""
    return [replace(a, xyz=(a.xyz[0] + 9, *a.xyz[1:])) for a in atoms]
