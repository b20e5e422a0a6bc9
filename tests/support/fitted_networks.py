"""Classifiers that scikit-learn fits to its data set of tumours, exported as users do."""

from typing import Any

import numpy as np
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ai_exec.tensor import Tensor

FITTED = 400
"""Rows that classifiers are fitted to; they have not seen the others."""


def tumours() -> Tensor:
    """Give the rows that the classifiers have not seen."""
    rows: Tensor = load_breast_cancer().data[FITTED:].astype(np.float32)
    return rows


def exported(classifier: Any) -> bytes:
    """Fit a classifier; give its ONNX file, for all unseen rows at once."""
    known = load_breast_cancer()
    classifier.fit(known.data[:FITTED].astype(np.float32), known.target[:FITTED])
    declared = [("X", FloatTensorType(tumours().shape))]
    options = {"zipmap": False}
    model = to_onnx(classifier, initial_types=declared, options=options, target_opset=17)
    return bytes(model.SerializeToString())


def perceptron() -> bytes:
    """Give a scaler and two hidden layers."""
    layers = MLPClassifier((32, 16), max_iter=300, random_state=3)
    return exported(make_pipeline(StandardScaler(), layers))


def forest() -> bytes:
    """Give a random forest of 50 trees."""
    return exported(RandomForestClassifier(50, random_state=3))
