"""Scores that name a config, held against it: contract 3.4."""

from collections.abc import Mapping
from dataclasses import replace

from heliograph.domain.score_configs import ScoreConfig
from ingestion import score_rules
from ingestion.score_rules import Item, Rejected
from ingestion.scores import DecodedScores, InvalidScore, ScoreBody

Configs = Mapping[str, ScoreConfig]


def checked(decoded: DecodedScores, configs: Configs) -> DecodedScores:
    """The same request, its scores as their configs say they are; those that cannot be so are invalid.

    Args:
        decoded: the scores of a request.
        configs: by id, all that exist of those that the scores name.
    """
    bodies: dict[int, ScoreBody] = dict(enumerate(decoded.bodies))
    invalid = list(decoded.invalid)
    for configured in decoded.configured:
        try:
            bodies[configured.place] = as_configured(bodies[configured.place], configured.item, configs)
        except Rejected as rejected:
            del bodies[configured.place]
            invalid.append(InvalidScore(configured.index, rejected.field, rejected.reason))
    return replace(decoded, bodies=list(bodies.values()), invalid=sorted(invalid, key=lambda each: each.index))


def config_ids(decoded: DecodedScores) -> set[str]:
    """The configs that the scores of a request name."""
    return {decoded.bodies[each.place].config_id for each in decoded.configured}


def as_configured(body: ScoreBody, item: Item, configs: Configs) -> ScoreBody:
    """The score with the type and the number that its config gives it.

    Args:
        body: the score, validated without its config.
        item: what was sent.
        configs: by id.

    Raises:
        Rejected: it breaks a rule of its config.
    """
    config = configs.get(body.config_id)
    if config is None:
        raise Rejected("configId", f"names no score config of this project: {body.config_id!r}")
    if config.is_archived:
        raise Rejected("configId", f"names the config {config.name!r}, which is archived: restore it first")
    if body.name != config.name:
        raise Rejected("name", f"must be {config.name!r}, as the score config says")
    if item.get("dataType") and item["dataType"] != config.data_type:
        raise Rejected("dataType", f"must be {config.data_type}, as the score config says")
    data_type, value, text = score_rules.typed_value({**item, "dataType": config.data_type})
    return replace(body, data_type=data_type, value=_value(config, value, text), text=text)


def _value(config: ScoreConfig, value: float, text: str) -> float:
    if config.data_type == score_rules.NUMERIC:
        if config.min_value is not None and value < config.min_value:
            raise Rejected("value", f"must be at least {config.min_value:g}, as the score config says")
        if config.max_value is not None and value > config.max_value:
            raise Rejected("value", f"must be at most {config.max_value:g}, as the score config says")
    if config.data_type == score_rules.CATEGORICAL:
        number = config.number_of(text)
        if number is None:
            labels = ", ".join(repr(category.label) for category in config.categories)
            raise Rejected("value", f"must be one of {labels}, as the score config says")
        return number
    return value
