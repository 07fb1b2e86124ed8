"""What of the full length an isoform keeps, where it is known."""

from dataclasses import replace

import numpy as np
import pytest

from harness.errors import InputError
from harness.protein import Protein
from harness.protocols import AsksSoOften, Evaluation, ShowsDetails
from tests.isoforms import (
    CUT,
    FULL,
    KEPT,
    SHORT,
    Known,
    evaluation,
    fragment_of,
    looked_at,
    random_map,
    sample_of,
    unresolved,
    values_of,
)

WHOLE = random_map(len(FULL))


def test_it_is_an_evaluation_that_shows_what_it_saw():
    for kind in (Evaluation, AsksSoOften, ShowsDetails):
        assert isinstance(evaluation(), kind)
    assert evaluation().maps_per_protein == 2
    assert evaluation(masked=True).maps_per_protein == 3


class TestMaps:
    def test_a_fragment_keeps_everything(self):
        values = values_of(Known({"full": WHOLE, "iso": fragment_of(WHOLE)}), sample_of())
        for scope in ("kept", "within", "across", "bereft"):
            assert values[f"recovery {scope}"] == pytest.approx(1)
            assert values[f"correlation {scope}"] == pytest.approx(1)
            assert values[f"contacts_kept {scope}"] == 1

    def test_nothing_is_left_of_a_map_of_zeros(self):
        values = values_of(Known({"full": WHOLE, "iso": np.zeros((len(SHORT),) * 2)}), sample_of())
        assert values["recovery kept"] == 0
        assert np.isnan(values["correlation kept"])

    def test_within_and_across_the_junction_are_told_apart(self):
        scores = fragment_of(WHOLE)
        scores[: CUT[0], CUT[0] :] = scores[CUT[0] :, : CUT[0]] = 0
        values = values_of(Known({"full": WHOLE, "iso": scores}), sample_of())
        assert values["recovery within"] == pytest.approx(1)
        assert values["recovery across"] == 0
        assert 0 < values["recovery kept"] < 1

    def test_recovery_is_the_ratio_of_the_paper(self):
        own = fragment_of(random_map(len(FULL), seed=1))
        values = values_of(Known({"full": WHOLE, "iso": own}), sample_of())
        numerator = denominator = 0.0
        for a in range(len(KEPT)):
            for b in range(a + 3, len(KEPT)):
                original = WHOLE[KEPT[a], KEPT[b]]
                numerator += original * own[a, b]
                denominator += original**2
        assert values["recovery kept"] == pytest.approx(numerator / denominator)

    def test_pairs_near_in_either_sequence_count_nowhere(self):
        own = fragment_of(WHOLE)
        for a in range(len(KEPT)):
            for b in range(max(0, a - 2), min(len(KEPT), a + 3)):
                own[a, b] = 100.0
        values = values_of(Known({"full": WHOLE, "iso": own}), sample_of())
        assert values["recovery kept"] == pytest.approx(1)

    def test_contacts_that_are_kept(self):
        """Five strong pairs of kept residues in the full length, of which the isoform has two."""
        full, own = (0.001 * random_map(length) for length in (len(FULL), len(SHORT)))
        strong = [(0, 8), (1, 20), (2, 25), (22, 30), (25, 36)]
        weakest = np.sort(full[np.triu_indices(len(FULL), 3)])[-(len(FULL) - len(strong))]
        for n, (i, j) in enumerate(strong):
            full[i, j] = full[j, i] = 1.0
            a, b = KEPT.index(i), KEPT.index(j)
            own[a, b] = own[b, a] = 1.0 if n < 2 else -1.0
        method = Known({"full": full, "iso": own})
        pair = looked_at(method)
        there = pair.contacts[0] & pair.scopes["kept"]
        assert sum(there[KEPT.index(i), KEPT.index(j)] for i, j in strong) == 5
        assert sum(pair.contacts[1][KEPT.index(i), KEPT.index(j)] for i, j in strong) == 2
        assert weakest < 1
        values = values_of(method, sample_of())
        expected = (there & pair.contacts[1]).sum() / there.sum()
        assert values["contacts_kept kept"] == pytest.approx(expected)

    def test_equal_maps_keep_every_contact_wherever_the_contacts_are(self):
        """The best pairs of the full length are all in what is lost, or none of them."""
        for lost in (0.0, 10.0):
            full = WHOLE.copy()
            full[CUT[0] : CUT[1]] += lost
            full[:, CUT[0] : CUT[1]] += lost
            values = values_of(Known({"full": full, "iso": fragment_of(full)}), sample_of())
            assert values["contacts_kept kept"] == 1

    def test_residues_that_have_lost_their_surroundings(self):
        """Residue 2 touches two that are lost and one that is kept, residue 30 one of each two."""
        full = np.zeros((len(FULL),) * 2)
        for i, j in [(2, 11), (2, 12), (2, 24), (30, 13), (30, 21), (5, 26)]:
            full[i, j] = full[j, i] = 1.0
        full += 1e-6 * random_map(len(FULL))
        structureless = looked_at(Known({"full": full, "iso": fragment_of(full)}))
        strongest = structureless.full.contacts(structureless.settings)
        assert strongest[2, 11]
        assert strongest.sum() == 2 * len(FULL)
        by_hand = [
            strongest[i].any() and strongest[i, CUT[0] : CUT[1]].sum() >= strongest[i].sum() / 2
            for i in KEPT
        ]
        assert structureless.bereft.tolist() == by_hand

    def test_counts_are_beside_each_number(self):
        rows = list(evaluation()(Known({"full": WHOLE, "iso": fragment_of(WHOLE)}), sample_of()))
        assert (rows[0].metric, rows[0].range) == ("contacts_kept", "kept")  # the headline
        recovery = next(row for row in rows if row.metric == "recovery")
        assert recovery.coordinates == {
            "n": sum(b - a >= 3 for a in range(30) for b in range(a + 1, 30)),
            "n_kept": 30,
            "n_lost": 8,
            "n_new": 0,
        }
        assert all(set(row.coordinates) == set(evaluation().coordinates) for row in rows)


