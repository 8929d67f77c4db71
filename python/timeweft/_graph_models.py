"""Models of a graph: trained, trained on, loaded."""

from __future__ import annotations

import json
import os
import tomllib
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, SupportsIndex, TypeAlias, cast

from . import _core
from ._train_progress import following
from .errors import ConfigError
from .model import Model

TrainProgress: TypeAlias = bool | Callable[[dict[str, Any]], object] | None
"""Whether progress is drawn; or what is called with the row of each epoch as soon as it is over."""


class Models:
    """Learning on a graph."""

    _core: _core.Graph

    @property
    def path(self) -> Path:
        """The directory."""
        return Path(self._core.path)

    def train(
        self,
        name: str = "default",
        *,
        target: str | Sequence[str] | None = None,
        config: Mapping[str, Any] | str | os.PathLike[str] | None = None,
        epochs: int | None = None,
        resume: bool = False,
        commit: int | None = None,
        progress: TrainProgress = None,
    ) -> Model:
        """Trains a model and keeps it in the graph's folder `models` under a name; one of that name is replaced once the
        new one is whole. It works on a graph that is open for reading, too, where that folder can be written.

        `target`: relations whose edges are predicted (or types of nodes that go, with `predict = "gone"`); all if left out.
        `config`: a dict of sections such as `{"model": {"width": 32}, "train": {"seed": 7}}`, or a TOML file; what is left
        out is as `timeweft train --print-config` prints it. `epochs`: passes over the training part. `commit`: train on
        the graph as it was known then. The latest links are never trained on: `model.evaluate()` ranks them.

        `resume=True` trains the model of this name on, to `epochs` in all, with the configuration that it has: the same
        bits as if it had never stopped.

        `progress`: `True` draws a line an epoch, `False` nothing; left out, it draws in notebooks and terminals. A callable
        gets a dict for each epoch: `epoch, loss, mrr, hits1, hits10` (of the validation links), `train_seconds,
        links_per_second`. An exception that it raises ends the training, and comes out.

        Ctrl-C ends the training after the batch at hand. The best epoch so far is kept under the name, and `StoppedError`,
        which is a `KeyboardInterrupt`, is raised; before the first epoch is over nothing is kept, and a model of that name stays
        as it is. Signals are looked for after each batch, at most each 50 ms.

        Raises `ConfigError` (which names the setting), `UnknownError` for a target that the graph does not have,
        `ModelError` if there is too little to learn from or the model cannot be written, `StoppedError`.

        >>> model = graph.train("links", target="buys", config={"model": {"width": 32}}, epochs=3)
        """
        with following(progress) as tell:
            if resume:
                given = {"target": target, "config": config}
                for argument, value in given.items():
                    if value is not None:
                        raise ConfigError(f"{argument}: a model that is trained on keeps its own: leave it out, or resume=False")
                if epochs is None:
                    raise ConfigError("epochs: say to how many in all the model is to be trained on")
                core = self._core.resume(name, _epochs(epochs), commit, tell)
            else:
                core = self._core.train(name, _settings(config, target, epochs), commit, tell)
        return _warned(Model(core, self))

    def models(self) -> list[str]:
        """Names of all models, sorted."""
        return self._core.models()

    def model(self, name: str = "default", *, commit: int | None = None) -> Model:
        """Loads a model. Its memory takes in what the graph has learned since it was trained.

        `commit`: read the graph as it was known then, before or after the training. Raises `ModelError` if there is no
        such model, its file is damaged, or it is of another graph.
        """
        return _warned(Model(self._core.model(name, commit), self))


def _warned(model: Model) -> Model:
    for warning in model._core.warnings():  # pyright: ignore[reportPrivateUsage]
        warnings.warn(warning, UserWarning, stacklevel=3)
    return model


def _epochs(epochs: object) -> int:
    if isinstance(epochs, bool) or not isinstance(epochs, SupportsIndex):
        raise ConfigError(f"epochs: expected a whole number from 1, not {epochs!r}")
    number = int(epochs.__index__())
    if number < 1:
        raise ConfigError(f"epochs: expected a whole number from 1, not {number}")
    return number


def _settings(
    config: Mapping[str, Any] | str | os.PathLike[str] | None,
    target: str | Sequence[str] | None,
    epochs: int | None,
) -> str:
    """A configuration as a JSON object of sections."""
    if config is None:
        sections: dict[str, Any] = {}
    elif isinstance(config, Mapping):
        sections = dict(config)
    else:
        sections = _toml(Path(config))
    train = sections.get("train", {})
    if isinstance(train, Mapping):
        train = dict(cast("Mapping[str, Any]", train))
        if target is not None:
            train["targets"] = [target] if isinstance(target, str) else list(target)
        if epochs is not None:
            train["epochs"] = _epochs(epochs)
        if train:
            sections["train"] = train
    try:
        return json.dumps(sections, default=_plain, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"config: {error}") from None


def _toml(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        try:
            return tomllib.load(file)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"config: {path}: {error}") from None


def _plain(value: Any) -> Any:
    """A value of NumPy as one of Python."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{value!r} is no value of a setting")
