"""Runs steps in the order of their dependencies; independent steps run at the same time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from bootstrap.local.aws.cloudformation.store import Resource

WORKERS = 8

Graph = dict[str, set[str]]


class Failed(Exception):
    """Some resources failed; their events say why."""

    def __init__(self, names: list[str], reason: str = "") -> None:
        super().__init__(", ".join(names))
        self.names = names
        self.reason = reason

    def explain(self, verb: str, created: Collection[str] = ()) -> str:
        """The reason for the stack's event; resources in `created` failed to be created, in any operation."""
        sentences = []
        for step, names in (
            ("create", [name for name in self.names if name in created]),
            (verb, [name for name in self.names if name not in created]),
        ):
            if names:
                sentences.append(f"The following resource(s) failed to {step}: [{', '.join(names)}].")
        return self.reason or " ".join(sentences)


def sort_for_deletion(resources: Sequence[Resource]) -> list[Resource]:
    """Return resources in an order in which each is deleted before those that it depends on.

    Two resources may have one logical id, the replaced one and its replacement; what depends on that id depends on both.
    """
    remaining, sorted_resources = list(resources), []
    while remaining:
        needed = {need for resource in remaining for need in resource.depends if need != resource.logical_id}
        free = [resource for resource in remaining if resource.logical_id not in needed] or remaining
        sorted_resources += sorted(free, key=lambda resource: resource.logical_id)
        remaining = [resource for resource in remaining if not any(resource is one for one in free)]
    return sorted_resources


def run(
    graph: Graph,
    work: Callable[[str], None],
    *,
    name: str,
    halts: Callable[[bool], bool],
    explain: Callable[[str, BaseException], None],
) -> None:
    """Call `work` for every node, after the nodes that it needs. Raises Failed if a node failed or was not reached.

    The work of a node that depends on a failed one does not begin. While `halts(has_failed)` is True, no new work begins;
    `explain` is called for each failure.
    """
    waiting = {node: set(needs) for node, needs in graph.items()}
    running: dict[Future[None], str] = {}
    failed: list[str] = []
    with ThreadPoolExecutor(WORKERS, thread_name_prefix=name) as pool:
        while True:
            for node in [] if halts(bool(failed)) else [node for node, needs in waiting.items() if not needs]:
                del waiting[node]
                running[pool.submit(work, node)] = node
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                node, failure = running.pop(future), future.exception()
                if failure is not None:
                    failed.append(node)
                    explain(node, failure)
                else:
                    for needs in waiting.values():
                        needs.discard(node)
    if failed or waiting:
        raise Failed(failed)
