"""The rules of the house, read off the syntax trees. Each failure says what to do."""

import ast
from functools import cache
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
LIBRARY = sorted(path for name in ("harness", "baselines") for path in (ROOT / name).rglob("*.py"))
OTHERS = sorted(path for name in ("benchmarks", "tests") for path in (ROOT / name).rglob("*.py"))
ALL = [*LIBRARY, *OTHERS]

VALUES = {"protein", "sample", "alphabet", "alignment", "structure", "couplings", "masking"}
VALUES |= {"metrics", "statistics", "protocols", "errors", "lattice", "labeled"}
VALUES |= {"contact_regression", "device", "weighting", "download", "digests"}
VALUES |= {"placement", "blocks", "recovery", "coupled_pairs", "homologs", "power_law"}
VALUES |= {"corpus", "gibbs", "potts_families", "stored", "verdicts", "work", "shards"}
VALUES |= {"arrays", "json_text", "torch_files", "gzipped"}
VALUES |= {"residues", "predicted", "predictions", "isoform", "isoform_pair"}
VALUES |= {"superposition", "exposure"}
SERVICES = {"runner", "results", "claims", "tracking", "provenance", "plots", "record"}
SERVICES |= {"comparison", "pareto", "terminal", "model_card", "run_summary", "curves"}
SERVICES |= {"pictures", "coupling_plots", "model_series", "scaling", "scaling_plots"}
SERVICES |= {"capacity", "capacity_plots", "mlflow_store", "mlflow_run"}
SERVICES |= {"outbox", "mlflow_delivery", "preemption"}
SERVICES |= {"journal", "sides", "gate", "gate_report", "shard_folders", "merging"}
SERVICES |= {"pairs", "report_data", "report_maps", "report_page"}
SERVICES |= {"pace", "plan", "plan_files", "recording", "isoform_plots", "isoform_pages"}
ENTRY_POINTS = {"__main__", "jobs", "sweep", "configuration", "train", "fetch", "estimate"}
ENTRY_POINTS |= {"regress", "report", "sync", "merge", "planning", "dry_run"}
ENTRY_POINTS |= {"naming"}
PLUG_INS = ("harness.models", "harness.methods", "harness.datasets", "harness.evaluations")
PLUG_INS += ("baselines",)
MAY_IMPORT = {
    "value": {"value"},
    "service": {"value", "service"},
    "entry point": {"value", "service", "entry point"},
    "plug-in": {"value"},
}

DOORS = {
    "hydra": [f"harness.{name}" for name in sorted(ENTRY_POINTS)],
    "mlflow": ["harness.mlflow_store"],
    "matplotlib": ["harness.pictures", "harness.plots", "harness.pareto", "harness.curves"],
    "biotite": ["harness.structure", "harness.residues", "harness.placement", "harness.predicted"],
    "torch": ["harness.models", "harness.methods", "harness.couplings", "baselines"],
    "sklearn": ["harness.metrics", "harness.methods.fitted_contact_head"],
    "rich": ["harness.terminal"],
    "scipy": ["harness.statistics", "baselines"],
}
DOORS["matplotlib"] += ["harness.coupling_plots", "harness.scaling_plots"]
DOORS["matplotlib"] += ["harness.capacity_plots", "harness.isoform_plots"]
DOORS["torch"] += ["harness.contact_regression", "harness.device", "harness.gibbs"]
DOORS["torch"] += ["harness.torch_files"]
DOORS["transformers"] = ["harness.models.esmfold", "harness.models.esmfold_loading"]
DOORS |= {"psutil": ["harness.device"], "safetensors": ["harness.models.hugging_face"]}
DOORS["safetensors"] += ["harness.models.esmfold_loading"]
DOORS |= {library: ["harness.download"] for library in ("pooch", "requests", "tqdm")}
DOORS["biotite"] += ["harness.isoform", "harness.superposition", "harness.exposure"]
DOORS["biotite"] += ["harness.isoform_pair"]
DOORS |= {"omegaconf": DOORS["hydra"], "plotly": DOORS["matplotlib"]}

VAGUE = {"utils", "util", "common", "helpers", "helper", "core", "base", "manager", "misc"}
FUNCTION_LINES, FILE_LINES, PARAMETERS = 40, 250, 5
LONGER = {"harness/protocols.py": 440}  # every seam on one page is worth more than a short page


def short(path):
    return str(path.relative_to(ROOT))


