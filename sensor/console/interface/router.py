"""The routes of the interface, from its table."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import Response

from sensor.console.address_bar import read_address_bar
from sensor.console.interface.answers import ProgramAnswers
from sensor.console.interface.description import description
from sensor.console.interface.endpoints import DESCRIPTION_PATH, ENDPOINTS, Endpoint
from sensor.console.web.path_value import path_value
from sensor.console.web.problem import BASE


def interface_router(answers: ProgramAnswers) -> APIRouter:
    """All of them. The rule of each says which scope its token needs (`sensor/console/web/rules.py`)."""
    router = APIRouter()
    for endpoint in ENDPOINTS:
        path, methods = f"{BASE}{endpoint.path}", ["GET", "HEAD"]
        router.add_api_route(path, _endpoint(answers, endpoint), methods=methods, name=endpoint.name)
    router.add_api_route(DESCRIPTION_PATH, _description, methods=["GET", "HEAD"], name="interface-description")
    return router


def _endpoint(answers: ProgramAnswers, endpoint: Endpoint) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        in_path = [path_value(name, text) for name, text in request.path_params.items()]
        return answers.answer(request, endpoint, in_path)

    return answer


def _description(request: Request) -> Response:
    """The interface described, as OpenAPI has it. Nothing of the ledger is in it, so everybody may read it."""
    read_address_bar(request.scope["query_string"], ())
    return Response(description(), media_type="application/vnd.oai.openapi+json;version=3.1")
