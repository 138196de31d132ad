"""Which folders of a stack an operator's command can import handlers from."""

from __future__ import annotations

from pathlib import Path

from cli.operate.collaborators import application_folders


def test_folders_are_those_of_the_stacks_file(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text("config:\n  cqrs:applicationPackages: [src/acme, other]\n  cqrs:logLevel: INFO\n")
    assert application_folders(file) == ["src/acme", "other"]
    for text in ("", "config:\n", "config: {a: 1}\n", "- 1\n", "a: [\n"):
        file.write_text(text)
        assert application_folders(file) == []
    assert application_folders(tmp_path / "Pulumi.none.yaml") == []
