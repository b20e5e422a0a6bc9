"""Pipelines of scikit-learn, exported as they are: admitted, near to scikit-learn's answers."""

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import onnxruntime
import pytest
from skl2onnx import to_onnx
from sklearn import (
    cluster,
    datasets,
    decomposition,
    discriminant_analysis,
    ensemble,
    feature_selection,
    gaussian_process,
    impute,
    linear_model,
    mixture,
    naive_bayes,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    svm,
    tree,
)

import ai_exec

SEED: dict[str, Any] = {"random_state": 0}
ROWS = 24


def scaled(*steps: Any) -> Any:
    return pipeline.make_pipeline(preprocessing.StandardScaler(), *steps)


def logistic(*steps: Any) -> Any:
    return pipeline.make_pipeline(*steps, linear_model.LogisticRegression(max_iter=400))


CLASSIFIERS: dict[str, tuple[Callable[[], Any], str]] = {
    "StandardScaler, LogisticRegression": (lambda: scaled(logistic()), "iris"),
    "MinMaxScaler, LogisticRegression": (lambda: logistic(preprocessing.MinMaxScaler()), "cancer"),
    "MaxAbsScaler, RidgeClassifier": (
        lambda: pipeline.make_pipeline(
            preprocessing.MaxAbsScaler(), linear_model.RidgeClassifier()
        ),
        "wine",
    ),
    "RobustScaler, SGDClassifier": (
        lambda: pipeline.make_pipeline(
            preprocessing.RobustScaler(), linear_model.SGDClassifier(loss="log_loss", **SEED)
        ),
        "cancer",
    ),
    "SimpleImputer, DecisionTreeClassifier": (
        lambda: pipeline.make_pipeline(
            impute.SimpleImputer(), tree.DecisionTreeClassifier(max_depth=4, **SEED)
        ),
        "wine",
    ),
    "Normalizer": (lambda: logistic(preprocessing.Normalizer()), "iris"),
    "Binarizer": (lambda: logistic(preprocessing.Binarizer(threshold=3.0)), "iris"),
    "PCA": (lambda: logistic(decomposition.PCA(3)), "wine"),
    "SelectKBest": (lambda: logistic(feature_selection.SelectKBest(k=2)), "iris"),
    "PolynomialFeatures": (lambda: scaled(logistic(preprocessing.PolynomialFeatures(2))), "iris"),
    "RandomForestClassifier": (lambda: ensemble.RandomForestClassifier(7, **SEED), "digits"),
    "RandomForestClassifier of two": (lambda: ensemble.RandomForestClassifier(7, **SEED), "cancer"),
    "ExtraTreesClassifier": (lambda: ensemble.ExtraTreesClassifier(7, **SEED), "wine"),
    "GradientBoostingClassifier": (
        lambda: ensemble.GradientBoostingClassifier(n_estimators=4, **SEED),
        "wine",
    ),
    "GradientBoostingClassifier of two": (
        lambda: ensemble.GradientBoostingClassifier(n_estimators=4, **SEED),
        "cancer",
    ),
    "HistGradientBoostingClassifier": (
        lambda: ensemble.HistGradientBoostingClassifier(max_iter=3, **SEED),
        "wine",
    ),
    "AdaBoostClassifier": (lambda: ensemble.AdaBoostClassifier(n_estimators=3, **SEED), "iris"),
    "BaggingClassifier": (lambda: ensemble.BaggingClassifier(n_estimators=3, **SEED), "iris"),
    "SVC": (lambda: scaled(svm.SVC()), "wine"),
    "SVC of two": (lambda: scaled(svm.SVC()), "cancer"),
    "SVC, probabilities": (lambda: scaled(svm.SVC(probability=True, **SEED)), "iris"),
    "SVC poly": (lambda: scaled(svm.SVC(kernel="poly")), "iris"),
    "SVC sigmoid": (lambda: scaled(svm.SVC(kernel="sigmoid")), "iris"),
    "SVC linear": (lambda: scaled(svm.SVC(kernel="linear")), "iris"),
    "KNeighborsClassifier": (lambda: scaled(neighbors.KNeighborsClassifier()), "iris"),
    "MLPClassifier": (
        lambda: scaled(neural_network.MLPClassifier((8,), max_iter=60, **SEED)),
        "wine",
    ),
    "GaussianNB": (naive_bayes.GaussianNB, "iris"),
    "BernoulliNB": (naive_bayes.BernoulliNB, "iris"),
    "MultinomialNB": (naive_bayes.MultinomialNB, "iris"),
    "LinearDiscriminantAnalysis": (
        discriminant_analysis.LinearDiscriminantAnalysis,
        "wine",
    ),
    "QuadraticDiscriminantAnalysis": (
        discriminant_analysis.QuadraticDiscriminantAnalysis,
        "iris",
    ),
    "GaussianMixture": (lambda: mixture.GaussianMixture(3, **SEED), "iris"),
}
REGRESSORS: dict[str, Callable[[], Any]] = {
    "LinearRegression": linear_model.LinearRegression,
    "Ridge": lambda: scaled(linear_model.Ridge()),
    "ElasticNet": linear_model.ElasticNet,
    "PoissonRegressor": linear_model.PoissonRegressor,
    "DecisionTreeRegressor": lambda: tree.DecisionTreeRegressor(max_depth=5, **SEED),
    "RandomForestRegressor": lambda: ensemble.RandomForestRegressor(5, **SEED),
    "ExtraTreesRegressor": lambda: ensemble.ExtraTreesRegressor(5, **SEED),
    "GradientBoostingRegressor": lambda: ensemble.GradientBoostingRegressor(n_estimators=8, **SEED),
    "AdaBoostRegressor": lambda: ensemble.AdaBoostRegressor(n_estimators=3, **SEED),
    "SVR": lambda: scaled(svm.SVR(C=10)),
    "NuSVR poly": lambda: scaled(svm.NuSVR(kernel="poly")),
    "LinearSVR": svm.LinearSVR,
    "KNeighborsRegressor": neighbors.KNeighborsRegressor,
    "MLPRegressor": lambda: scaled(
        neural_network.MLPRegressor(hidden_layer_sizes=(8,), max_iter=40, **SEED)
    ),
    "GaussianProcessRegressor": lambda: gaussian_process.GaussianProcessRegressor(alpha=1.0),
}
OTHERS: dict[str, Callable[[], Any]] = {
    "KMeans": lambda: scaled(cluster.KMeans(3, n_init=1, **SEED)),
    "IsolationForest": lambda: ensemble.IsolationForest(n_estimators=5, **SEED),
    "OneClassSVM": svm.OneClassSVM,
    "PCA": lambda: decomposition.PCA(2),
    "TruncatedSVD": lambda: decomposition.TruncatedSVD(2),
    "OneHotEncoder": preprocessing.OneHotEncoder,
    "OrdinalEncoder": preprocessing.OrdinalEncoder,
    "KBinsDiscretizer": lambda: preprocessing.KBinsDiscretizer(
        3, encode="ordinal", quantile_method="averaged_inverted_cdf"
    ),
}


