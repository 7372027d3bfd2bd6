"""The server of an api, as a process: answers, believes proxies that it is told to, refuses a taken port, ends well."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import httpx

from tests.libs.common.serving import Served, get


def test_it_answers_and_ends_in_order(served: Served) -> None:
    assert get(served.url) == "127.0.0.1 http GET"
    with httpx.Client(trust_env=False) as client:
        assert client.head(served.url).headers["content-length"] == "19"
    code, out, _ = served.end()
    assert (code, out) == (0, "shut down\n")


def test_what_is_there_at_once_is_answered_without_the_app_and_the_rest_goes_on(served: Served) -> None:
    with httpx.Client(trust_env=False, base_url=served.url) as client:
        for _ in range(3):  # over one connection
            answer = client.get("/at-once")
            assert (answer.text, "date" in answer.headers) == ("at once", True)
            head = client.head("/at-once")
            assert (head.headers["content-length"], head.headers["x-told"], head.content) == ("7", "at once", b"")
            assert client.get("/at-once", headers={"X-Forwarded-For": "203.0.113.9"}).text == "at once"
            assert client.get("/").text == "127.0.0.1 http GET"
            assert client.post("/at-once", content=b"x").text == "127.0.0.1 http POST"
    assert served.end()[0] == 0


def test_a_fault_in_what_answers_at_once_costs_no_answer(served: Served) -> None:
    with httpx.Client(trust_env=False, base_url=served.url) as client:
        assert client.get("/fault").text == "127.0.0.1 http GET"
        assert client.get("/at-once").text == "at once"
    code, out, err = served.end()
    assert (code, "ValueError" in out + err) == (0, True)


def test_a_request_under_way_is_answered_before_it_ends(served: Served) -> None:
    asking = subprocess.Popen(
        [sys.executable, "-c", f"import urllib.request as u; print(u.urlopen('{served.url}/slow').read().decode())"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    time.sleep(0.6)
    code, _, _ = served.end()
    assert asking.communicate(timeout=20)[0] == "127.0.0.1 http GET\n"
    assert code == 0


def test_only_trusted_proxies_say_who_calls(served: Served) -> None:
    said = {"X_Forwarded_For": "203.0.113.9", "X_Forwarded_Proto": "https"}
    assert get(served.url, **said) == "203.0.113.9 https GET"
    other = Served("192.0.2.1")
    other.wait()
    assert get(other.url, **said) == "127.0.0.1 http GET"
    other.end()


def test_a_port_that_is_taken_is_refused_and_a_killed_server_leaves_it_free(served: Served) -> None:
    second = served.start()
    _, err = second.communicate(timeout=20)
    assert second.returncode != 0
    assert "Address already in use" in err
    served.end(signal.SIGKILL)
    served.process = served.start()
    served.wait()
    assert get(served.url) == "127.0.0.1 http GET"


def test_an_app_that_cannot_start_ends_the_process() -> None:
    broken = Served("127.0.0.1", "broken")
    _, err = broken.process.communicate(timeout=20)
    assert broken.process.returncode != 0
    assert "lifespan startup" in err