class TestMasked:
    def test_the_full_length_is_read_with_what_is_lost_hidden(self):
        method = Known({"full": WHOLE, "iso": 0 * fragment_of(WHOLE)}, hidden=0.5 * WHOLE)
        values = values_of(method, sample_of(), masked=True)
        assert method.asked[-1] == FULL[:10] + "?" * 8 + FULL[18:]
        assert values["recovery_masked kept"] == pytest.approx(0.5)
        assert values["correlation_masked across"] == pytest.approx(1)
        assert values["recovery kept"] == 0

    def test_it_costs_nothing_when_it_is_not_asked_for(self):
        method = Known({"full": WHOLE, "iso": fragment_of(WHOLE)})
        assert not any("masked" in name for name in values_of(method, sample_of()))
        assert len(method.asked) == 2


class TestPrecision:
    def distances(self):
        """Contacts at every pair of residues that are 7 apart."""
        places = np.arange(len(FULL))
        gaps = np.abs(np.subtract.outer(places, places))
        return np.where(gaps == 7, 5.0, np.where(gaps == 0, 0.0, 20.0))

    def test_by_the_truth_of_the_full_length(self):
        truth = self.distances()
        full = 1 / (1 + truth)
        own = fragment_of(full)
        values = values_of(Known({"full": full, "iso": own}), sample_of(distances=truth))
        pairs = [(i, j) for i in KEPT for j in KEPT if j - i == 7]
        near = [pair for pair in pairs if KEPT.index(pair[1]) - KEPT.index(pair[0]) < 3]
        expected = (len(pairs) - len(near)) / len(FULL)
        assert values["p_at_L_full min6"] == pytest.approx(expected)
        assert values["p_at_L_isoform min6"] == pytest.approx(expected)
        assert values["p_at_L_change min6"] == 0

    def test_what_the_isoform_loses(self):
        truth = self.distances()
        full = 1 / (1 + truth)
        own = -fragment_of(full)
        values = values_of(Known({"full": full, "iso": own}), sample_of(distances=truth))
        assert values["p_at_L_isoform min6"] == 0
        assert values["p_at_L_change min6"] == -values["p_at_L_full min6"] < 0

    def test_without_a_structure_it_cannot_be_measured(self):
        values = values_of(Known({"full": WHOLE, "iso": fragment_of(WHOLE)}), sample_of())
        assert np.isnan(values["p_at_L_full min6"])


class TestRefusals:
    def test_a_protein_that_is_no_isoform(self):
        method = Known({"iso": fragment_of(WHOLE)})
        with pytest.raises(InputError, match=r"iso is no isoform of anything: use dataset=isoform"):
            list(evaluation()(method, unresolved("iso", SHORT)))

    def test_a_complex(self):
        sample = sample_of()
        protein = Protein("iso", SHORT, breaks=(4,))
        with pytest.raises(InputError, match="iso has several chains; isoforms are of one"):
            list(evaluation()(Known({}), replace(sample, protein=protein)))

    def test_another_protein(self):
        sample = sample_of(isoform="W" * 40)
        with pytest.raises(InputError, match="iso shares 0 of its 40 residues with full: no iso"):
            list(evaluation()(Known({}), sample))

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"contact": "cb9"}, "contact='cb9'; allowed are cb8"),
            ({"ranges": []}, "ranges is empty"),
            ({"shortest": 0}, "shortest is 0; allowed are 1 and more"),
            ({"separation": 0}, "separation is 0; allowed are 1 and more"),
            ({"radius": 0.0}, "radius is 0.0; allowed are Å above 0"),
        ],
    )
    def test_wrong_values(self, changes, message):
        with pytest.raises(ValueError, match=message):
            evaluation(**changes)


def test_what_is_known_to_be_kept_is_not_aligned():
    """A loss between like residues: by its sequence alone it could be elsewhere."""
    full = "MKTAYIAKGAAAAAAAAAAWHCNGPQTYEMLSAVKDIG"
    isoform = full[:12] + full[15:]
    sample = sample_of(isoform, full)
    places = np.array([*range(12), *range(15, len(full))])
    sample = replace(sample, origin=replace(sample.origin, places=places))
    pair = looked_at(Known({"full": WHOLE, "iso": random_map(len(isoform))}), sample)
    assert pair.kept.full.tolist() == places.tolist()


def test_an_isoform_with_new_residues_is_measured_on_what_is_kept():
    isoform = SHORT + "WWWWWWWW"
    own = random_map(len(isoform), seed=2)
    own[: len(SHORT), : len(SHORT)] = fragment_of(WHOLE)
    values = values_of(Known({"full": WHOLE, "iso": own}), sample_of(isoform))
    assert values["recovery kept"] == pytest.approx(1)
