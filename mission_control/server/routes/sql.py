"""Questions in SQL, as a reader."""

from fastapi import APIRouter, Response

from mission_control.server import questions
from mission_control.server.desk import AtDesk
from mission_control.server.models import SqlQuestion, SqlResult

router = APIRouter(tags=["sql"])


@router.post("/sql", response_model=SqlResult)
def sql(desk: AtDesk, question: SqlQuestion) -> Response:
    """Run one query as a reader, within the limits of time, memory and rows of readers."""
    return questions.answer(desk.archive, question)
