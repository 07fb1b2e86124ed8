"""Finished runs as the regression gate takes them."""

from harness.protocols import Row
from harness.results import RunFolder, summarize
from harness.statistics import Bootstrap

BOOTSTRAP = Bootstrap(resamples=500, level=0.95, seed=0)
RUN = {"method": "jac", "model": "8M", "settings": "", "dataset": "folder", "masking": "none"}
RUN |= {"evaluation": "precision", "label": "jac 8M", "ranges": ["long"]}
RUN |= {"contact_atom": "CB", "contact_cutoff": 8.0}
SETTINGS = {"method.apc": "True", "evaluation._target_": "e.Precision", "dataset.seed": "0"}
PROVENANCE = {"dataset_version": "v1", "weights_sha256": "ab", "commit": "c1", "platform": "x"}


def finish(folder, values, seconds=1.0, **changes):
    """The folder of a finished run: P@L of proteins p0, p1, …; changes of names and settings."""
    folder.mkdir(parents=True)
    results = RunFolder(folder, "jac", "8M", ())
    results.claim({}, "")
    if not isinstance(values, dict):
        values = {("p_at_L", "long"): {f"p{n}": value for n, value in enumerate(values)}}
    proteins = dict.fromkeys(name for own in values.values() for name in own)
    for protein in proteins:
        rows = [Row(*key, own[protein]) for key, own in values.items() if protein in own]
        results.append(protein, rows, {"seconds": seconds, "forward_passes": 10, "flops": 0})
    summary = {
        name: own | {key: value for key, value in changes.items() if key in own}
        for name, own in (("run", RUN), ("settings", SETTINGS), ("provenance", PROVENANCE))
    }
    summary["settings"] |= changes.get("more", {})
    results.write_summary(summary | {"metrics": summarize(results.rows(), BOOTSTRAP)})
    return folder
