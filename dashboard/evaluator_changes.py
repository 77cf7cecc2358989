"""What people change of the evaluators of a project: their versions, and the model that judges ask by default."""

from dashboard.mandate import Mandate
from heliograph.domain import project_evaluators
from heliograph.domain.project_evaluators import Definition, ModelChoice, ProjectEvaluator
from storage.postgres.connection import Database
from storage.postgres.evaluators import Evaluators

EVALUATORS, DEFAULT_MODEL = "evalTemplate:CUD", "evalDefaultModel:CUD"


class EvaluatorChanges:
    """The changes that one user may make; each raises RoleInsufficient when the role lacks its scope."""

    def __init__(self, database: Database, mandate: Mandate) -> None:
        self._mandate = mandate
        self._evaluators = Evaluators(database, mandate.project.id)

    async def save(self, name: str, definition: Definition) -> ProjectEvaluator:
        """Keep the next version of the evaluator of this name, which may be its first.

        Raises:
            InvalidRequest: it cannot be kept so.
            NameConflict: the evaluator of this name is of the other type.
        """
        await self._mandate.act(EVALUATORS)
        project_evaluators.check(name, definition)
        return await self._evaluators.save(name, definition)

    async def delete(self, evaluator_id: str) -> None:
        """Delete an evaluator with its versions and the rules that have no other; raises EvaluatorNotFound."""
        await self._mandate.act(EVALUATORS)
        await self._evaluators.delete(evaluator_id)

    async def set_default_model(self, model: ModelChoice | None) -> None:
        """Have judges that name no model ask this one, or none."""
        await self._mandate.act(DEFAULT_MODEL)
        await self._evaluators.set_default_model(model)
