"""AdamW that keeps a moving average of the weights beside them (Polyak and Juditsky 1992)."""

from collections.abc import Sequence
from typing import Any

import keras


class AveragingAdamW(keras.optimizers.AdamW):
    """Keras puts the averages in the weights' place whenever a `fit` ends; ours end with every epoch, and go on."""

    def finalize_variable_values(self, var_list: Sequence[Any]) -> None:
        """Leave the weights as they are."""

    def put_averages(self, variables: Sequence[Any]) -> None:
        """Put the averages in the variables' place; nothing happens without averaging."""
        super().finalize_variable_values(variables)
