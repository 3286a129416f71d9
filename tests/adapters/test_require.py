"""One line that says what to install."""

import sys

import pytest

from kbridge.adapters.require import require
from kbridge.core.errors import MissingDependencyError


def test_a_missing_library_is_named_with_the_line_to_run():
    with pytest.raises(MissingDependencyError) as caught:
        require("no_such_library.part", "export")
    line = 'no_such_library is not installed. Run: pip install "kbridge[export]"'
    assert str(caught.value) == line


def test_a_library_that_fails_to_import_is_not_called_missing(tmp_path, monkeypatch):
    (tmp_path / "broken_library.py").write_text("import also_missing")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingDependencyError, match=r"broken_library is installed and fails.*also"):
        require("broken_library", "export")


def test_the_module_itself_is_returned():
    assert require("json.decoder", "export") is sys.modules["json.decoder"]
