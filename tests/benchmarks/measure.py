"""Medians of interleaved runs, printed as ratios: machines differ and are shared, ratios of one session are comparable."""

import statistics
import time
from collections.abc import Callable, Mapping


def compare(title: str, runs: Mapping[str, Callable[[], object]], *, rounds: int = 5) -> dict[str, float]:
    """Run each once to warm up, then all in turn for `rounds`; print each median and its ratio to the first."""
    for run in runs.values():
        run()
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            begun = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - begun)
    medians = {name: statistics.median(taken) for name, taken in seconds.items()}
    floor = next(iter(medians.values()))
    print(f"\n{title} (medians of {rounds})")
    for name, median in medians.items():
        print(f"  {name:<52} {median:8.3f} s   {median / floor:6.2f} x")
    return medians
