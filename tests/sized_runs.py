"""Finished runs of models of several sizes, as a sweep leaves them."""

from harness.protocols import Row
from harness.results import RunFolder, summarize
from harness.statistics import Bootstrap

BOOTSTRAP = Bootstrap(200, 0.95, 0)


def finish(folder, size, values, evaluation="precision", settings=""):
    """A finished run: `values` are by metric and range, then by protein; `size` names the model."""
    folder.mkdir(parents=True)
    model = f"m{size}" if size else ""
    results = RunFolder(folder, "jacobian", model, ())
    results.claim({}, "")
    for protein in dict.fromkeys(name for own in values.values() for name in own):
        rows = [Row(*place, own[protein]) for place, own in values.items() if protein in own]
        results.append(protein, rows, {})
    run = {"method": "jacobian", "model": model, "settings": settings, "evaluation": evaluation}
    run |= {"label": f"jacobian {model} {settings}", "dataset": "lattice", "masking": "none"}
    cost = {"n_parameters": size, "n_proteins": 2, "seconds": size / 1e3, "flops": 4 * size}
    metrics = summarize(results.rows(), BOOTSTRAP)
    cost["forward_passes"] = 8
    results.write_summary({"run": run, "metrics": metrics, "cost": cost})


def precisions(*values):
    """P@L of proteins a, b, c …"""
    return {("p_at_L", "min3"): dict(zip("abcdefgh", values, strict=False))}
