"""One transaction a request: a success is durable when it is answered, anything else left no trace."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask, Response
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

import database
from backend import transaction
from backend.errors import Problem
from database import db
from geo.sites import Revision


def versions(engine: Engine) -> list[int]:
    """What another connection sees."""
    with database.transaction(engine, "read") as session:
        return list(session.scalars(sa.select(Revision.version)))


def write(version: int = 1) -> None:
    transaction.session().add(Revision(name="sites", version=version))


@pytest.fixture
def app(app: Flask) -> Flask:
    @app.post("/created")
    def created() -> tuple[str, int]:
        write()
        return "created", 201

    @app.post("/raises")
    def raises() -> str:
        write()
        transaction.session().flush()
        raise ZeroDivisionError

    @app.post("/problem")
    def problem() -> str:
        write()
        transaction.session().flush()
        raise Problem(409, "conflict", "Not now")

    @app.post("/refuses")
    def refuses() -> tuple[str, int]:
        write()
        transaction.session().flush()
        return "no", 409

    @app.post("/redirects")
    def redirects() -> Response:
        write()
        return Response(status=303, headers={"Location": "/"})

    @app.post("/half")
    def half() -> str:
        transaction.session().add(Revision(name="sites", version=None))
        return "the commit will fail"

    @app.get("/writes")
    def writes() -> str:
        write()
        return "a GET must not write"

    @app.get("/streams")
    def streams() -> Response:
        def lines() -> Iterator[str]:
            yield "first"
            transaction.session()

        return Response(lines())

    @app.get("/looks")
    def looks() -> str:
        return str(transaction.session().scalar(sa.select(Revision.version)))

    return app


def test_a_success_is_committed_before_the_response_leaves(client: FlaskClient, engine: Engine) -> None:
    seen: list[list[int]] = []
    client.application.after_request_funcs.setdefault(None, []).append(
        lambda response: (seen.append(versions(engine)), response)[1]
    )
    assert client.post("/created").status_code == 201
    assert seen == [[1]]


def test_a_redirect_is_a_success(client: FlaskClient, engine: Engine) -> None:
    client.post("/redirects")
    assert versions(engine) == [1]


@pytest.mark.parametrize(("path", "status"), [("/raises", 500), ("/problem", 409), ("/refuses", 409)])
def test_what_raises_or_refuses_leaves_no_trace(client: FlaskClient, engine: Engine, path: str, status: int) -> None:
    assert client.post(path).status_code == status
    assert versions(engine) == []


def test_a_commit_that_fails_is_a_fault_and_leaves_no_trace(client: FlaskClient, engine: Engine) -> None:
    response = client.post("/half")
    assert response.status_code == 500
    assert response.json is not None
    assert response.json["type"] == "/problems/internal"
    assert versions(engine) == []
    assert client.post("/created").status_code == 201  # the connection is usable again


def test_a_get_reads_one_snapshot_and_takes_no_write_lock(app: Flask, client: FlaskClient, engine: Engine) -> None:
    with database.transaction(engine) as writer:
        writer.add(Revision(name="sites", version=7))
        writer.flush()
        assert client.get("/looks").text == "None"  # neither waits nor sees what is not committed
    assert client.get("/looks").text == "7"


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_postgresql_refuses_a_get_that_writes(client: FlaskClient, engine: Engine) -> None:
    assert client.get("/writes").status_code == 500
    assert versions(engine) == []


def test_a_request_without_a_statement_takes_no_connection(app: Flask, client: FlaskClient) -> None:
    begun: list[object] = []
    with app.app_context():
        event.listen(db.engine, "begin", begun.append)
    client.get("/healthz")
    client.post("/nothing-here")
    assert begun == []


def test_a_post_that_only_reads_says_so_and_takes_no_write_lock(app: Flask, engine: Engine) -> None:
    @app.post("/preview")
    @transaction.reads_only
    def preview() -> str:
        return str(transaction.session().scalar(sa.select(Revision.version)))

    with database.transaction(engine) as writer:
        writer.add(Revision(name="sites", version=7))
        writer.flush()
        assert app.test_client().post("/preview").text == "None"


def test_a_stream_cannot_read_after_the_view(client: FlaskClient) -> None:
    with pytest.raises(RuntimeError, match="no transaction is open"):
        _ = client.get("/streams").text


def test_outside_a_request_there_is_no_session() -> None:
    with pytest.raises(RuntimeError, match="inside a view"):
        transaction.session()


def test_two_requests_under_one_pushed_context_have_sessions_of_their_own(app: Flask, engine: Engine) -> None:
    sessions: list[Session] = []

    @app.post("/remember")
    def remember() -> str:
        sessions.append(transaction.session())
        return "ok"

    with app.app_context():
        client = app.test_client()
        client.post("/remember")
        client.post("/remember")
    assert sessions[0] is not sessions[1]


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_writer_that_waits_too_long_is_told_to_come_back(app: Flask, client: FlaskClient, engine: Engine) -> None:
    with app.app_context():
        event.listen(db.engine, "connect", lambda raw, _record: raw.execute("PRAGMA busy_timeout=0"))
    with database.transaction(engine) as writer:
        writer.execute(sa.text("SELECT 1"))
        response = client.post("/created")
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert response.json is not None
    assert response.json["type"] == "/problems/unavailable"
    assert client.post("/created").status_code == 201
