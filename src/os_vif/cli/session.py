# SPDX-License-Identifier: Apache-2.0
"""Getting the library ready for a command: state directory, log, configuration, plugins."""

from __future__ import annotations

import argparse
import logging
import os
import re
import sys
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

import os_vif
from os_vif.cli.errors import BadInput, CommandError
from os_vif.cli.exit_code import ExitCode
from os_vif.exception.plain import plain

#: Names the directory of the configuration that is read when the command line names no file.
CONFIG_DIR_VARIABLE = "OS_VIF_CONFIG_DIR"

_CONFIG_DIR = "/etc/os-vif"


def open_journal(arguments: argparse.Namespace) -> None:
    """Enough for commands that only read the journal."""
    _set_up_log(arguments)
    _check_files(arguments.config_file)
    use_state_directory(arguments.state_dir)


def open_options(arguments: argparse.Namespace) -> None:
    """Enough for commands that read the journal and the options."""
    open_journal(arguments)
    _read_configuration(_files(arguments))


def open_library(arguments: argparse.Namespace) -> None:
    """Everything: plugins included."""
    open_options(arguments)
    os_vif.initialize()
    if _files(arguments):
        _check_options()


def open_objects(arguments: argparse.Namespace) -> None:
    """Enough for commands that only read and write objects."""
    from os_vif import objects

    _set_up_log(arguments)
    _check_files(arguments.config_file)
    objects.register_all()


def _set_up_log(arguments: argparse.Namespace) -> None:
    levels = {0: logging.WARNING, 1: logging.INFO}
    level = logging.ERROR if arguments.quiet else levels.get(arguments.verbose, logging.DEBUG)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Words())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    if level > logging.DEBUG:
        # Libraries warn their developers (oslo.privsep imports eventlet, say); whoever runs a command is none of them.
        warnings.simplefilter("ignore")


class _Words(logging.Formatter):
    """``warning: ...`` as command line tools write it; no traceback unless everything is wanted."""

    def format(self, record: logging.LogRecord) -> str:
        text = plain(f"{record.levelname.lower()}: {record.getMessage()}")
        if not record.exc_info:
            return text
        if logging.getLogger().level <= logging.DEBUG:
            return f"{text}\n{self.formatException(record.exc_info)}"
        return f"{text} ({plain(str(record.exc_info[1]))})"


def use_state_directory(named: str | None) -> None:
    """Has the library keep its journal and locks in ``named``, made if need be; None is the usual place."""
    from os_vif.host.journal.store import STATE_DIR_VARIABLE, why_not

    if named is None:
        return
    directory = Path(named)
    reason = why_not(directory)
    if reason:
        raise CommandError(
            f"The state directory {named} cannot be used: {reason}.",
            code="state-dir",
            exit_code=ExitCode.FAILED,
            hint="Name a directory that this user can write, or leave --state-dir out for the usual one.",
        )
    os.environ[STATE_DIR_VARIABLE] = str(directory.absolute())


def _files(arguments: argparse.Namespace) -> list[str]:
    """The files that were named or, if none was, those in the usual place."""
    if arguments.config_file:
        return list(arguments.config_file)
    directory = Path(os.environ.get(CONFIG_DIR_VARIABLE) or _CONFIG_DIR)
    files = [directory / "os-vif.conf", *sorted((directory / "os-vif.conf.d").glob("*.conf"))]
    return [str(file) for file in files if file.exists()]


def _read_configuration(files: list[str]) -> None:
    if not files:
        return
    from oslo_config import cfg

    try:
        cfg.CONF([], project="os_vif", prog="vif", default_config_files=files)
    except cfg.ConfigFilesNotFoundError as error:
        raise _unreadable(error.config_files) from error
    except (cfg.Error, OSError) as error:
        hint = "See `oslo-config-generator --namespace os_vif` for what a configuration file looks like."
        raise BadInput(" ".join(str(error).split()), code="config-file", hint=hint) from error


def _check_files(named: Sequence[str]) -> None:
    """A file that is named and not there is told of, also by a command that needs none."""
    unreadable = [name for name in named if not os.access(name, os.R_OK)]
    if unreadable:
        raise _unreadable(unreadable)


def _unreadable(names: Iterable[str]) -> BadInput:
    return BadInput(f"{', '.join(names)}: there is no such file, or it cannot be read.", code="config-file")


def _check_options() -> None:
    """oslo.config reads an option when it is used; a wrong value is better told of before anything is done."""
    from oslo_config import cfg

    from os_vif.loading import plugins

    for name, plugin in plugins.plugins().items():
        for option in plugin.CONFIG_OPTS:
            try:
                plugin.config[option.dest]
            except (cfg.Error, ValueError) as error:
                reason = re.sub(r" from LocationInfo\(.*detail='([^']*)'\)", r" in \1", str(error))
                raise BadInput(f"[os_vif_{name}] {option.name}: {reason}", code="config-file") from error
