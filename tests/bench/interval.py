"""Differences of paired boots, and how certain their median is. For boots.py and page.py."""

import math
import statistics


def differences(times, pair):
    """Of each round: how many microseconds the boot with earlybind took longer."""
    return [ours - other for ours, other in zip(times[pair[0]], times[pair[1]])]


def interval(values):
    """Median, and the bounds between which the true one is with at least 95 % certainty.

    They are the K-th smallest and the K-th largest value, and nothing is supposed of how the values
    are spread: each is above the true median or below it, as a coin falls (the sign test).
    """
    count, low = len(values), 0
    ranked = sorted(values)
    while sum(math.comb(count, i) for i in range(low + 2)) / 2 ** count <= 0.025:
        low += 1
    return statistics.median(ranked), ranked[low], ranked[count - 1 - low]
