"""The web application: addresses, who may look, and what a browser may do with a page.

Whoever opens the address with the token gets a cookie, and without it nothing is shown: other users of the machine, and
pages of other sites, know neither. All that can be written are notes on samples, by a form of one of these pages.
"""

import json
import re
import secrets
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse

from tasks.errors import StoreUnavailableError, UserError
from tasks.store import Store
from tasks.store.notes import labelled_row, read_notes
from tasks.store.problems import StoredProblem
from tasks.store.schema import CorruptObjectError
from tasks.viewer.addresses import address_of_sample, parse_sample_name, parse_set_name
from tasks.viewer.library import Library
from tasks.viewer.pages import comparison, diff, problem, sample, sample_set, sets
from tasks.viewer.query import parse_query
from tasks.viewer.rendering import page, script, style

_COOKIE = "monkeys"
_MAX_NOTE = 64 << 10
"""Bytes of a form with a note."""

_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?", re.ASCII | re.IGNORECASE)
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}

Next = Callable[[Request], Awaitable[Response]]


def make_app(store: Store, token: str) -> FastAPI:
    """The application over one store."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    library = Library(store)

    @app.middleware("http")
    async def guard(request: Request, call_next: Next) -> Response:
        response = _refused(request, token) or await call_next(request)
        response.headers.update(_HEADERS)
        return response

    @app.exception_handler(UserError)
    @app.exception_handler(CorruptObjectError)
    @app.exception_handler(StoreUnavailableError)
    @app.exception_handler(FileNotFoundError)
    def failed(_: Request, error: Exception) -> Response:
        status = 404 if isinstance(error, UserError) else 503
        return HTMLResponse(page("error.html.j2", title="Not shown", message=_one_line(error)), status)

    @app.get("/static/view.js")
    def script_file() -> Response:
        return Response(script(), media_type="text/javascript")

    @app.get("/static/view.css")
    def style_file() -> Response:
        return Response(style(), media_type="text/css")

    @app.get("/", response_class=HTMLResponse)
    def all_sets() -> str:
        return sets.render(library)

    @app.get("/compare", response_class=HTMLResponse)
    def two_sets(a: str, b: str) -> str:
        return comparison.render(library, parse_set_name(a), parse_set_name(b))

    @app.get("/diff", response_class=HTMLResponse)
    def two_samples(a: str, b: str) -> str:
        return diff.render(library, parse_sample_name(a), parse_sample_name(b))

    @app.get("/sets/{name}", response_class=HTMLResponse)
    def one_set(name: str, verdicts: str | None = None, problems: str = "all") -> str:
        return sample_set.render(library, library.set(name, verdicts), problems)

    @app.get("/sets/{name}/state")
    def state(name: str) -> Response:
        found = library.set(name)
        return JSONResponse({"state": found.state, "samples": found.samples.samples})

    @app.get("/sets/{name}/labelled.jsonl")
    def labelled(name: str) -> Response:
        rows = filter(None, map(labelled_row, read_notes(store, library.set(name).samples.name)))
        lines = "".join(f"{json.dumps(row)}\n" for row in rows)
        kept_as = {"Content-Disposition": 'attachment; filename="labelled.jsonl"'}
        return Response(lines, media_type="application/x-ndjson", headers=kept_as)

    @app.get("/sets/{name}/{position}", response_class=HTMLResponse)
    def one_problem(
        request: Request, name: str, position: int, verdicts: str | None = None, whole: bool = False
    ) -> str:
        query = parse_query(request.query_params)
        return problem.render(library, library.set(name, verdicts), position, query, whole=whole)

    @app.get("/sets/{name}/{position}/statement")
    def statement(name: str, position: int) -> Response:
        return PlainTextResponse(_stored_problem(library, name, position).question)

    @app.get("/sets/{name}/{position}/prompt")
    def prompt(name: str, position: int) -> Response:
        sent = _stored_problem(library, name, position).prompt
        if sent is None:
            raise UserError(f"{name} has no prompt of problem {position}: its samples were recorded")
        return PlainTextResponse(sent)

    @app.get("/sets/{name}/{position}/{index}", response_class=HTMLResponse)
    def one_sample(name: str, position: int, index: int, verdicts: str | None = None, whole: bool = False) -> str:
        return sample.render(library, library.set(name, verdicts), position, index, whole=whole)

    @app.get("/sets/{name}/{position}/{index}/raw")
    def raw(name: str, position: int, index: int) -> Response:
        return PlainTextResponse(
            library.sample(library.set(name), position, index).sample.text.encode("utf-8", "replace")
        )

    @app.post("/sets/{name}/{position}/{index}/note")
    async def write(request: Request, name: str, position: int, index: int) -> Response:
        if not _is_from_own_page(request):
            return PlainTextResponse("A note is written by the form on the sample's page.\n", 403)
        body = await _bounded_body(request)
        if body is None:
            return PlainTextResponse(f"A note has at most {_MAX_NOTE:,} bytes.\n", 413)
        await run_in_threadpool(lambda: sample.write(library, library.set(name), position, index, body))
        return RedirectResponse(address_of_sample(name, position, index) + "#note", 303)

    return app


def _stored_problem(library: Library, name: str, position: int) -> StoredProblem:
    found = library.asked(library.set(name), position)
    if found is None:
        raise UserError(f"{name} has no stored problem {position}")
    if isinstance(found, UserError):
        raise found
    return found


def _is_from_own_page(request: Request) -> bool:
    """Whether a page of this server sends the request. Browsers say so; those that do not yet send the origin."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return request.headers.get("origin") == f"http://{request.headers.get('host', '')}"


async def _bounded_body(request: Request) -> bytes | None:
    """The body of a request; None where it is too long."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MAX_NOTE:
            return None
    return body


def _refused(request: Request, token: str) -> Response | None:
    """The answer to whoever may not look; None for those who may."""
    if not _HOST.fullmatch(request.headers.get("host", "")):
        return PlainTextResponse("This page is served to this machine only.\n", 403)
    given = request.query_params.get("token")
    if given is not None and secrets.compare_digest(given.encode(), token.encode()):
        rest = request.url.remove_query_params("token")
        answer = RedirectResponse(f"{rest.path}{'?' + rest.query if rest.query else ''}", 303)
        answer.set_cookie(_cookie(request), token, httponly=True, samesite="strict", path="/")
        return answer
    if not secrets.compare_digest(request.cookies.get(_cookie(request), "").encode(), token.encode()):
        return PlainTextResponse("Open the address that `monkeys view` printed: it has a token.\n", 403)
    return None


def _cookie(request: Request) -> str:
    # Cookies do not tell ports apart: two viewers on one machine have two names.
    return f"{_COOKIE}-{request.url.port or 80}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
