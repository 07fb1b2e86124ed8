"""A tracker with a store of its own, and a folder to track."""

import shutil

import pytest

from tests.stores import tracking_in


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A store with its experiment and nothing else."""
    store = tmp_path_factory.mktemp("template")
    tracking_in(store).connect()
    return store / "mlflow.db"


@pytest.fixture
def tracker(tmp_path, template, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    store = tmp_path / "mlflow"
    store.mkdir()
    shutil.copy(template, store)
    return tracking_in(store)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


@pytest.fixture
def client(tracker):
    from mlflow import MlflowClient

    return MlflowClient(f"sqlite:///{tracker.store}/mlflow.db")
