# SPDX-License-Identifier: Apache-2.0
"""Do the clients of os-vif run on this one? Runs their own tests with it and with upstream's, and compares.

Exits with 1 when a test that passes with upstream does not here, or when an option of upstream's is not the same.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import options
import results
from results import Comparison, Outcomes
from suites import SUITES, Suite

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
OURS = REPOSITORY / ".venv-compat"
UPSTREAM = REPOSITORY / ".venv-compat-upstream"
SECONDS_AT_MOST = 1200


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="suites to run at a time")
    parser.add_argument("--anew", action="store_true", help="run upstream's again even where its results are known")
    arguments = parser.parse_args()

    started = time.monotonic()
    with ThreadPoolExecutor(arguments.jobs) as pool:
        running = [
            (suite, pool.submit(_run, OURS, suite), pool.submit(_upstream, suite, anew=arguments.anew))
            for suite in SUITES
        ]
        comparisons = [_compare(suite, ours.result(), upstream.result()) for suite, ours, upstream in running]
    expected, other_options = options.differences(_python(OURS), _python(UPSTREAM))
    print(results.table(comparisons))
    print("\n".join(["", results.differences(comparisons), *other_options]))
    print(f"options of {', '.join(sorted(expected))}: {len(other_options)} differences")
    empty = [comparison.suite for comparison in comparisons if not comparison.upstream]
    for suite in empty:
        print(f"{suite}: no tests were found")
    worse = sum(len(comparison.worse) for comparison in comparisons)
    print(f"{worse} tests fail here only; {time.monotonic() - started:.0f} s. Tracebacks are in {OURS.name}/results.")
    return 1 if worse or other_options or empty else 0


def _compare(suite: Suite, ours: Outcomes, upstream: Outcomes) -> Comparison:
    comparison = Comparison(suite.name, ours, upstream)
    if not comparison.worse:
        return comparison
    # Some of the clients' tests wait for threads of theirs, and on a busy machine do not wait for long enough.
    return Comparison(suite.name, {**ours, **_run(OURS, suite, *comparison.worse)}, upstream)


def _upstream(suite: Suite, *, anew: bool) -> Outcomes:
    """Results of an earlier run will do: they depend on nothing but the environment, and on what is run."""
    output = _output(UPSTREAM, suite)
    given = [HERE / "suites.py", HERE / "runner.py"]
    if anew or not output.exists() or output.stat().st_mtime < max(path.stat().st_mtime for path in given):
        return _run(UPSTREAM, suite)
    return _read(output)


def _run(venv: Path, suite: Suite, *only: str) -> Outcomes:
    output = _output(venv, suite)
    output = output.with_suffix(".again.json") if only else output
    output.parent.mkdir(exist_ok=True)
    output.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="os-vif-compat-") as scratch, output.with_suffix(".log").open("w") as log:
        # Nothing of it may touch this machine's records, and no setting of its user's may change the tests.
        environment = {"PATH": os.environ["PATH"], "HOME": scratch, "OS_VIF_STATE_DIR": scratch, **suite.environment}
        command: list[str | Path] = [_python(venv), "-W", "ignore", HERE / "runner.py", suite.name, output, *only]
        ran = subprocess.run(
            command, cwd=scratch, env=environment, stdout=log, stderr=log, check=False, timeout=SECONDS_AT_MOST
        )
    if not output.exists():
        log_tail = Path(log.name).read_text(errors="replace")[-2000:]
        raise SystemExit(f"{suite.name}: the tests ended with {ran.returncode} and without results:\n{log_tail}")
    print(f"{venv.name}: {suite.name}: done", file=sys.stderr, flush=True)
    return _read(output)


def _read(output: Path) -> Outcomes:
    return json.loads(output.read_text())  # type: ignore[no-any-return]


def _output(venv: Path, suite: Suite) -> Path:
    name = "".join(letter if letter.isalnum() else "-" for letter in suite.name)
    return venv / "results" / f"{name}.json"


def _python(venv: Path) -> Path:
    return venv / "bin" / "python"


if __name__ == "__main__":
    sys.exit(main())
