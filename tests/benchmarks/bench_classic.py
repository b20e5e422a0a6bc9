"""Pipelines of scikit-learn against plain onnxruntime on one thread, in one process, by turns."""

import argparse
import os
import sys
import warnings
from collections.abc import Callable
from fnmatch import fnmatch
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np
from skl2onnx import to_onnx
from sklearn import (
    cluster,
    datasets,
    ensemble,
    gaussian_process,
    linear_model,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    svm,
)

import ai_exec
from ai_exec.workers.child import ONE_THREAD
from tests.benchmarks.bench_inference import session

BATCHES = (1, 64, 1000)
RATIO_MAX = 3.0
ROUNDS = 12
ROUND_SECONDS = 0.02
SEED: dict[str, Any] = {"random_state": 0}
TARGETS = {"": 18, "ai.onnx.ml": 3}
Make = Callable[[], Any]
MODELS: dict[str, tuple[Make, str]] = {
    "forest, 100 trees of depth 10": (
        lambda: ensemble.RandomForestClassifier(100, max_depth=10, **SEED),
        "digits",
    ),
    "forest, 100 trees": (lambda: ensemble.RandomForestClassifier(100, **SEED), "digits"),
    "regression forest, 100 trees": (
        lambda: ensemble.RandomForestRegressor(100, **SEED),
        "diabetes",
    ),
    "histogram boosting, two labels": (
        lambda: ensemble.HistGradientBoostingClassifier(max_iter=100, **SEED),
        "cancer",
    ),
    "histogram boosting, ten labels": (
        lambda: ensemble.HistGradientBoostingClassifier(max_iter=30, **SEED),
        "digits",
    ),
    "histogram boosting, regression": (
        lambda: ensemble.HistGradientBoostingRegressor(max_iter=100, **SEED),
        "diabetes",
    ),
    "SVC rbf, ten labels": (svm.SVC, "digits"),
    "SVC rbf, two labels": (svm.SVC, "cancer"),
    "SVR rbf": (lambda: svm.SVR(C=10), "diabetes"),
    "linear regression": (linear_model.LinearRegression, "diabetes"),
    "logistic regression, ten labels": (
        lambda: linear_model.LogisticRegression(max_iter=200),
        "digits",
    ),
    "scaler, logistic regression": (
        lambda: pipeline.make_pipeline(
            preprocessing.StandardScaler(), linear_model.LogisticRegression()
        ),
        "cancer",
    ),
    "nearest neighbours": (neighbors.KNeighborsClassifier, "digits"),
    "perceptron, 64 hidden": (
        lambda: neural_network.MLPClassifier((64,), max_iter=20, **SEED),
        "digits",
    ),
    "Gaussian process": (
        lambda: gaussian_process.GaussianProcessRegressor(alpha=1.0),
        "diabetes",
    ),
    "k-means": (lambda: cluster.KMeans(10, n_init=1, **SEED), "digits"),
}
"""What makes each model, and the data that it is trained on."""


def data(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Give features and targets of a data set that scikit-learn brings along."""
    loaders = {
        "cancer": datasets.load_breast_cancer,
        "digits": datasets.load_digits,
        "diabetes": datasets.load_diabetes,
    }
    x, y = loaders[name](return_X_y=True)
    return x.astype(np.float32), y


def exported(name: str) -> tuple[bytes, np.ndarray]:
    """Train a model and give its export and the features it was trained on."""
    make, source = MODELS[name]
    x, y = data(source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator = make().fit(x, y)
        options = {"zipmap": False} if hasattr(estimator, "classes_") else None
        model = to_onnx(estimator, x[:1], options=options, target_opset=TARGETS)
    return model.SerializeToString(), x


def least(first: Callable[[], object], second: Callable[[], object]) -> tuple[float, float]:
    """Give the least microseconds of a call of each, by turns."""
    best = [float("inf")] * 2
    for _ in range(ROUNDS):
        for index, call in enumerate((first, second)):
            end, now = perf_counter() + ROUND_SECONDS, 0.0
            while now < end:
                start = perf_counter()
                call()
                now = perf_counter()
                best[index] = min(best[index], (now - start) * 1e6)
    return best[0], best[1]


def compare(name: str) -> list[float]:
    """Print the times of one model by batch, its bits checked; give the ratios."""
    model, x = exported(name)
    plain = session(model)
    ratios = []
    for batch in BATCHES:
        rows = {plain.get_inputs()[0].name: np.resize(x, (batch, x.shape[1]))}
        bounds = {f"{key}.0": batch for key in rows}
        admission = ai_exec.admit(model, bounds=bounds)
        assert admission.program is not None, admission.reasons
        fast = ai_exec.compile(admission.program, "fast")
        expected = ai_exec.compile(admission.program, "reference").run(rows)
        found = fast.run(rows)
        assert all(found[key].tobytes() == expected[key].tobytes() for key in expected)
        theirs, ours = least(partial(plain.run, None, rows), partial(fast.run, rows))
        ratios.append(ours / theirs)
        gas = admission.cost / 1000
        missed = "" if ratios[-1] <= RATIO_MAX else f"  missed: at most {RATIO_MAX}"
        print(
            f"  {name:32} {batch:5} {theirs:10.1f} us {ours:10.1f} us {ratios[-1]:7.2f} x"
            f"  {ours / gas:5.2f} us per 1000 gas{missed}",
            flush=True,
        )
    return ratios


def main() -> None:
    """Print runs of each model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="*", metavar="PATTERN")
    options = parser.parse_args()
    print("onnxruntime and the fast engine, one thread, least time of a call, by rows of a batch")
    for name in [name for name in MODELS if fnmatch(name, options.only)]:
        compare(name)


if __name__ == "__main__":
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        # numpy reads these when it is loaded, so the program starts again with them.
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_THREAD})
    main()
