"""API Gateway: turns HTTP requests into events of functions, and their results into responses (payload format 2.0).

Serves the HTTP APIs that the program declares (``local.deploy.resources.apigateway``), as described in the Developer
Guide: "Create routes for HTTP APIs", "Create AWS Lambda proxy integrations for HTTP APIs", "Control access to HTTP APIs
with JWT authorizers", "Configure CORS for HTTP APIs". There is no throttling and no access log.
"""
