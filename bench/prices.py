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
#: Request to an HTTP API, per 512 KB or part of it; for the first 300 million a month (API Gateway pricing page).
HTTP_API_REQUEST = 1.00 / MILLION
SQS_REQUEST = 0.40 / MILLION
S3_PUT = 0.005 / 1000
S3_GET = 0.0004 / 1000

#: Assumed, since they can't be measured here: a warm call of a function, and its memory.
WARM_SECONDS = 0.06
LAMBDA_GB = 0.5
#: For functions that process batches, as in imports: a call of a function without its AWS calls, and an AWS call.
CALL_OVERHEAD_SECONDS = 0.01
AWS_CALL_SECONDS = 0.006
#: A row's message is sent, received and deleted; the messages of a batch are billed individually.
SQS_REQUESTS_PER_MESSAGE = 3
MESSAGES_PER_BATCH = 10
#: EXPRESS bills memory in chunks of 64 MB and time in steps of 100 ms (Step Functions pricing page).
EXPRESS_GB = 0.0625
EXPRESS_STEP_SECONDS = 0.1

#: Monthly prices: the services' pricing pages (CloudWatch, KMS), 2026.
ALARM_METRIC = 0.10
DASHBOARD = 3.00
CUSTOM_METRIC = 0.30
KMS_KEY = 1.00
KMS_REQUEST = 0.03 / 10_000
LOG_GIGABYTE = 0.50
LOG_GIGABYTE_MONTH = 0.03
TABLE_GIGABYTE_MONTH = 0.25
RECOVERY_GIGABYTE_MONTH = 0.20
BUCKET_GIGABYTE_MONTH = 0.023
GIGABYTE = 1_000_000_000
SECONDS_PER_MONTH = 30 * 86_400
#: Assumed: log of a function call, including Lambda's own lines.
LOG_BYTES_PER_CALL = 600
#: Assumed: a line of the access log.
LOG_BYTES_PER_REQUEST = 400
#: Concurrent long polls of an idle queue (Lambda Developer Guide, "Using Lambda with Amazon SQS").
POLLERS = 5
LONG_POLL_SECONDS = 20
#: A sweep queries each shard of each index of open rows; an empty result costs half a unit. It takes some seconds.
READ_UNITS_OF_A_LOOK = 0.5
SWEEP_SECONDS = 2.0
