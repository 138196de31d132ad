"""ENG-03 without the engine: each configuration key has another value whose reach is known, and reaches just that."""

from __future__ import annotations

import yaml

from infra.configuration.stack_config import NAMESPACE
from tests.real.configuration import LEFT_OUT, OTHER, WITH
from tests.support.evaluation import PROJECT_DIR


def test_eng_03_every_key_is_changed_once() -> None:
    declared = yaml.safe_load((PROJECT_DIR / "Pulumi.yaml").read_text(encoding="utf-8"))["config"]
    keys = {key.removeprefix(f"{NAMESPACE}:") for key in declared}
    assert keys == {*OTHER, *LEFT_OUT}
    assert not OTHER.keys() & LEFT_OUT.keys()
    assert WITH.keys() <= OTHER.keys()
