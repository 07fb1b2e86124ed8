"""What an MLflow server holds, to be compared with what it should."""

from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run


def runs_of(client: MlflowClient, experiment: str) -> dict[str, Run]:
    """Runs of the experiment by name; ValueError unless one has that name, and each run its own."""
    found = [each for each in client.search_experiments() if each.name == experiment]
    runs = client.search_runs([each.experiment_id for each in found], max_results=5000)
    named = {run.info.run_name: run for run in runs}
    if len(found) != 1 or len(named) != len(runs):
        raise ValueError(f"{len(found)} experiments {experiment}, {len(runs)} runs, {len(named)}")
    return named


def content(client: MlflowClient, run: Run) -> tuple[Any, ...]:
    """What is the same whenever the run is repeated, and how often each metric was logged."""
    data, identifier = run.data, run.info.run_id
    measured = {k: v for k, v in data.metrics.items() if "seconds" not in k and "memory" not in k}
    files = {item.path for item in client.list_artifacts(identifier)}
    times = {name: len(client.get_metric_history(identifier, name)) for name in measured}
    return run.info.status, measured, dict(data.params), files, times