def module_name(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


NAMES = {module_name(path) for path in LIBRARY}
GROUPS = ("model", "method", "dataset", "evaluation", "evaluation/targets", "masking", "hiding")
GROUPS += ("evaluation/reference", "windows", "tracker")


def target_of(path):
    """What a choice is made by, beneath its group in a file that sets other keys too."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content.get(path.parent.name, content).get("_target_", "")


CHOSEN = {
    target_of(path).rpartition(".")[0]
    for group in GROUPS
    for path in (ROOT / "conf" / group).glob("*.yaml")
}
"""Modules that a choice of a run names: the plug-ins themselves, not what their folder shares."""


def below(name, parent):
    return name == parent or name.startswith(parent + ".")


def group_of(name):
    if any(below(name, parent) for parent in PLUG_INS):
        return "plug-in"
    last = name.removeprefix("harness.")
    groups = {"value": VALUES, "service": SERVICES, "entry point": ENTRY_POINTS}
    found = [group for group, members in groups.items() if last in members]
    return found[0] if found else None


def imports(node):
    """Line and full name of everything imported; inside TYPE_CHECKING nothing is."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    if isinstance(node, ast.Import):
        yield from ((node.lineno, alias.name) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "import by the full name"
        for alias in node.names:
            inner = f"{node.module}.{alias.name}"
            yield node.lineno, inner if inner in NAMES else node.module
    for child in ast.iter_child_nodes(node):
        yield from imports(child)


def nodes(path, *kinds):
    return [node for node in ast.walk(tree(path)) if isinstance(node, kinds)]


def functions(path):
    return nodes(path, ast.FunctionDef, ast.AsyncFunctionDef)


for_library = pytest.mark.parametrize("path", LIBRARY, ids=short)
for_all = pytest.mark.parametrize("path", ALL, ids=short)


@for_library
def test_every_module_belongs_to_a_group(path):
    name = module_name(path)
    assert name == "harness" or group_of(name), (
        f"{short(path)} is neither value, service, entry point nor plug-in: put it into a plug-in "
        "folder, or add it to the right group in this test and in docs"
    )


@for_library
def test_modules_import_only_what_their_group_may(path):
    name = module_name(path)
    for line, imported in imports(tree(path)):
        if imported not in NAMES or group_of(name) is None:
            continue
        group, kind = group_of(name), group_of(imported)
        shared = name.rpartition(".")[0] == imported.rpartition(".")[0] and imported not in CHOSEN
        allowed = kind in MAY_IMPORT[group] or (group == kind == "plug-in" and shared)
        assert allowed, (
            f"{short(path)}:{line}: {imported} ({kind}) is out of bounds for a module that is "
            f"{group}; pass it in, or move what both need into a value module"
        )


@for_library
def test_the_harness_never_imports_baselines(path):
    if path.is_relative_to(ROOT / "harness"):
        for line, imported in imports(tree(path)):
            assert not below(imported, "baselines"), (
                f"{short(path)}:{line}: imports {imported}; let conf/method name it as _target_"
            )


@pytest.mark.parametrize("library", DOORS)
def test_a_library_has_one_door(library):
    doors = DOORS[library]
    elsewhere = [
        f"{short(path)}:{line}"
        for path in LIBRARY
        for line, imported in imports(tree(path))
        if below(imported, library) and not any(below(module_name(path), door) for door in doors)
    ]
    assert elsewhere == [], f"only {', '.join(doors)} may import {library}; move the call there"


@for_all
def test_no_module_has_a_name_that_says_nothing(path):
    vague = VAGUE.intersection(path.relative_to(ROOT).with_suffix("").parts)
    assert not vague, f"{short(path)}: name it after what it does, not {vague}"


@for_all
def test_a_file_fits_in_the_head(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGER.get(short(path), FILE_LINES), (
        f"{short(path)}: {lines} lines; split it by subject"
    )


@for_all
def test_a_function_fits_on_the_screen(path):
    for function in functions(path):
        lines = function.end_lineno - function.lineno + 1
        assert lines <= FUNCTION_LINES, (
            f"{short(path)}:{function.lineno}: {function.name} has {lines} lines, {FUNCTION_LINES} "
            "is the limit; give a part of it a name"
        )


@for_all
def test_a_function_has_few_parameters(path):
    for function in functions(path):
        given = function.args
        names = [a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
        count = len([name for name in names if name not in ("self", "cls")])
        assert count <= PARAMETERS, (
            f"{short(path)}:{function.lineno}: {function.name} has {count} parameters, "
            f"{PARAMETERS} is the limit; those that travel together are one object"
        )


@for_library
def test_the_library_raises_and_never_asserts(path):
    for node in nodes(path, ast.Assert):
        pytest.fail(f"{short(path)}:{node.lineno}: assert vanishes under -O; raise an error")


@for_library
def test_the_library_never_catches_everything(path):
    """An entry point may, at the edge of a job, with a comment on that line that says why."""
    lines = path.read_text(encoding="utf-8").splitlines()
    at_the_edge = group_of(module_name(path)) == "entry point"
    for handler in nodes(path, ast.ExceptHandler):
        kinds = ast.unparse(handler.type) if handler.type else "everything"
        excused = at_the_edge and "#" in lines[handler.lineno - 1]
        assert kinds not in ("everything", "Exception") or excused, (
            f"{short(path)}:{handler.lineno}: catches {kinds}; name the errors that you can mend"
        )


@for_library
def test_only_entry_points_and_the_terminal_print(path):
    if group_of(module_name(path)) != "entry point" and module_name(path) != "harness.terminal":
        for call in nodes(path, ast.Call):
            printing = isinstance(call.func, ast.Name) and call.func.id == "print"
            assert not printing, (
                f"{short(path)}:{call.lineno}: prints; return the text, or let harness.terminal "
                "show it"
            )
