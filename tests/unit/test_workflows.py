"""PR-01: the workflows of .github, held to their rules, and their steps run with stand-ins for what is not here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.runtime import PROJECT_DIR

GITHUB = PROJECT_DIR / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
#: Each stand-in notes its call, prints what the test wants and ends as it wants.
STAND_IN = """\
#!/bin/sh
echo "{name} $*" >> "$CALLS"
if [ -f "$ANSWERS/{name}" ]; then cat "$ANSWERS/{name}"; fi
if [ -f "$ANSWERS/{name}.code" ]; then exit "$(cat "$ANSWERS/{name}.code")"; fi
"""


def read(path: Path) -> dict[Any, Any]:
    document: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return document


def jobs_of(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from read(path)["jobs"].items()


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in WORKFLOWS:
        for name, job in jobs_of(path):
            for step in job.get("steps", []):
                yield f"{path.stem}/{name}", step


def test_pr_01_the_workflows_are_there() -> None:
    assert [path.stem for path in WORKFLOWS] == ["check", "deploy", "drift", "ephemeral", "preview", "slow", "update"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_pr_01_least_permissions_and_no_secrets(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert read(path)["permissions"] == {}
    assert "secrets." not in text
    assert "pull_request_target" not in text
    for name, job in jobs_of(path):
        assert set(job["permissions"].values()) <= {"read", "write"}, name
        assert job["permissions"]["contents"] == "read", name
        assert "uses" in job or job["timeout-minutes"] <= (180 if path.stem == "slow" else 60), name


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_pr_01_actions_are_pinned_by_hash_with_their_version(path: Path) -> None:
    for line in path.read_text(encoding="utf-8").splitlines():
        if (used := re.search(r"uses: (\S+)(.*)", line)) and not used[1].startswith("./"):
            assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", used[1]), line
            assert re.fullmatch(r" # v\d+\.\d+\.\d+", used[2]), line


def test_pr_01_checkouts_leave_no_token_behind() -> None:
    checkouts = [step for _, step in steps() if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_pr_01_nothing_that_others_write_is_pasted_into_a_shell() -> None:
    assert [where for where, step in steps() if "${{" in step.get("run", "")] == []


class Machine:
    """A folder in which a workflow's steps run: the scripts, and stand-ins for ``pulumi``, ``gh`` and ``./cqrs``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(GITHUB / "scripts", folder / ".github" / "scripts")
        shutil.copy2(PROJECT_DIR / "Pulumi.dev.yaml", folder)
        self.answers, self._calls = folder / "answers", folder / "calls"
        self.answers.mkdir()
        (folder / "bin").mkdir()
        for name, path in (("pulumi", "bin/pulumi"), ("gh", "bin/gh"), ("cqrs", "cqrs")):
            (folder / path).write_text(STAND_IN.format(name=name))
            (folder / path).chmod(0o755)
        self.env = {
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "CALLS": str(self._calls),
            "ANSWERS": str(self.answers),
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary"),
            "GITHUB_REPOSITORY": "o/r",
            "GH_TOKEN": "t",
        }

    def run(self, workflow: str, step: str, **env: str) -> str:
        """Run one step's shell text as the runner does. Answers what it printed."""
        (text,) = {
            one["run"]
            for path in WORKFLOWS
            if path.stem == workflow
            for _, job in jobs_of(path)
            for one in job.get("steps", [])
            if one.get("name") == step
        }
        # GitHub Docs, "Workflow syntax", `shell`: bash --noprofile --norc -eo pipefail where bash is named, else -e.
        command = ["bash", "-e", "-c", text]
        done = subprocess.run(
            command, cwd=self.folder, env={**self.env, **env}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def calls(self) -> list[str]:
        return self._calls.read_text().splitlines() if self._calls.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize(
    ("role", "backend", "fork", "engine"),
    [
        ("arn:r", "s3://state", "false", "true"),
        ("", "s3://state", "false", "false"),
        ("arn:r", "", "false", "false"),
        ("arn:r", "s3://state", "true", "false"),
    ],
)
def test_pr_01_forks_and_repositories_without_a_role_get_the_preview_without_aws(
    machine: Machine, role: str, backend: str, fork: str, engine: str
) -> None:
    machine.run("preview", "Decide who previews", PREVIEW_ROLE=role, PULUMI_BACKEND_URL=backend, FROM_FORK=fork)
    assert (machine.folder / "output").read_text() == f"pulumi={engine}\n"


def test_pr_01_the_preview_with_pulumi_becomes_the_comment(machine: Machine) -> None:
    (machine.answers / "pulumi").write_text("~ alarm\n")
    machine.run("preview", "Preview with Pulumi", STACK="prod")
    text = (machine.folder / "comment.md").read_text()
    assert text.startswith("### Preview of `prod` (Pulumi, against the deployed stack)\n\n```diff\n~ alarm\n")
    assert machine.calls == [
        "pulumi install",
        "pulumi preview --stack prod --diff --non-interactive --color never",
    ]


def test_pr_01_a_preview_that_fails_is_reported_and_fails_the_step(machine: Machine) -> None:
    (machine.answers / "pulumi").write_text("error: no\n")
    (machine.answers / "pulumi.code").write_text("255")
    script = machine.folder / ".github" / "scripts" / "pulumi_preview.sh"
    done = subprocess.run(
        [script, "dev"], env=machine.env, cwd=machine.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 255
    assert "> The preview failed.\n\n```diff\nerror: no\n```\n" in done.stdout


def test_pr_01_the_preview_without_aws_becomes_the_comment(machine: Machine) -> None:
    (machine.answers / "cqrs").write_text("### Preview\n")
    machine.run("preview", "Preview without AWS", STACK="dev", BASE="abc")
    assert (machine.folder / "comment.md").read_text() == "### Preview\n"
    assert machine.calls == ["cqrs preview --stack dev --against abc --markdown"]
    machine.run("preview", "Summary")
    assert (machine.folder / "summary").read_text() == "### Preview\n"


@pytest.mark.parametrize(
    ("found", "method", "path"),
    [("", "POST", "repos/o/r/issues/7/comments"), ("42\n43\n", "PATCH", "repos/o/r/issues/comments/42")],
)
def test_pr_01_one_comment_per_stack_is_edited_in_place(machine: Machine, found: str, method: str, path: str) -> None:
    (machine.answers / "gh").write_text(found)
    (machine.folder / "comment.md").write_text("x" * 70_000)
    machine.run("preview", "Comment", STACK="dev", NUMBER="7")
    look, write = machine.calls
    assert look.startswith("gh api --paginate repos/o/r/issues/7/comments ")
    assert "<!-- cqrs: preview-dev -->" in look
    assert write.startswith(f"gh api --method {method} {path} --field body=@")


def test_pr_01_an_update_does_what_its_preview_showed(machine: Machine) -> None:
    (machine.answers / "pulumi").write_text("~ table\n")
    machine.run("update", "Preview, and save the plan", STACK="prod")
    machine.run("update", "Update from the plan", STACK="prod")
    assert machine.calls == [
        "pulumi install",
        "pulumi preview --stack prod --diff --non-interactive --color never --save-plan plan.json",
        "pulumi up --stack prod --yes --non-interactive --color never --plan plan.json",
    ]
    assert "~ table" in (machine.folder / "summary").read_text()


def test_pr_01_a_preview_that_fails_is_no_update() -> None:
    """``preview | tee`` has tee's exit code unless the shell is told otherwise: the step names bash."""
    ((_, step),) = [(where, one) for where, one in steps() if one.get("name") == "Preview, and save the plan"]
    assert step["shell"] == "bash"


@pytest.mark.parametrize(("found", "told"), [("", "gh issue create"), ("5\n", "gh issue comment 5")])
def test_pr_01_drift_becomes_one_issue_per_stack(machine: Machine, found: str, told: str) -> None:
    # `pulumi install` works, the preview finds something
    (machine.folder / "bin" / "pulumi").write_text(
        '#!/bin/sh\necho "pulumi $*" >> "$CALLS"\nif [ "$1" = install ]; then exit 0; fi\necho "- queue"\nexit 255\n'
    )
    assert "- queue" in machine.run("drift", "Compare with AWS", STACK="prod")
    assert (machine.folder / "output").read_text() == "code=255\n"
    (machine.answers / "gh").write_text(found)
    machine.run("drift", "Open an issue, or add to the open one", STACK="prod")
    assert "--refresh --expect-no-changes" in machine.calls[1]
    assert machine.calls[-1].startswith(told)


def test_pr_01_a_pull_request_has_a_stack_and_loses_it(machine: Machine) -> None:
    machine.run("ephemeral", "Deploy the stack", STACK="pr-7")
    assert (machine.folder / "Pulumi.pr-7.yaml").read_text() == (PROJECT_DIR / "Pulumi.dev.yaml").read_text()
    machine.run("ephemeral", "Destroy the stack", STACK="pr-7")
    assert machine.calls == [
        "pulumi install",
        "pulumi stack select --create pr-7",
        "pulumi config set --stack pr-7 cqrs:forceDestroy true",
        "pulumi up --stack pr-7 --yes --non-interactive --color never",
        "pulumi install",
        "pulumi destroy --stack pr-7 --yes --non-interactive --color never --remove",
    ]


def test_pr_01_stacks_whose_time_is_over_are_destroyed_and_no_others(machine: Machine) -> None:
    (machine.answers / "pulumi").write_text(
        '[{"name": "prod", "lastUpdate": "2020-01-01T00:00:00.000Z"},'
        ' {"name": "pr-1", "lastUpdate": "2020-01-01T00:00:00.000Z"},'
        ' {"name": "pr-2", "lastUpdate": "2999-01-01T00:00:00.000Z"},'
        ' {"name": "pr-3", "lastUpdate": "2020-01-01T00:00:00.000Z", "updateInProgress": true},'
        ' {"name": "pr-x", "lastUpdate": "2020-01-01T00:00:00.000Z"}, {"name": "pr-4"}]'
    )
    machine.run("ephemeral", "Destroy what nobody has updated for so long", HOURS="24")
    destroyed = [call for call in machine.calls if " destroy " in call]
    assert [call.split()[3] for call in destroyed] == ["pr-1", "pr-4"]


def test_pr_01_a_stack_that_is_no_pull_request_s_is_refused(machine: Machine) -> None:
    script = machine.folder / ".github" / "scripts" / "ephemeral.sh"
    command = [str(script), "down", "prod"]
    done = subprocess.run(command, env=machine.env, cwd=machine.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "ephemeral.sh: down prod is not allowed; expected up pr-<number>" in done.stderr
    assert [call for call in machine.calls if "destroy" in call] == []


@pytest.mark.real
@pytest.mark.parametrize(
    ("tool", "command"),
    [("actionlint", []), ("zizmor", ["--offline", "--no-progress", "--config", ".github/zizmor.yml", ".github"])],
)
def test_pr_01_judged_by_others(tool: str, command: list[str]) -> None:
    """``python -m pip install zizmor``; ``go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12``."""
    found = shutil.which(tool)
    if found is None:
        pytest.skip(f"there is no {tool} on the PATH")
    done = subprocess.run([found, *command], cwd=PROJECT_DIR, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
