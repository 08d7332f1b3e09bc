"""Runs work in the order of its dependencies, what is independent side by side."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

WORKERS = 8

Graph = dict[str, set[str]]


class Failed(Exception):
    """Some resources failed; their events say why."""

    def __init__(self, names: list[str], reason: str = "") -> None:
        super().__init__(", ".join(names))
        self.names = names
        self.reason = reason

    def words(self, verb: str, created: Collection[str] = ()) -> str:
        """The stack event's reason; those of `created` failed to be created, whatever the operation."""
        said = []
        for what, names in (
            ("create", [name for name in self.names if name in created]),
            (verb, [name for name in self.names if name not in created]),
        ):
            if names:
                said.append(f"The following resource(s) failed to {what}: [{', '.join(names)}].")
        return self.reason or " ".join(said)


def run(
    graph: Graph,
    work: Callable[[str], None],
    *,
    name: str,
    halts: Callable[[bool], bool],
    explain: Callable[[str, BaseException], None],
) -> None:
    """Do `work` for every node after those that it needs. Raises Failed when one failed or was not reached.

    What depends on a failed node is not begun. `halts(failed)` is asked before anything new is begun; `explain` is told of
    each failure.
    """
    left = {node: set(needs) for node, needs in graph.items()}
    running: dict[Future[None], str] = {}
    failed: list[str] = []
    with ThreadPoolExecutor(WORKERS, thread_name_prefix=name) as pool:
        while True:
            for node in [] if halts(bool(failed)) else [node for node, needs in left.items() if not needs]:
                del left[node]
                running[pool.submit(work, node)] = node
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                node, failure = running.pop(future), future.exception()
                if failure is not None:
                    failed.append(node)
                    explain(node, failure)
                else:
                    for needs in left.values():
                        needs.discard(node)
    if failed or left:
        raise Failed(failed)
