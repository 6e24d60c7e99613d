"""A model behind the port that is a language model, through pydantic-ai."""

from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel
from pydantic_ai import Agent, ModelRetry
from pydantic_ai.exceptions import AgentRunError

from cortex.errors import ModelAnswerError
from cortex.models.answers import (
    AnswerProblemError,
    ChangeAnswer,
    PlanAnswer,
    ReviewAnswer,
    to_change_set,
    to_plan,
    to_review,
)
from cortex.models.metered import MeteredModel
from cortex.models.offline_review import facts_against
from cortex.models.port import (
    ChangeRequest,
    ChangeSet,
    Plan,
    PlanRequest,
    Review,
    ReviewRequest,
)
from cortex.models.prompts import (
    CHANGE_INSTRUCTIONS,
    PLAN_INSTRUCTIONS,
    REVIEW_INSTRUCTIONS,
    change_prompt,
    plan_prompt,
    review_prompt,
)

MAX_ANSWERS = 3
"""How often a model may answer before its answer counts as useless."""

_USELESS = f"{MAX_ANSWERS} answers in a row did not fit what was asked"

_Answer = TypeVar("_Answer", bound=BaseModel)
_Result = TypeVar("_Result")


class LanguageModel:
    """Asks a language model, and asks again where its answer does not fit.

    Budget, retries and reports are the MeteredModel's.
    """

    def __init__(self, name: str, description: str, metered: MeteredModel) -> None:
        self._name = name
        self._description = description
        self._metered = metered

    @property
    def name(self) -> str:
        """See Model."""
        return self._name

    @property
    def description(self) -> str:
        """See Model."""
        return self._description

    def rules_for(self, task: str) -> tuple[str, ...]:
        """None: a language model takes the findings that the repository's configuration gives."""
        del task
        return ()

    async def plan(self, request: PlanRequest) -> Plan:
        """See Model."""
        prompt = plan_prompt(request)
        return await self._ask(
            PlanAnswer, PLAN_INSTRUCTIONS, prompt, lambda answer: to_plan(answer, request)
        )

    async def change(self, request: ChangeRequest) -> ChangeSet:
        """See Model."""
        prompt = change_prompt(request)
        return await self._ask(
            ChangeAnswer, CHANGE_INSTRUCTIONS, prompt, lambda answer: to_change_set(answer, request)
        )

    async def review(self, request: ReviewRequest) -> Review:
        """See Model; a change that a check shows to be broken is sent back without asking."""
        reasons = facts_against(request)
        if reasons:
            return Review(
                accepted=False,
                reasons=tuple(reasons),
                rationale=f"the checks speak against it: {'; '.join(reasons)}",
                rejected_alternatives=(f"asking the model what it thinks of it: {reasons[0]}",),
                confidence=1.0,
            )
        return await self._ask(ReviewAnswer, REVIEW_INSTRUCTIONS, review_prompt(request), to_review)

    async def _ask(
        self,
        shape: type[_Answer],
        instructions: str,
        prompt: str,
        convert: Callable[[_Answer], _Result],
    ) -> _Result:
        agent = Agent(
            self._metered,
            output_type=shape,
            instructions=instructions,
            retries={"output": MAX_ANSWERS - 1},
        )

        @agent.output_validator
        def check(answer: _Answer) -> _Answer:
            try:
                convert(answer)
            except AnswerProblemError as error:
                raise ModelRetry(str(error)) from error
            return answer

        try:
            result = await agent.run(prompt)
        except AgentRunError:
            # The library's text may hold what the model wrote; ours holds what happened.
            raise ModelAnswerError(model=self._name, reason=_USELESS) from None
        return convert(result.output)
