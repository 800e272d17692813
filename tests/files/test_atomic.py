from pathlib import Path

import pytest

from tasks.files.atomic import TEMPORARY, replacing


def test_a_file_appears_when_it_is_complete(tmp_path: Path):
    path = tmp_path / "out"
    path.write_text("old")
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
        assert temporary.parent == tmp_path
        assert temporary.name.startswith(TEMPORARY)
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_after_an_error_only_the_old_file_is_left(tmp_path: Path):
    path = tmp_path / "out"
    path.write_text("old")
    with pytest.raises(ValueError, match="halfway"), replacing(path) as temporary:
        temporary.write_text("ne")
        raise ValueError("halfway")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_not_replaced(tmp_path: Path):
    (tmp_path / "out").mkdir()
    with pytest.raises(OSError, match="out"), replacing(tmp_path / "out") as temporary:
        temporary.write_text("new")
    assert [each.name for each in tmp_path.iterdir()] == ["out"]
