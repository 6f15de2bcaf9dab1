"""What a `redis_url` means, and that no message shows a password."""

import sys

import pytest

from feedback.errors import FeedbackUnavailable
from feedback.stores.redis.connection import Address, parse_url
from feedback.stores.redis.store import RedisFeedback


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        pytest.param("redis://cache", Address("cache"), id="host-alone"),
        pytest.param(" redis://cache:7000/3/ ", Address("cache", 7000, 3), id="port-and-database"),
        pytest.param("redis://[::1]:7000", Address("::1", 7000), id="ipv6"),
        pytest.param("redis://:p%40s%2Fs@cache", Address("cache", password="p@s/s"), id="password"),
        pytest.param("redis://ada:s3@cache", Address("cache", user="ada", password="s3"), id="user"),
        pytest.param("rediss://cache", Address("cache", tls=True), id="tls"),
        pytest.param(
            "rediss://cache?ssl_ca_certs=/etc/ca.pem&ssl_certfile=%2Fme.pem",
            Address("cache", tls=True, files={"ssl_ca_certs": "/etc/ca.pem", "ssl_certfile": "/me.pem"}),
            id="files",
        ),
        pytest.param("redis+cluster://cache:7000", Address("cache", 7000, cluster=True), id="cluster"),
        pytest.param("rediss+cluster://cache/0", Address("cache", tls=True, cluster=True), id="cluster-tls"),
    ],
)
def test_a_url_says_where_and_as_whom(url, meant):
    assert parse_url(url) == meant


@pytest.mark.parametrize(
    "url",
    [
        "",
        "s3cret",
        "cache:6379",
        "redis:cache",
        "redis://",
        "redis://:s3cret@",
        "redis://:s3cret@:6379",
        "redis://:s3cret@cache:port",
        "redis://:s3/cret@cache:6379",
        "redis://:s3#cret@cache",
        "redis://:s3cret@cache:99999",
        "redis://:s3cret@[::1",
        "redis://:s3cret@cache/one",
        "redis://:s3cret@cache/-1",
        "redis://:s3cret@cache/1/2",
        "redis://:s3cret@cache?db=1",
        "redis://:s3cret@cache?decode_responses=True",
        "redis://:s3cret@cache?ssl_ca_certs=/ca.pem",
        "rediss://:s3cret@cache?ssl_cert_reqs=none",
        "redis://:s3cret@cache#there",
        "redis+cluster://:s3cret@cache/1",
        "unix:///run/s3cret.sock",
        "http://:s3cret@cache",
    ],
)
def test_another_url_is_refused_in_one_line_without_what_stands_in_it(url):
    with pytest.raises(FeedbackUnavailable, match=r"^`redis_url` must be ") as caught:
        RedisFeedback(url, workspace="default")
    assert "s3" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_password_is_not_shown_with_an_address():
    assert "s3cret" not in repr(parse_url("redis://ada:s3cret@cache"))


def test_without_the_client_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(FeedbackUnavailable, match=r"footnote-bot\[redis\]"):
        RedisFeedback("redis://cache", workspace="default")
