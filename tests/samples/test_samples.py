"""The samples of ``handlers/domain`` are those that are packaged only where a stack names them."""

from __future__ import annotations

from infra.packaging import DOMAIN, SAMPLES, archive_members
from local.runtime import PROJECT_DIR

FOLDER = DOMAIN.replace(".", "/")


def test_every_module_of_the_domain_is_a_sample_here() -> None:
    names = {
        name.removeprefix(f"{FOLDER}/").partition(".")[0] for name in archive_members(PROJECT_DIR) if FOLDER in name
    }
    assert names - {"__init__"} == SAMPLES
