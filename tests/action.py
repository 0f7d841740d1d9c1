"""Runs the steps of action.yml that are shell, as GitHub's runner would, without GitHub."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

PROJECT = Path(__file__).resolve().parents[1]
_EXPRESSION = re.compile(r"\$\{\{ *([\w.-]+) *\}\}")
_TIMEOUT = 900.0


class Done(NamedTuple):
    """How the action ended: `code` is that of the first step that failed, 0 if none has; `log` is what they said."""

    code: int
    log: str
    outputs: Mapping[str, str]
    summary: str

    @property
    def annotations(self) -> list[str]:
        return [line for line in self.log.splitlines() if line.startswith("::")]


def definition() -> Any:
    return yaml.safe_load((PROJECT / "action.yml").read_text())


def run_action(
    workspace: Path,
    temporary: Path,
    inputs: Mapping[str, str],
    *,
    event: str = "pull_request",
    skip: tuple[str, ...] = (),
    environment: Mapping[str, str] | None = None,
) -> Done:
    """Runs all steps with `run`, but for those whose name is in `skip`, until one fails. `temporary` is the runner's
    folder for temporary files. Steps that use other actions are left out."""
    action = definition()
    unknown = set(inputs) - set(action["inputs"])
    assert not unknown
    values = {f"inputs.{name}": inputs.get(name, one["default"]) for name, one in action["inputs"].items()}
    values |= {
        "github.action_path": str(PROJECT),
        "github.event_name": event,
        "steps.python.outputs.python-path": sys.executable,
    }
    summary = temporary / "summary.md"
    summary.touch()
    log = ""
    for step in action["runs"]["steps"]:
        if "run" not in step or step.get("name") in skip:
            continue
        code, said, outputs = _run(step, workspace, temporary, summary, values, environment or {})
        log += said
        values |= {f"steps.{step.get('id')}.outputs.{name}": value for name, value in outputs.items()}
        if code:
            break
    found = {name: values.get(_expression(one["value"]), "") for name, one in action["outputs"].items()}
    found["upload"] = values.get("steps.analyse.outputs.upload", "")
    return Done(code, log, found, summary.read_text())


def _run(
    step: Any,
    workspace: Path,
    temporary: Path,
    summary: Path,
    values: Mapping[str, str],
    environment: Mapping[str, str],
) -> tuple[int, str, Mapping[str, str]]:
    assert step["shell"] == "bash"
    assert "${{" not in step["run"]  # text of others must not become shell
    outputs = temporary / "outputs"
    outputs.write_text("")
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "PATH") if name in os.environ}
    own = {"RUNNER_TEMP": temporary, "GITHUB_OUTPUT": outputs, "GITHUB_STEP_SUMMARY": summary}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=workspace,
        env={
            **kept,
            **{name: str(path) for name, path in own.items()},
            **environment,
            **{name: values[_expression(text)] for name, text in step["env"].items()},
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )
    lines = [line.partition("=") for line in outputs.read_text().splitlines()]
    return done.returncode, done.stdout, {name: value for name, _, value in lines}


def _expression(text: str) -> str:
    match = _EXPRESSION.fullmatch(text)
    assert match, text
    return match[1]
