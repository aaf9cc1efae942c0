"""Where data are found: in the installed package, else in the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from w40k_marl.content import paths
from w40k_marl.content.paths import data_folder, find_data, list_data
from w40k_marl.errors import ContentError


def test_packaged_copy_comes_before_the_repository(scout: Path) -> None:
    assert find_data("agents", "Scout") == scout
    assert list_data("agents") == ["Scout"]


def test_no_data_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "_PACKAGE", tmp_path / "w40k_marl")
    with pytest.raises(ContentError, match="no such folder"):
        data_folder("agents")