@cache
def data(name: str) -> tuple[np.ndarray, np.ndarray]:
    loaders = {
        "iris": datasets.load_iris,
        "wine": datasets.load_wine,
        "cancer": datasets.load_breast_cancer,
        "digits": datasets.load_digits,
        "diabetes": datasets.load_diabetes,
    }
    x, y = loaders[name](return_X_y=True)
    return x.astype(np.float32), y


def ours(model: Any, x: np.ndarray) -> list[np.ndarray]:
    """Admit an export unchanged and run it by both engines, which agree in every bit."""
    encoded = model.SerializeToString()
    name = model.graph.input[0].name
    admission = ai_exec.admit(encoded, bounds={f"{name}.0": len(x)})
    assert admission.reasons == ()
    found = ai_exec.compile(admission.program, "reference").run({name: x})
    fast = ai_exec.compile(admission.program, "fast").run({name: x})
    assert {k: v.tobytes() for k, v in fast.items()} == {k: v.tobytes() for k, v in found.items()}
    return list(found.values())


def theirs(model: Any, x: np.ndarray) -> list[Any]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return list(session.run(None, {model.graph.input[0].name: x}))


def exported(estimator: Any, x: np.ndarray, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        last = estimator[-1] if isinstance(estimator, pipeline.Pipeline) else estimator
        if isinstance(last, pipeline.Pipeline):
            last = last[-1]
        wanted = {id(last): options} if options else None
        targets = {"": 18, "ai.onnx.ml": 3}
        return to_onnx(estimator, x[:1], options=wanted, target_opset=targets)


def fitted(estimator: Any, *given: np.ndarray) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return estimator.fit(*given)


def near(found: np.ndarray, expected: np.ndarray, within: float = 2e-5) -> None:
    scale = float(np.abs(expected).max())
    np.testing.assert_allclose(found.reshape(expected.shape), expected, atol=within * scale)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers(name: str) -> None:
    build, source = CLASSIFIERS[name]
    x, y = data(source)
    estimator, x = fitted(build(), x, y), x[:: len(x) // ROWS]
    plain = {} if name == "GaussianMixture" else {"zipmap": False}
    model = exported(estimator, x, **plain)

    labels, scores = ours(model, x)
    assert labels.reshape(-1).tolist() == estimator.predict(x).tolist()
    expected = theirs(model, x)
    assert labels.tolist() == expected[0].tolist()
    near(scores, expected[1])
    if hasattr(estimator, "predict_proba"):
        near(scores, estimator.predict_proba(x))
    if plain:
        zipped = exported(estimator, x)
        assert [array.tobytes() for array in ours(zipped, x)] == [
            array.tobytes() for array in (labels, scores)
        ]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", REGRESSORS)
def test_regressors(name: str) -> None:
    x, y = (part[::4] for part in data("diabetes"))
    estimator, x = fitted(REGRESSORS[name](), x, y), x[:: len(x) // ROWS]
    model = exported(estimator, x)

    (found,) = ours(model, x)
    near(found, estimator.predict(x))
    near(found, theirs(model, x)[0])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", OTHERS)
def test_others(name: str) -> None:
    x, y = data("iris")
    x = x.astype(np.int64) if name == "OneHotEncoder" else np.rint(x) if "Enc" in name else x
    estimator, x = fitted(OTHERS[name](), x, y), x[:: len(x) // ROWS]
    model = exported(estimator, x)

    found = ours(model, x)
    if hasattr(estimator, "predict"):
        assert found[0].reshape(-1).tolist() == estimator.predict(x).tolist()
    else:
        expected = estimator.transform(x)
        near(found[0], expected.toarray() if hasattr(expected, "toarray") else expected)
