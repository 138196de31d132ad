"""API Gateway's part: requests by HTTP become events of functions, and their answers HTTP (payload format 2.0).

Serves the HTTP APIs that the program declares (``local.deploy.resources.apigateway``), as the Developer Guide
describes:
"Create routes for HTTP APIs", "Create AWS Lambda proxy integrations for HTTP APIs", "Control access to HTTP APIs with
JWT authorizers", "Configure CORS for HTTP APIs". It throttles nobody and writes no access log.
"""
