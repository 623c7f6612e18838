"""Training the same network in numpy: prints the best milliseconds of a fit and microseconds of an RLS update as JSON.

Usage: train_numpy.py SECONDS STEPS UNITS ...
"""

import json
import sys
import time

import numpy as np

RIDGE = 1e-6
UPDATES = 20


def best(seconds: float, body) -> float:
    shortest = float("inf")
    end = time.perf_counter() + seconds
    while shortest == float("inf") or time.perf_counter() < end:
        start = time.perf_counter()
        body()
        shortest = min(shortest, time.perf_counter() - start)
    return shortest


def fit(units: int, steps: int):
    draw = np.random.default_rng(1)
    recurrent = (draw.uniform(-1, 1, (units, units)) * 0.9 * np.sqrt(3 / units)).astype(np.float32)
    w_in = draw.uniform(-1, 1, units).astype(np.float32)
    inputs = np.sin(np.arange(steps) / 7).astype(np.float32)

    def body():
        x = np.zeros(units, np.float32)
        states = np.empty((steps, units))
        for t, u in enumerate(inputs):
            x = np.tanh(recurrent @ x + w_in * u)
            states[t] = x
        centred = states - states.mean(0)
        gram = centred.T @ centred + RIDGE * np.eye(units)
        np.linalg.solve(gram, centred.T @ (inputs - inputs.mean()))

    return body


def recursive(units: int):
    x = np.random.default_rng(1).uniform(-1, 1, units)
    inverse, weights = np.eye(units) / RIDGE, np.zeros(units)

    def body():
        nonlocal inverse, weights
        for _ in range(UPDATES):
            y = inverse @ x
            d = 1 + x @ y
            inverse -= np.outer(y, y) / d
            weights += (1 - weights @ x) / d * y

    return body


if __name__ == "__main__":
    seconds, steps = float(sys.argv[1]), int(sys.argv[2])
    sizes = [int(size) for size in sys.argv[3:]]
    fits = [best(seconds, fit(units, steps)) * 1e3 for units in sizes]
    updates = [best(seconds, recursive(units)) / UPDATES * 1e6 for units in sizes]
    print(json.dumps({"fits": fits, "updates": updates}))
