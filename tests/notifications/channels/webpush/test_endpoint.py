"""Addresses that strangers give: only push services, only by https, only in one spelling."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.channels.webpush.endpoint import EndpointError, Services

ANYBODY = Services(["*"])


@pytest.mark.parametrize(
    "url",
    [
        "https://fcm.googleapis.com/fcm/send/cX:APA91bG-_x",
        "https://fcm.googleapis.com/wp/cX:APA91bG",
        "https://updates.push.services.mozilla.com/wpush/v2/gAAAA-_=",
        "https://web.push.apple.com/QF8w7V0",
        "https://wns2-par02p.notify.windows.com/w/?token=BQYAAA%3d%3d",
    ],
)
def test_the_services_of_the_great_browsers_are_known(url: str) -> None:
    endpoint = Services().check(url)
    assert (endpoint.url, endpoint.trusted) == (url, True)
    assert endpoint.origin == "https://" + url.split("/")[2]


@pytest.mark.parametrize(
    "url",
    [
        "http://fcm.googleapis.com/a",
        "HTTP://fcm.googleapis.com/a",
        "ftp://fcm.googleapis.com/a",
        "//fcm.googleapis.com/a",
        "https:/fcm.googleapis.com/a",
        "https:\\\\fcm.googleapis.com\\a",
        "https://user@fcm.googleapis.com/a",
        "https://user:secret@fcm.googleapis.com/a",
        "https://fcm.googleapis.com:8443/a",
        "https://fcm.googleapis.com:80/a",
        "https://fcm.googleapis.com:0443/a",
        "https://fcm.googleapis.com:/a",
        "https://fcm.googleapis.com./a",
        "https://fcm.googleapis.com",
        "https://fcm.googleapis.com?a",
        "https://fcm.googleapis.com/a#b",
        "https://fcm.googleapis.com/a b",
        "https://fcm.googleapis.com/a\n",
        "https://fcm.googleapis.com/a\r\nX: y",
        " https://fcm.googleapis.com/a",
        "https://fcm.googleapis.com\\@evil.example.org/a",
        "https://fcm.googleapis.com%2eevil.org/a",
        "https://fcm.googleapis.com/あ",
        "https://ｆcm.googleapis.com/a",
        "https://127.0.0.1/a",
        "https://127.1/a",
        "https://2130706433/a",
        "https://0x7f.1/a",
        "https://0x7f000001/a",
        "https://10.0.0.5/a",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/a",
        "https://[::ffff:127.0.0.1]/a",
        "https://localhost/a",
        "https://x.localhost/a",
        "https://db.internal/a",
        "https://printer.local/a",
        "https://router.home.arpa/a",
        "https://-bad.org/a",
        "https://bad-.org/a",
        "https://a..b.org/a",
        "https://" + "a" * 64 + ".org/a",
        "https://" + "a." * 130 + "org/a",
        "https://push.org/" + "a" * 2_048,
        "",
    ],
)
def test_a_hostile_address_is_refused_even_where_anybody_is_admitted(url: str) -> None:
    for services in (Services(), ANYBODY):
        with pytest.raises(EndpointError) as caught:
            services.check(url)
        assert not url or url not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://push.example.org/a",
        "https://fcm.googleapis.com.evil.org/a",
        "https://evilfcm.googleapis.com/a",
        "https://notify.windows.com/a",
        "https://evil-notify.windows.com.cn/a",
        "https://xn--fcm-googleapis-0q4f.com/a",
    ],
)
def test_a_stranger_is_refused_unless_anybody_is_admitted_and_never_trusted(url: str) -> None:
    with pytest.raises(EndpointError, match="not a push service that is known here"):
        Services().check(url)
    assert ANYBODY.check(url).trusted is False


def test_a_city_adds_services_of_its_own() -> None:
    services = Services(["ntfy.sh", " *.push.example.org "])
    assert services.check("https://ntfy.sh/upAbc?up=1").trusted
    assert services.check("https://eu.push.example.org/a").trusted
    with pytest.raises(EndpointError):
        services.check("https://push.example.org/a")
    for wrong in ("https://ntfy.sh", "ntfy", "*.*", "a.b:8", "127.0.0.1", "push.local", "*.com/"):
        with pytest.raises(ValueError, match="not the name of a push service"):
            Services([wrong])


def test_one_address_has_one_spelling() -> None:
    endpoint = Services().check("HTTPS://FCM.GoogleAPIs.com:443/fcm/send/AbC")
    assert (endpoint.url, endpoint.origin) == ("https://fcm.googleapis.com/fcm/send/AbC", "https://fcm.googleapis.com")


def test_with_a_stand_in_nobody_else_is_served() -> None:
    services = Services(["*"], standin="http://127.0.0.1:8085")
    endpoint = services.check("http://127.0.0.1:8085/push/a.b.c")
    assert (endpoint.origin, endpoint.loopback) == ("http://127.0.0.1:8085", True)
    others = ("https://fcm.googleapis.com/a", "http://127.0.0.1:80850/a", "http://127.0.0.1:8085@evil.org/a",
              "http://127.0.0.1:8086/a", "http://127.0.0.1:8085", "http://127.0.0.1:8085/a#b")  # fmt: skip
    for other in others:
        with pytest.raises(EndpointError):
            services.check(other)


@pytest.mark.parametrize(
    "address",
    ["http://localhost:8085", "https://127.0.0.1:8085", "http://127.0.0.1", "http://10.0.0.1:8085",
     "http://push.example.org:8085", "http://u@127.0.0.1:8085", "http://127.0.0.1:8085/a", "http://127.0.0.1:x"],
)  # fmt: skip
def test_a_stand_in_is_on_this_machine(address: str) -> None:
    with pytest.raises(ValueError, match=r"loopback|[Pp]ort"):
        Services(standin=address)


@settings(max_examples=150)
@given(st.text(alphabet="https:/.@%#?[]\\ abc019-_*\n\tあ", max_size=60))
def test_whatever_is_admitted_leads_where_it_says(text: str) -> None:
    from urllib.parse import urlsplit

    try:
        endpoint = ANYBODY.check(f"https://{text}")
    except EndpointError:
        return
    parts = urlsplit(endpoint.url)
    assert f"https://{parts.hostname}" == endpoint.origin
    assert parts.port is None
    assert parts.username is None
    assert not set(endpoint.url) & set(" \t\r\n\\#")
