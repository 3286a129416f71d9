"""An artefact is there whole or as it was, and nothing is left over."""

import os

import pytest

from kbridge.adapters.atomic import replaced_file, replaced_folder
from kbridge.core.errors import ExportError


def ours(name):
    return name.endswith(".bin")


def fill(folder, **files):
    for name, text in files.items():
        (folder / f"{name}.bin").write_text(text)


def content(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_file_appears_at_the_end_of_the_block(tmp_path):
    place = tmp_path / "a.bin"
    with replaced_file(place) as draft:
        draft.write_text("new")
        assert not place.exists()
    assert content(tmp_path) == {"a.bin": "new"}


def test_file_stays_as_it_was_when_the_block_fails(tmp_path):
    (tmp_path / "a.bin").write_text("old")
    with pytest.raises(TypeError), replaced_file(tmp_path / "a.bin") as draft:
        draft.write_text("half") + "more"
    assert content(tmp_path) == {"a.bin": "old"}


def test_file_has_the_permissions_of_any_new_file(tmp_path):
    with replaced_file(tmp_path / "a.bin") as draft:
        draft.write_text("new")
    (tmp_path / "b.bin").write_text("plain")
    assert (tmp_path / "a.bin").stat().st_mode == (tmp_path / "b.bin").stat().st_mode


def test_folder_is_replaced_whole(tmp_path):
    place = tmp_path / "model"
    place.mkdir()
    fill(place, old="1", both="1")
    with replaced_folder(place, ours) as draft:
        fill(draft, new="2", both="2")
        assert content(place) == {"old.bin": "1", "both.bin": "1"}
    assert content(place) == {"new.bin": "2", "both.bin": "2"}
    assert os.listdir(tmp_path) == ["model"]


def test_folder_stays_as_it_was_when_the_block_fails(tmp_path):
    place = tmp_path / "model"
    place.mkdir()
    fill(place, old="1")
    with pytest.raises(TypeError), replaced_folder(place, ours) as draft:
        fill(draft, new="2", wrong=3)
    assert content(place) == {"old.bin": "1"}
    assert os.listdir(tmp_path) == ["model"]


def test_folder_comes_back_when_the_rename_fails(tmp_path, monkeypatch):
    place = tmp_path / "model"
    place.mkdir()
    fill(place, old="1")
    rename, seen = os.rename, []

    def failing(source, target):
        seen.append(target)
        if len(seen) == 2:
            raise OSError("disk trouble")
        rename(source, target)

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(OSError, match="disk trouble"), replaced_folder(place, ours) as draft:
        fill(draft, new="2")
    assert content(place) == {"old.bin": "1"}
    assert os.listdir(tmp_path) == ["model"]


def test_folder_with_the_files_of_others_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("years")
    with (
        pytest.raises(ExportError, match=r"other files \(thesis.txt\)"),
        replaced_folder(tmp_path, ours),
    ):
        pytest.fail("the block must not run")
    assert content(tmp_path) == {"thesis.txt": "years"}


@pytest.mark.parametrize("replaced", [replaced_file, lambda path: replaced_folder(path, ours)])
def test_missing_parent_is_named(tmp_path, replaced):
    with (
        pytest.raises(ExportError, match=r"no folder .*nowhere\. Create it"),
        replaced(tmp_path / "nowhere" / "a"),
    ):
        pytest.fail("the block must not run")


def test_file_and_folder_are_not_mistaken_for_each_other(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="is a folder"), replaced_file(tmp_path):
        pytest.fail("the block must not run")
    with pytest.raises(ExportError, match="is a file"), replaced_folder(tmp_path / "file", ours):
        pytest.fail("the block must not run")


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with replaced_file(tmp_path / "link") as draft:
        draft.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"
