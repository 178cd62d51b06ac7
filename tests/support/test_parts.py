# SPDX-License-Identifier: Apache-2.0
"""A missing part skips a person's test, with the command that installs it, and fails CI."""

import pytest

from support import require


def test_what_is_there_is_found():
    assert require("sh").endswith("/sh")
    assert require(module="pytest")


@pytest.mark.parametrize(
    ("asked", "command"),
    [
        ({"program": "no-such-program", "package": "a-package"}, "apt-get install --no-install-recommends a-package"),
        ({"module": "no_such_module", "package": "a-dist"}, "pip install a-dist"),
    ],
)
def test_missing_part_skips_and_fails_in_ci(monkeypatch, asked, command):
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=command):
        require(**asked)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=command):
        require(**asked)
