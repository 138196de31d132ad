"""Existing HTTP APIs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.deploy.existing.model import Existing, State, forget, found, update_tags
from local.deploy.resources import apigateway as made
from local.deploy.workspace import Request, Workspace


def update_api(workspace: Workspace, state: State, request: Request) -> Mapping[str, Any]:
    """Update name, description, tags and CORS."""
    client = workspace.client("apigatewayv2")
    settings = made.api_settings(workspace, request)
    client.update_api(ApiId=state.id, **settings)
    if "CorsConfiguration" not in settings and "corsConfiguration" in state.inputs:
        client.delete_cors_configuration(ApiId=state.id)
    arn = state.outputs["arn"]
    update_tags(
        state,
        request,
        lambda tags: client.tag_resource(ResourceArn=arn, Tags=tags),
        lambda keys: client.untag_resource(ResourceArn=arn, TagKeys=keys),
    )
    return {**state.outputs, "name": settings["Name"]}


def delete_api(workspace: Workspace, state: State) -> None:
    """Delete the API with everything in it."""
    forget(lambda: workspace.client("apigatewayv2").delete_api(ApiId=state.id))


def read_api(workspace: Workspace, state: State) -> Mapping[str, Any] | None:
    """Read name and description."""
    answer = found(lambda: workspace.client("apigatewayv2").get_api(ApiId=state.id))
    return None if answer is None else _declared(state, {"description": answer["Description"], "name": answer["Name"]})


def update_authorizer(workspace: Workspace, state: State, request: Request) -> Mapping[str, Any]:
    """Update issuer and audiences."""
    settings = made.authorizer_settings(workspace, request)
    workspace.client("apigatewayv2").update_authorizer(ApiId=_api(state), AuthorizerId=state.id, **settings)
    return {**state.outputs, "name": settings["Name"]}


def delete_authorizer(workspace: Workspace, state: State) -> None:
    """Delete the authorizer, which no route may use any more."""
    forget(lambda: workspace.client("apigatewayv2").delete_authorizer(ApiId=_api(state), AuthorizerId=state.id))


def read_authorizer(workspace: Workspace, state: State) -> Mapping[str, Any] | None:
    """Read issuer and audiences."""
    answer = found(lambda: workspace.client("apigatewayv2").get_authorizer(ApiId=_api(state), AuthorizerId=state.id))
    if answer is None:
        return None
    tokens = answer["JwtConfiguration"]
    return _declared(state, {"jwtConfiguration": {"audiences": tokens["Audience"], "issuer": tokens["Issuer"]}})


def update_integration(workspace: Workspace, state: State, request: Request) -> Mapping[str, Any]:
    """Update function and timeout."""
    settings = made.integration_settings(request)
    workspace.client("apigatewayv2").update_integration(ApiId=_api(state), IntegrationId=state.id, **settings)
    return state.outputs


def delete_integration(workspace: Workspace, state: State) -> None:
    """Delete the integration, which no route may use any more."""
    forget(lambda: workspace.client("apigatewayv2").delete_integration(ApiId=_api(state), IntegrationId=state.id))


def read_integration(workspace: Workspace, state: State) -> Mapping[str, Any] | None:
    """Read function and timeout."""
    answer = found(lambda: workspace.client("apigatewayv2").get_integration(ApiId=_api(state), IntegrationId=state.id))
    if answer is None:
        return None
    live = {"integrationUri": answer["IntegrationUri"], "timeoutMilliseconds": answer["TimeoutInMillis"]}
    return _declared(state, live)


def update_route(workspace: Workspace, state: State, request: Request) -> Mapping[str, Any]:
    """Update key, target and authorisation."""
    settings = made.route_settings(request)
    workspace.client("apigatewayv2").update_route(ApiId=_api(state), RouteId=state.id, **settings)
    return state.outputs


def delete_route(workspace: Workspace, state: State) -> None:
    """Delete the route, not its integration."""
    forget(lambda: workspace.client("apigatewayv2").delete_route(ApiId=_api(state), RouteId=state.id))


def read_route(workspace: Workspace, state: State) -> Mapping[str, Any] | None:
    """Read key, target and authorisation."""
    answer = found(lambda: workspace.client("apigatewayv2").get_route(ApiId=_api(state), RouteId=state.id))
    if answer is None:
        return None
    live = {
        "authorizationType": answer["AuthorizationType"],
        "authorizerId": answer["AuthorizerId"],
        "routeKey": answer["RouteKey"],
        "target": answer["Target"],
    }
    return _declared(state, live)


def update_stage(workspace: Workspace, state: State, request: Request) -> Mapping[str, Any]:
    """Recreate the stage, since moto can't update one, and nothing here depends on its settings."""
    delete_stage(workspace, state)
    return made.stage(workspace, request).outputs


def delete_stage(workspace: Workspace, state: State) -> None:
    """Delete the stage; the API no longer answers requests."""
    forget(lambda: workspace.client("apigatewayv2").delete_stage(ApiId=_api(state), StageName=state.id))


def read_stage(workspace: Workspace, state: State) -> Mapping[str, Any] | None:
    """Read the description."""
    answer = found(lambda: workspace.client("apigatewayv2").get_stage(ApiId=_api(state), StageName=state.id))
    return None if answer is None else _declared(state, {"description": answer.get("Description", "")})


def _api(state: State) -> str:
    return str(state.inputs["apiId"])


def _declared(state: State, live: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in live.items() if key in state.inputs}


EXISTING = {
    made.API: Existing(delete_api, update_api, read_api),
    made.AUTHORIZER: Existing(delete_authorizer, update_authorizer, read_authorizer),
    made.INTEGRATION: Existing(delete_integration, update_integration, read_integration),
    made.ROUTE: Existing(delete_route, update_route, read_route),
    made.STAGE: Existing(delete_stage, update_stage, read_stage),
}
