"""Route selection.

Developer Guide, "Create routes for HTTP APIs", "Routing API requests": a full match of route and method, then a match
with a greedy path variable, then ``$default``.
"""

from __future__ import annotations

from collections.abc import Sequence

from local.gateway.model import ANY, DEFAULT_ROUTE, Route

Variables = dict[str, str]


def route_of(routes: Sequence[Route], method: str, path: str) -> tuple[Route, Variables] | None:
    """The best route for a method and a decoded path, with the values of its variables; None if there is none."""
    segments = path.removeprefix("/").split("/")
    found = [
        (_rank(route), route, variables)
        for route in routes
        if route.key != DEFAULT_ROUTE and route.method in (method, ANY)
        for variables in [_matched(route.segments, segments)]
        if variables is not None
    ]
    if found:
        _, route, variables = min(found, key=lambda one: one[0])
        return route, variables
    default = next((route for route in routes if route.key == DEFAULT_ROUTE), None)
    return None if default is None else (default, {})


def _matched(template: Sequence[str], segments: Sequence[str]) -> Variables | None:
    variables: Variables = {}
    for index, part in enumerate(template):
        if _is_greedy(part):
            rest = "/".join(segments[index:])
            return {**variables, part[1:-2]: rest} if rest else None
        if index >= len(segments):
            return None
        if part.startswith("{"):
            if not segments[index]:
                return None
            variables[part[1:-1]] = segments[index]
        elif part != segments[index]:
            return None
    return variables if len(template) == len(segments) else None


def _rank(route: Route) -> tuple[object, ...]:
    """The lowest wins: no greedy variable, then text before variables from the left, then a specific method."""
    segments = route.segments
    kinds = tuple(2 if _is_greedy(part) else int(part.startswith("{")) for part in segments)
    return any(kind == 2 for kind in kinds), kinds, route.method == ANY


def _is_greedy(part: str) -> bool:
    return part.startswith("{") and part.endswith("+}")
