"""Damage to files: small changes drawn from a seeded generator, the same every time."""

import gzip
import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

_NUMBERS = (b"0", b"-1", b"1e999", b"nan", b"2147483648", b"9" * 30, b"-9223372036854775808")
_BYTES = (b"\0", b"\n", b"\r", b"\xff", b"\xef\xbb\xbf", b" ", b'"', b"\t", b"\x80" * 8)
_MOST = 4
"""Changes to one input."""


@dataclass(frozen=True)
class Mutator:
    """Damages valid files of one format: `tokens` are what the format has a meaning for.

    `wrapped` is "gz" for text that is compressed, "zip" for an archive: then every other input is
    damaged inside, so that its wrapping stays whole.
    """

    tokens: Sequence[bytes]
    wrapped: str = ""

    def __call__(self, seeds: Sequence[bytes], chance: Random) -> bytes:
        """One of the files, changed in one to four places."""
        data = chance.choice(seeds)
        if self.wrapped == "zip" and chance.random() < 0.5:
            return self._in_archive(data, chance)
        if self.wrapped == "gz" and chance.random() < 0.5:
            return gzip.compress(self._changed(gzip.decompress(data), seeds, chance), mtime=0)
        return self._changed(data, seeds, chance)

    def _changed(self, data: bytes, seeds: Sequence[bytes], chance: Random) -> bytes:
        for _ in range(chance.randint(1, _MOST)):
            kind = chance.choice(_CHANGES)
            data = kind(data, chance)
            if chance.random() < 0.3:
                data = _inserted(data, chance.choice((*self.tokens, *_NUMBERS, *_BYTES)), chance)
            if chance.random() < 0.05:
                other = chance.choice(seeds)
                data = data[: _place(data, chance)] + other[_place(other, chance) :]
        return data

    def _in_archive(self, data: bytes, chance: Random) -> bytes:
        """The archive with one member damaged, and sums that fit."""
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        # small members hold what has a structure
        chosen = chance.choice(sorted(members, key=lambda name: len(members[name]))[:3])
        members[chosen] = self._changed(members[chosen], [members[chosen]], chance)
        stream = io.BytesIO()
        method = chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
        with zipfile.ZipFile(stream, "w", method) as archive:
            for name, content in members.items():
                archive.writestr(zipfile.ZipInfo(name), content, method)
        return stream.getvalue()


def _place(data: bytes, chance: Random) -> int:
    return chance.randint(0, len(data))


def _inserted(data: bytes, token: bytes, chance: Random) -> bytes:
    at = _place(data, chance)
    over = chance.choice((0, len(token)))
    return data[:at] + token + data[at + over :]


def _flipped(data: bytes, chance: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(min(len(data), chance.choice((1, 1, 2, 8)))):
        changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _cut(data: bytes, chance: Random) -> bytes:
    return data[: _place(data, chance)]


def _removed(data: bytes, chance: Random) -> bytes:
    at = _place(data, chance)
    return data[:at] + data[at + chance.choice((1, 2, 8, 64)) :]


def _lines(data: bytes, chance: Random) -> bytes:
    """A line left out, written again, or moved."""
    lines = data.splitlines(keepends=True)
    if not lines:
        return data
    line = (
        chance.choice(lines) if chance.random() < 0.5 else lines.pop(chance.randrange(len(lines)))
    )
    if chance.random() < 0.7:
        lines.insert(chance.randint(0, len(lines)), line * chance.choice((1, 1, 2, 50)))
    return b"".join(lines)


def _number(data: bytes, chance: Random) -> bytes:
    """A digit that becomes a strange number."""
    digits = [at for at, byte in enumerate(data) if 48 <= byte < 58]
    if not digits:
        return data
    at = chance.choice(digits)
    return data[:at] + chance.choice(_NUMBERS) + data[at + 1 :]


def _repeated(data: bytes, chance: Random) -> bytes:
    """A piece of it again, elsewhere."""
    start = _place(data, chance)
    piece = data[start : start + chance.choice((1, 4, 32, 256))]
    return _inserted(data, piece * chance.choice((1, 1, 3, 100)), chance)


_CHANGES: tuple[Callable[[bytes, Random], bytes], ...] = (
    *(_flipped, _flipped, _cut, _removed),
    *(_lines, _number, _repeated),
)
