"""One network per module, whose options a test changes."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from living_network import HEAD, Open

from bootstrap import launch
from bootstrap.context import Context
from bootstrap.environment import settings
from bootstrap.preconditions import host_inputs, network_removal, stack_inputs
from bootstrap.runs.journal import Run, start
from tests.aws.conftest import Cloud


@pytest.fixture(scope="module")
def opened(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Opens the one environment of this module with the options below 'network'."""
    folder = tmp_path_factory.mktemp("environments")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(host_inputs, "take_snapshot", lambda _: SimpleNamespace(label="commit"))
        for name, value in cloud.environment.items():
            patch.setenv(name, value)

        def run(options: str) -> tuple[Context, Run]:
            path = folder / "living.yaml"
            path.write_text(HEAD + options)
            made = Context(path, settings.load(path), cloud.endpoint)
            return made, start(folder / "runs", as_json=False, is_verbose=False)

        context, first = run("")
        launch.launch_stacks(context, first, stack_inputs.list_network_stacks(context))
        yield run
        context, last = run("")
        network_removal.destroy(context, last)
