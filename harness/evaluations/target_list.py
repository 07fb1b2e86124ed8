"""Blocks that a file lists, by protein; and what chooses blocks, from a file or otherwise."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from jaxtyping import Float
from numpy import ndarray

from harness.blocks import Block
from harness.errors import InputError, PrerequisiteError
from harness.json_text import parse
from harness.sample import Sample


@dataclass(frozen=True)
class TargetList:
    """The entries of a JSON file, {protein id: [entry, …]}."""

    path: str

    @cached_property
    def entries(self) -> dict[str, list[Any]]:
        """Entries by protein; PrerequisiteError without the file, InputError for another layout."""
        file = Path(self.path)
        if not file.is_file():
            raise PrerequisiteError(f"{file} is not there; evaluation.targets.path is a JSON file")
        try:
            found = parse(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise InputError(f"{file}: not JSON ({error})") from error
        if not isinstance(found, dict) or not all(isinstance(v, list) for v in found.values()):
            raise InputError(f"{file}: expected {{protein id: [target, …], …}}")
        return found

    def blocks(self, identifier: str, shape: Callable[..., Block], n: int) -> list[Block]:
        """The blocks of one protein: `shape` of each entry, which is n integers or one."""
        blocks = []
        for entry in self.entries.get(identifier, []):
            numbers = entry if isinstance(entry, list) else [entry]
            if len(numbers) != n or not all(type(number) is int for number in numbers):
                raise InputError(f"{self.path}: {identifier}: {entry} is not {n} whole numbers")
            try:
                blocks.append(shape(*numbers))
            except InputError as error:
                raise InputError(f"{self.path}: {identifier}: {entry}: {error}") from error
        return blocks


@runtime_checkable
class Targets(Protocol):
    """Which blocks of a protein are watched."""

    @property
    def listed(self) -> TargetList | None:
        """The file that lists them; none when they are chosen."""
        ...

    def __call__(self, scores: Float[ndarray, "L L"], sample: Sample) -> list[Block]:
        """The blocks, given the map of the unmasked protein."""
        ...
