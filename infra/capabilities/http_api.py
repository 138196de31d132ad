"""The HTTP API: routes to the function ``api``, their authorisation, throttling and access log."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pulumi
from pulumi_aws import apigatewayv2, cloudwatch, lambda_, s3

from contract.api import IAM_PREFIX, TENANT_HEADER
from contract.functions import API
from infra.components.deployment import Deployment
from infra.components.functions import Function
from infra.configuration.stack_config import StackConfig

#: The service that calls the function.
GATEWAY = "apigateway.amazonaws.com"
IAM, JWT, NOBODY = "AWS_IAM", "JWT", "NONE"
#: Methods of the API's routes. OPTIONS isn't one: the gateway answers preflights itself, without authorisation (API
#: Gateway Developer Guide, "Configure CORS for HTTP APIs in API Gateway").
METHODS = ("GET", "PATCH", "POST")
ALL = "/{proxy+}"
#: Public, for health checks.
HEALTH = "GET /health"
#: The console's files are public: they are the same for all users, and the console itself asks for a token.
PAGES = ("GET /console", "GET /console/{proxy+}")
INTEGRATION_TIMEOUT_MS = 30_000
PREFLIGHT_SECONDS = 600
ALLOWED_HEADERS = (
    *("authorization", "content-type", "idempotency-key", "if-none-match"),
    TENANT_HEADER,
    *("x-amz-content-sha256", "x-amz-date", "x-amz-security-token"),
)
EXPOSED_HEADERS = ("etag", "location", "retry-after")
#: One line of JSON per request: caller, request, result and duration. No bodies, queries or headers (API Gateway
#: Developer Guide, "Customize HTTP API access logs").
ACCESS_LOG = {
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "sourceIp": "$context.identity.sourceIp",
    "userArn": "$context.identity.userArn",
    "sub": "$context.authorizer.claims.sub",
    "method": "$context.httpMethod",
    "path": "$context.path",
    "routeKey": "$context.routeKey",
    "status": "$context.status",
    "error": "$context.error.message",
    "authorizerError": "$context.authorizer.error",
    "integrationError": "$context.integrationErrorMessage",
    "durationMs": "$context.responseLatency",
    "integrationMs": "$context.integrationLatency",
}


def routes(config: StackConfig) -> Mapping[str, str]:
    """Route key to its authorisation type."""
    caller = JWT if config.api_issuer else IAM
    found = {HEALTH: NOBODY, **{f"{method} {ALL}": caller for method in METHODS}}
    if config.console_enabled:
        found |= dict.fromkeys(PAGES, NOBODY)
    if config.api_issuer:
        found |= {f"{method} {IAM_PREFIX}{ALL}": IAM for method in METHODS}
    return found


class HttpApi(pulumi.ComponentResource):
    """``url`` is its endpoint; ``id`` identifies it in metrics, ``execution_arn`` in policies."""

    url: pulumi.Output[str]
    id: pulumi.Output[str]
    execution_arn: pulumi.Output[str]

    def __init__(
        self, name: str, deployment: Deployment, function: Function, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("cqrs:infra:HttpApi", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._deployment = deployment
        config, names = deployment.config, deployment.names
        api = apigatewayv2.Api(
            "http-api",
            name=names.of(API),
            description="Publishes commands, reads entities, runs tasks, imports and workflows",
            protocol_type="HTTP",
            cors_configuration=_cors(config),
            tags=names.tags,
            opts=self._child,
        )
        integration = apigatewayv2.Integration(
            "http-api-function",
            api_id=api.id,
            integration_type="AWS_PROXY",
            integration_uri=function.function.invoke_arn,
            payload_format_version="2.0",
            timeout_milliseconds=INTEGRATION_TIMEOUT_MS,
            opts=self._child,
        )
        self._routes(api, integration)
        lambda_.Permission(
            "http-api-invokes",
            action="lambda:InvokeFunction",
            function=function.function.name,
            principal=GATEWAY,
            # Any stage and route, but only of this API.
            source_arn=pulumi.Output.concat(api.execution_arn, "/*"),
            opts=self._child,
        )
        self._stage(api)
        if config.console_enabled:
            self._uploads(api)
        self.url, self.id, self.execution_arn = api.api_endpoint, api.id, api.execution_arn
        self.register_outputs({"url": self.url})

    def _routes(self, api: apigatewayv2.Api, integration: apigatewayv2.Integration) -> None:
        config = self._deployment.config
        tokens = None
        if config.api_issuer:
            tokens = apigatewayv2.Authorizer(
                "http-api-tokens",
                api_id=api.id,
                name="tokens",
                authorizer_type=JWT,
                identity_sources=["$request.header.Authorization"],
                jwt_configuration=apigatewayv2.AuthorizerJwtConfigurationArgs(
                    issuer=config.api_issuer, audiences=list(config.api_audience)
                ),
                opts=self._child,
            )
        for key, caller in routes(config).items():
            apigatewayv2.Route(
                f"http-api-{key}",
                api_id=api.id,
                route_key=key,
                target=pulumi.Output.concat("integrations/", integration.id),
                authorization_type=caller,
                authorizer_id=tokens.id if tokens is not None and caller == JWT else None,
                opts=self._child,
            )

    def _uploads(self, api: apigatewayv2.Api) -> None:
        """The console uploads files to the bucket by presigned URLs, from the API's own origin only."""
        s3.BucketCorsConfiguration(
            "console-uploads",
            bucket=self._deployment.storage.bucket.bucket,
            cors_rules=[
                s3.BucketCorsConfigurationCorsRuleArgs(
                    allowed_headers=["content-type"],
                    allowed_methods=["PUT"],
                    allowed_origins=[api.api_endpoint],
                    max_age_seconds=PREFLIGHT_SECONDS,
                )
            ],
            opts=self._child,
        )

    def _stage(self, api: apigatewayv2.Api) -> None:
        deployment, config, names = self._deployment, self._deployment.config, self._deployment.names
        log_group = cloudwatch.LogGroup(
            "http-api-logs",
            name=names.log_group_of_api(API),
            retention_in_days=config.log_retention_days,
            kms_key_id=deployment.key,
            tags=names.tags,
            opts=self._child,
        )
        apigatewayv2.Stage(
            "http-api-stage",
            api_id=api.id,
            name="$default",
            auto_deploy=True,
            access_log_settings=apigatewayv2.StageAccessLogSettingsArgs(
                destination_arn=log_group.arn, format=json.dumps(ACCESS_LOG)
            ),
            default_route_settings=apigatewayv2.StageDefaultRouteSettingsArgs(
                throttling_rate_limit=config.api_rate_limit, throttling_burst_limit=config.api_burst_limit
            ),
            tags=names.tags,
            opts=self._child,
        )


def _cors(config: StackConfig) -> apigatewayv2.ApiCorsConfigurationArgs | None:
    if not config.api_cors_origins:
        return None
    return apigatewayv2.ApiCorsConfigurationArgs(
        allow_origins=list(config.api_cors_origins),
        allow_methods=list(METHODS),
        allow_headers=list(ALLOWED_HEADERS),
        expose_headers=list(EXPOSED_HEADERS),
        max_age=PREFLIGHT_SECONDS,
    )
