import pytest
import torch

from baselines.tiles import BLOCK, Tiles

SHAPES = [(1, 20), (2, 21), (BLOCK, 20), (BLOCK + 1, 21), (2 * BLOCK + 3, 20)]


@pytest.fixture(params=SHAPES, ids=lambda shape: f"K{shape[0]}q{shape[1]}")
def tiles(request):
    return Tiles(*request.param)


def matrix(tiles, couplings):
    """The full symmetric matrix, put together column by column."""
    columns = [tiles.column(couplings, block).flatten(0, 1) for block in range(tiles.blocks)]
    return torch.cat(columns, dim=1)


def position(tiles):
    return torch.arange(tiles.blocks * tiles.width) // tiles.states


def filled(tiles):
    """A vector in which every coupling has a number of its own, added by its column."""
    vector = torch.zeros(tiles.size, dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    wide = tiles.blocks * tiles.width
    entries = torch.randn(wide, wide, generator=generator, dtype=torch.float64)
    for block in range(tiles.blocks):
        column = entries[:, block * tiles.width : (block + 1) * tiles.width]
        shaped = column.reshape(tiles.blocks, tiles.width, tiles.width)
        tiles.add_column(tiles.couplings(vector), block, shaped)
    return vector, entries


def test_columns_make_a_symmetric_matrix_without_self_couplings(tiles):
    full = matrix(tiles, tiles.couplings(filled(tiles)[0]))
    torch.testing.assert_close(full, full.T, rtol=0, atol=0)
    at = position(tiles)
    assert not full[at[:, None] == at].any()


def test_added_columns_meet_their_mirror_image(tiles):
    vector, entries = filled(tiles)
    at = position(tiles)
    expected = (entries + entries.T) * (at[:, None] != at)
    torch.testing.assert_close(matrix(tiles, tiles.couplings(vector)), expected, rtol=0, atol=0)


def test_a_coupling_is_one_number(tiles):
    """As many numbers are in use as there are pairs i < j, among all positions of the blocks."""
    vector, _ = filled(tiles)
    places = tiles.blocks * BLOCK
    pairs = places * (places - 1) // 2
    assert torch.count_nonzero(tiles.couplings(vector)) == pairs * tiles.states**2


def test_views_share_the_vector(tiles):
    vector = torch.zeros(tiles.size)
    tiles.couplings(vector).fill_(1)
    tiles.fields(vector).fill_(2)
    assert vector.min() == 1
    assert (vector == 2).sum() == tiles.blocks * tiles.width
