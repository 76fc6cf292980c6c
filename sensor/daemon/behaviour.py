"""What encrypted sessions are judged by, from its section of the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor.behaviour.judge import Thresholds
from sensor.intake.block_times import read_block_times
from sensor.line.judged_session import BehaviourRules

if TYPE_CHECKING:
    from sensor.settings.sections import BehaviourSettings


def behaviour_rules(settings: BehaviourSettings) -> BehaviourRules:
    """The rules, with the blocks of all files. Raises BlockFileError."""
    blocks_ns = {coin.upper(): read_block_times(path) for coin, path in settings.blocks.items()}
    return BehaviourRules(Thresholds(settings.grammar_chance, settings.beat_chance), blocks_ns)
