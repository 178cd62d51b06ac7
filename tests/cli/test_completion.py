# SPDX-License-Identifier: Apache-2.0
"""Completion, as a real bash asks for it."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from support import require
from support.vif_command import ID_A, A, command

SCRIPT = """
source <(vif completion bash)
COMP_LINE={line}
COMP_POINT=${{#COMP_LINE}}
COMP_TYPE=9
COMP_KEY=9
read -ra COMP_WORDS <<<"$COMP_LINE"
[[ $COMP_LINE == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
function=$(complete -p vif | sed -E 's/.*-F ([^ ]+).*/\\1/')
"$function" vif "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD-1]}}"
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def completed(netns, line):
    """What bash offers after ``line``."""
    require("bash")
    require(module="argcomplete", package="'os-vif[cli]'")
    path = f"{Path(command()).parent}:{os.environ['PATH']}"
    script = SCRIPT.format(line=shlex.quote(line))
    asked = netns.run(["bash", "--norc", "-c", script], env={**os.environ, "PATH": path})
    assert asked.stderr == ""
    return [word.strip() for word in asked.stdout.splitlines() if word.strip()]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("vif pl", ["plug", "plan"]),
        ("vif plan --unp", ["--unplug"]),
        ("vif list --output ", ["table", "json"]),
        ("vif completion ", ["bash", "zsh", "fish"]),
    ],
)
def test_commands_and_options(netns, line, offered):
    """Commands, their options, and the values of these."""
    assert [word for word in completed(netns, line) if word in offered or "-" not in word] == offered


def test_ids_of_recorded_vifs(netns, vif_inside):
    """show and unplug --id offer what is recorded."""
    vif_inside("plug", A)
    assert completed(netns, "vif show 4c") == [ID_A]
    assert completed(netns, "vif unplug --id 4c") == [ID_A]
    assert completed(netns, "vif show 5") == []


def test_files(netns, tmp_path, monkeypatch):
    """FILE offers files."""
    (tmp_path / "blue.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert completed(netns, "vif plug bl") == ["blue.json"]


@pytest.mark.parametrize(
    ("shell", "registration"),
    [
        ("bash", "complete -o nospace -o default -o bashdefault -F _python_argcomplete vif"),
        ("zsh", "compdef _python_argcomplete vif"),
        ("fish", "complete --command vif -f -a '(__fish_vif_complete)'"),
    ],
)
def test_script_for_each_shell(vif, shell, registration):
    """The line that tells the shell whom to ask about vif."""
    printed = vif("completion", shell)
    assert printed.returncode == 0
    assert registration in [line.strip() for line in printed.stdout.splitlines()]


def test_without_argcomplete_it_says_what_to_install(vif, tmp_path):
    """An extra that is not there."""
    (tmp_path / "argcomplete.py").write_text("raise ImportError('not installed')\n")
    refused = vif("completion", "bash", env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert refused.returncode == 1
    assert refused.stderr.splitlines() == [
        "error: Completion needs the Python package argcomplete.",
        "  hint: pip install argcomplete",
    ]
