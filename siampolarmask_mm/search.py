"""Search for a tracker's settings: those with the best J&F on videos made for tuning.

Only how a trained network is used is searched for; its weights stay.
"""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import MODELS
from mmengine.runner import Runner

if TYPE_CHECKING:
    import optuna

GOAL = 'davis/J&F-Mean'
HOOKS = ('runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler', 'checkpoint')


@dataclass(frozen=True)
class Setting:
    """One that is searched for.

    Attributes:
        key: in the config, such as ``model.decoder.reach``.
        lowest: value.
        highest: value.
        choices: the values, instead of a range.
    """

    key: str
    lowest: float = 0.0
    highest: float = 1.0
    choices: tuple = ()

    def suggest(self, trial: optuna.Trial) -> object:
        """A value to try."""
        if self.choices:
            return trial.suggest_categorical(self.key, self.choices)
        return trial.suggest_float(self.key, self.lowest, self.highest)


SETTINGS = (
    Setting('model.decoder.window_influence', 0.0, 0.6),
    Setting('model.decoder.penalty_k', 0.0, 0.3),
    Setting('model.decoder.update_rate', 0.2, 1.0),
    Setting('model.decoder.reach', 2.0, 6.0),
)


def read_setting(text: str) -> Setting:
    """``KEY=LOWEST:HIGHEST`` or ``KEY=A,B,...`` as a setting.

    Raises:
        ValueError: if it is neither.
    """
    key, equals, values = text.partition('=')
    try:
        if not (key and equals):
            raise ValueError
        if ':' in values:
            lowest, highest = (float(end) for end in values.split(':'))
            if not lowest < highest:
                raise ValueError
            return Setting(key, lowest, highest)
        choices = tuple(_read_choice(choice) for choice in values.split(','))
        if len(choices) < 2:
            raise ValueError
    except ValueError:
        raise ValueError(
            f'KEY=LOWEST:HIGHEST or KEY=A,B,... expected, got {text!r}'
        ) from None
    return Setting(key, choices=choices)


def _read_choice(text: str) -> object:
    known = dict(none=None, true=True, false=False)
    if text.lower() in known:
        return known[text.lower()]
    try:
        return float(text)
    except ValueError:
        return text


class Scorer:
    """Tests one network with different settings.

    Args:
        config: of the test; its DAVISMetric gives the score.
    """

    def __init__(self, config: Config) -> None:
        config = copy.deepcopy(config)
        evaluators = config.test_evaluator
        evaluators = evaluators if isinstance(evaluators, list) else [evaluators]
        metrics = [e for e in evaluators if e.type.rpartition('.')[2] == 'DAVISMetric']
        if len(metrics) != 1:
            raise ValueError(
                f'one DAVISMetric expected in test_evaluator, got {len(metrics)}'
            )
        # Nothing else is asked for, nor written.
        config.test_evaluator = dict(type='DAVISMetric', references=(), prefix='davis')
        config.default_hooks, config.custom_hooks = dict.fromkeys(HOOKS), []
        self._config = config
        self._runner = Runner.from_cfg(config)
        self._runner.load_or_resume()
        MMLogger.get_current_instance().setLevel(logging.WARNING)
        self._weights = copy.deepcopy(self._runner.model.state_dict())

    def __call__(self, settings: dict[str, object]) -> float:
        """J&F with these settings, by their keys."""
        config = copy.deepcopy(self._config)
        config.merge_from_dict(settings)
        model = MODELS.build(config.model)
        model.load_state_dict(self._weights)
        self._runner.model = self._runner.wrap_model(None, model)
        return float(self._runner.test_loop.run()[GOAL])


def search(
    test: Callable[[dict[str, object]], float],
    settings: Sequence[Setting],
    *,
    num_trials: int,
    seed: int = 0,
    storage: str | None = None,
    on_trial: Callable[[optuna.Study, optuna.trial.FrozenTrial], None] | None = None,
) -> optuna.Study:
    """Try settings, ever more often near good ones (Optuna's TPE).

    Args:
        test: gives the score of settings, by their keys.
        settings: to search for.
        num_trials: how many tests, those in ``storage`` counted.
        seed: of the search.
        storage: address of a database, ``sqlite:///search.db``, which lets a search go on.
        on_trial: called after each.

    Raises:
        ValueError: if ``storage`` has a search for other settings.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name='tracker', direction='maximize', storage=storage, load_if_exists=True
    )
    asked = json.loads(json.dumps([asdict(setting) for setting in settings]))
    if study.user_attrs.setdefault('settings', asked) != asked:
        raise ValueError(
            f'the settings that {storage} searches expected, '
            f'{study.user_attrs["settings"]}, got {asked}'
        )
    study.set_user_attr('settings', asked)
    done = len(study.get_trials(states=(optuna.trial.TrialState.COMPLETE,)))
    # Another seed than before, or a search that goes on would repeat itself.
    study.sampler = optuna.samplers.TPESampler(seed=seed + done)
    if done < num_trials:
        study.optimize(
            lambda trial: test({item.key: item.suggest(trial) for item in settings}),
            n_trials=num_trials - done,
            callbacks=[on_trial] if on_trial else None,
        )
    return study
