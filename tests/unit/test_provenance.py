import subprocess
from importlib.metadata import version

import pytest

from harness import provenance


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A repository of its own with one commit, taken for the project's."""

    def git(*arguments):
        author = ("-c", "user.name=n", "-c", "user.email=e@x")
        command = ("git", "-C", str(tmp_path), *author, *arguments)
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "--quiet")
    (tmp_path / "code.py").write_text("1")
    git("add", "code.py")
    git("commit", "--quiet", "--message", "first")
    monkeypatch.setattr(provenance, "_REPOSITORY", tmp_path)
    provenance.commit.cache_clear()
    yield git
    provenance.commit.cache_clear()


def test_the_commit_is_that_of_the_checkout(checkout):
    assert provenance.provenance()["commit"] == checkout("rev-parse", "HEAD")


def test_changes_that_are_not_committed_show(checkout, tmp_path):
    (tmp_path / "code.py").write_text("2")
    assert provenance.commit() == checkout("rev-parse", "HEAD") + "+changes"


def test_files_that_git_does_not_know_are_no_changes(checkout, tmp_path):
    (tmp_path / "notes.txt").write_text("2")
    assert "+" not in provenance.commit()


@pytest.mark.usefixtures("checkout")
def test_without_a_checkout_the_commit_is_unknown(monkeypatch, tmp_path):
    monkeypatch.setattr(provenance, "_REPOSITORY", tmp_path / "elsewhere")
    assert provenance.commit() == "unknown"


@pytest.mark.usefixtures("checkout")
def test_without_git_the_commit_is_unknown(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert provenance.commit() == "unknown"


def test_packages_and_machine_are_named():
    facts = provenance.provenance()
    assert facts["package.numpy"] == version("numpy")
    assert all(facts[key] for key in ("python", "platform", "processor", "threads"))
    assert all(isinstance(value, str) for value in facts.values())


def test_an_absent_package_is_called_absent(monkeypatch):
    monkeypatch.setattr(provenance, "_PACKAGES", ("no-such-package",))
    assert provenance.provenance()["package.no-such-package"] == "absent"
