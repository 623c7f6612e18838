"""The same network in numpy, f32: prints the best microseconds of one step of one series as JSON.

Usage: esn_numpy.py SECONDS UNITSxSERIES ...
"""

import json
import sys
import time

import numpy as np

STEPS = 16


def best(units: int, series: int, seconds: float) -> float:
    draw = np.random.default_rng(1)
    recurrent = (draw.uniform(-1, 1, (units, units)) * 0.9 * np.sqrt(3 / units)).astype(np.float32)
    w_in = draw.uniform(-1, 1, (units, 1)).astype(np.float32)
    bias = np.zeros((units, 1), np.float32)
    inputs = np.sin(np.arange(STEPS) / 7).astype(np.float32)
    x = np.zeros((units, series), np.float32)
    shortest = float("inf")
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        for u in inputs:
            x = np.tanh(recurrent @ x + (w_in * u + bias))
        shortest = min(shortest, time.perf_counter() - start)
    return shortest / STEPS / series * 1e6


if __name__ == "__main__":
    shapes = [tuple(map(int, shape.split("x"))) for shape in sys.argv[2:]]
    print(json.dumps([best(units, series, float(sys.argv[1])) for units, series in shapes]))
