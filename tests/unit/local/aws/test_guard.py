"""Over a real socket: what a page of another site can make a browser send gets in nowhere."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3
import pytest
from botocore.client import Config

from local.aws.direct.presigned import moved
from local.aws.endpoint import AwsEndpoint
from local.aws.http import HttpServer
from local.aws.http.guard import refusal
from local.aws.http.model import WebAnswer, WebRequest


class Site:
    """Answers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[WebRequest] = []

    def origins(self) -> list[str]:
        return ["http://localhost:5173"]

    def answer(self, request: WebRequest) -> WebAnswer:
        self.asked.append(request)
        if request.path == "/broken":
            raise RuntimeError("broken")
        if request.path == "/parts":
            return WebAnswer(200, [("content-type", "text/plain")], iter([b"a", b"b"]))
        return WebAnswer(200, [("set-cookie", "a=1"), ("set-cookie", "b=2")], request.body or b"hello")


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def server(endpoint: AwsEndpoint, site: Site) -> Iterator[HttpServer]:
    running = endpoint.bind_http(0)
    running.website = site
    running.start()
    yield running
    running.stop()


def asked(server: HttpServer, method: str = "GET", path: str = "/", **headers: str) -> tuple[int, str]:
    """Status and text, with exactly these headers; ``_`` stands for ``-``."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=5)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


SIGNED = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0"
TARGET = "DynamoDB_20120810.ListTables"


@pytest.mark.parametrize("aws", [False, True], ids=["website", "aws"])
@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "192.168.0.7", "u@localhost", ""]
)
def test_a_host_that_is_not_this_machine_is_refused(server: HttpServer, site: Site, host: str, aws: bool) -> None:
    more = {"authorization": SIGNED, "x_amz_target": TARGET} if aws else {}
    status, text = asked(server, "POST", host=host, content_length="0", **more)
    assert (status, site.asked) == (403, [])
    assert "loopback" in json.loads(text)["message"]


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://localhost:1", "http://localhost:1"])
def test_a_page_of_another_site_is_refused(server: HttpServer, site: Site, origin: str) -> None:
    for more in ({}, {"authorization": SIGNED, "x_amz_target": TARGET}):
        status, text = asked(server, "POST", host=f"localhost:{server.port}", origin=origin, content_length="0", **more)
        assert (status, site.asked) == (403, [])
        assert "Origin" in json.loads(text)["message"]


def test_pages_of_this_machine_and_configured_ones_may_call(server: HttpServer) -> None:
    host = f"localhost:{server.port}"
    for origin in (f"http://{host}", "http://localhost:5173"):
        assert asked(server, host=host, origin=origin)[0] == 200


@pytest.mark.parametrize("host", ["localhost", "a.localhost", "127.0.0.1", "127.9.9.9:80", "[::1]:80", "LOCALHOST:1"])
def test_names_of_this_machine(host: str) -> None:
    assert refusal([("host", host)]) is None


@pytest.mark.parametrize("headers", [[], [("host", "localhost"), ("host", "localhost")], [("host", "localhost:x")]])
def test_no_host_or_several_are_refused(headers: list[tuple[str, str]]) -> None:
    assert refusal(headers) is not None


def test_what_is_signed_for_a_service_goes_to_aws_all_else_to_the_website(server: HttpServer, site: Site) -> None:
    host = f"127.0.0.1:{server.port}"
    status, text = asked(server, "POST", host=host, authorization=SIGNED, x_amz_target=TARGET, content_length="0")
    assert (status, json.loads(text), site.asked) == (200, {"TableNames": []}, [])
    status, text = asked(server, "POST", host=host, x_amz_target=TARGET, content_length="0")
    assert status == 400
    assert "unsigned request" in text
    api = SIGNED.replace("/dynamodb/", "/execute-api/")
    assert asked(server, "GET", "/a%20b?c=d&e", host=host, authorization=api) == (200, "hello")
    (request,) = site.asked
    assert (request.method, request.path, request.query, request.source_ip) == ("GET", "/a%20b", "c=d&e", "127.0.0.1")


def test_bodies_in_chunks_repeated_headers_parts_and_faults(server: HttpServer, site: Site) -> None:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=5)
    connection.request("POST", "/", iter([b"one", b"two"]), {"X-A": "1", "x-a": "2"}, encode_chunked=True)
    answer = connection.getresponse()
    assert answer.read() == b"onetwo"
    assert answer.headers.get_all("set-cookie") == ["a=1", "b=2"]
    connection.request("GET", "/parts")
    assert connection.getresponse().read() == b"ab"
    connection.request("GET", "/broken")
    assert connection.getresponse().status == 500
    connection.close()


@pytest.mark.parametrize(("length", "status"), [("10485761", 413), ("x", 400), ("-1", 400)])
def test_a_body_that_is_too_large_or_of_no_length_is_not_read(
    server: HttpServer, site: Site, length: str, status: int
) -> None:
    answer = asked(server, "POST", host=f"127.0.0.1:{server.port}", content_length=length)
    assert (answer[0], site.asked) == (status, [])


def test_presigned_urls_lead_here(server: HttpServer) -> None:
    s3: Any = boto3.client("s3", config=Config(signature_version="s3v4"))
    s3.create_bucket(Bucket="store")
    put = s3.generate_presigned_url("put_object", Params={"Bucket": "store", "Key": "imports/a b.csv"})
    assert put.startswith(f"{server.url}/store/imports/a%20b.csv?")
    urlopen(Request(put, data=b"code,name\n", method="PUT")).read()
    assert s3.get_object(Bucket="store", Key="imports/a b.csv")["Body"].read() == b"code,name\n"
    get = s3.generate_presigned_url("get_object", Params={"Bucket": "store", "Key": "imports/a b.csv"})
    assert urlopen(get).read() == b"code,name\n"


def test_a_url_that_new_buckets_refuse_is_refused(server: HttpServer) -> None:
    url = boto3.client("s3").generate_presigned_url("get_object", Params={"Bucket": "store", "Key": "k"})
    with pytest.raises(HTTPError) as refused:
        urlopen(url)
    assert b"signature version 2" in refused.value.read()


def test_presigned_urls_of_both_forms() -> None:
    served = "http://127.0.0.1:4566"
    assert moved("https://b.s3.eu-west-1.amazonaws.com/k?X=1", served) == f"{served}/b/k?X=1"
    assert moved("https://s3.eu-west-1.amazonaws.com/b/k?X=1", served) == f"{served}/b/k?X=1"
    assert moved("http://localhost:1/b/k?X=1", served) == "http://localhost:1/b/k?X=1"


def test_without_an_endpoint_that_is_served_they_lead_to_aws(endpoint: AwsEndpoint) -> None:
    url = boto3.client("s3").generate_presigned_url("get_object", Params={"Bucket": "store", "Key": "k"})
    assert ".amazonaws.com/" in url
