"""Prices in USD, us-east-1: AWS Price List API, September 2026, and the services' pricing pages."""

from __future__ import annotations

MILLION = 1_000_000
STATE_TRANSITION = 0.025 / 1000
EXPRESS_REQUEST = 1.00 / MILLION
EXPRESS_GB_SECOND = 0.00001667
LAMBDA_REQUEST = 0.20 / MILLION
LAMBDA_GB_SECOND_ARM = 0.0000133334
WRITE_UNIT = 0.625 / MILLION
READ_UNIT = 0.125 / MILLION
SNS_PUBLISH = 0.50 / MILLION

#: What can't be measured here is assumed: a warm call of a function, and its memory.
WARM_SECONDS = 0.06
LAMBDA_GB = 0.5
#: EXPRESS bills memory in chunks of 64 MB and time in steps of 100 ms (Step Functions pricing page).
EXPRESS_GB = 0.0625
EXPRESS_STEP_SECONDS = 0.1
