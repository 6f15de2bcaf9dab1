"""What the two listeners serve: the inside one health and figures, the public one the platforms' addresses alone."""

from collections.abc import Callable, Mapping, Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.server.health import Health

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


def inside(ready: Callable[[], Mapping[str, Health]], figures: Callable[[], bytes]) -> Starlette:
    """`/healthz` while the process lives, `/readyz` with each thing that it needs, `/metrics`."""

    def healthz(_: Request) -> Response:
        return JSONResponse({"ok": True})

    def readyz(_: Request) -> Response:
        found = ready()
        ok = all(each.ok for each in found.values() if each.needed)
        rows = {name: {"ok": each.ok, "needed": each.needed, "detail": each.detail} for name, each in found.items()}
        return JSONResponse({"ok": ok, "checks": rows}, status_code=200 if ok else 503)

    def metrics(_: Request) -> Response:
        return Response(figures(), media_type=PROMETHEUS)

    return _app([Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)])


def public(routes: Sequence[BaseRoute]) -> Starlette:
    """These addresses and nothing else."""
    return _app(routes)


def _app(routes: Sequence[BaseRoute]) -> Starlette:
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False  # /x/ is not /x: nothing is told of what is there
    return app
