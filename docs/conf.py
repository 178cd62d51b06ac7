# SPDX-License-Identifier: Apache-2.0
"""The site that `make docs` makes of this directory (https://www.sphinx-doc.org/en/master/usage/configuration.html)."""

import importlib.metadata
import runpy
from pathlib import Path

from os_vif.cli import reference as commands

HERE = Path(__file__).parent

# What is made from the code is made before Sphinx looks for pages.
runpy.run_path(str(HERE.parent / "tools/docs/reference.py"))["main"](HERE / "reference/generated")

project = "os-vif"
author = "the os-vif authors"
version = release = importlib.metadata.version("os-vif")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton"]
exclude_patterns = ["_build"]
# HTTP headers without a request are no HTTP to whoever colours it.
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_title = f"os-vif {release}"

man_pages = [("cli", "vif", "plug virtual machines into networks", [author], 1)]
man_pages += [
    (f"reference/generated/commands/{page}", page, commands.summary_of(page), [author], 1) for page in commands.pages()
]
man_show_urls = True

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
# Code blocks that show commands have no language of their own.
highlight_language = "none"
copybutton_prompt_text = r"\$ |(source|destination)# +"
copybutton_prompt_is_regexp = True
