"""The platform's own traces, those of judges' calls above all, which have environments of their own."""

from heliograph.domain.filters import AnyOf, Expression, NotOf, TextCondition

# Where calls of judges are traced; nothing in it is judged, or a run would judge its own judges.
JUDGES_ENVIRONMENT = "langfuse-llm-as-a-judge"
# What senders name so is stored without the prefix.
_PREFIX, _OF_SENDERS = "langfuse-", "llm-as-a-judge"
# Experiments exist to be judged and looked at, though the platform makes them.
_COUNTED_ALL_THE_SAME = "langfuse-prompt-experiment"


def _without_own() -> Expression:
    starts = TextCondition(type="string", column="environment", operator="starts with", value=_PREFIX)
    sent = TextCondition(type="string", column="environment", operator="=", value=_OF_SENDERS)
    own = AnyOf(type="or", conditions=(starts, sent))
    counted = TextCondition(type="string", column="environment", operator="=", value=_COUNTED_ALL_THE_SAME)
    return AnyOf(type="or", conditions=(NotOf(type="not", condition=own), counted))


# What a trace, an observation or a score is that the platform has not made itself.
WITHOUT_OWN = _without_own()
