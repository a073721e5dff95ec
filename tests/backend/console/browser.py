"""A browser without scripts: pages with their forms, which it fills in and sends as a person would."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse


class Form:
    """One form of a page: where it goes, and what is filled in."""

    def __init__(self, attributes: dict[str, str]) -> None:
        self.action = attributes.get("action", "")
        self.method = attributes.get("method", "get").upper()
        self.fields: MultiDict[str, str] = MultiDict()
        self.choices: set[tuple[str, str]] = set()  # what can be ticked or chosen
        self.buttons: set[tuple[str, str]] = set()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None
        self._select = self._area = ""
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(at)
            self.forms.append(self._open)
        form = self._open
        if form is None:
            return
        name = at.get("name", "")
        if tag == "input" and name:
            kind = at.get("type", "text")
            if kind in ("checkbox", "radio"):
                form.choices.add((name, at.get("value", "on")))
            if kind not in ("checkbox", "radio") or "checked" in at:
                form.fields.add(name, at.get("value", "on" if kind == "checkbox" else ""))
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            form.choices.add((self._select, at.get("value", "")))
            if "selected" in at:
                form.fields.add(self._select, at.get("value", ""))
        elif tag == "textarea":
            self._area, self._text = name, []
        elif tag == "button" and name:
            form.buttons.add((name, at.get("value", "")))

    def handle_data(self, data: str) -> None:
        if self._area:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea" and self._area and self._open is not None:
            # The parser of a browser drops one line feed right after the tag.
            self._open.fields.add(self._area, "".join(self._text).removeprefix("\n"))
            self._area = ""


class Browser:
    """One person's browser."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.page: TestResponse
        self.path = ""

    def open(self, path: str) -> TestResponse:
        """Goes to a page and follows where it leads."""
        return self._shown(self.client.get(path, follow_redirects=True))

    def forms(self) -> list[Form]:
        """The forms of the page that is shown."""
        reader = _Reader()
        reader.feed(self.page.get_data(as_text=True))
        return reader.forms

    def form(self, action_ends: str) -> Form:
        """The form of the page that goes to such an address; "" is the page itself."""
        goals = [(form, (form.action or self.path).partition("?")[0]) for form in self.forms()]
        found = [form for form, goal in goals if (goal.endswith(action_ends) if action_ends else goal == self.path)]
        assert found, (action_ends, [form.action for form in self.forms()], self.page.get_data(as_text=True))
        return found[0]

    def send(self, action_ends: str, *, button: tuple[str, str] | None = None, **answers: Any) -> TestResponse:
        """Fills in a form and sends it; a list ticks several boxes, None leaves a field out."""
        form = self.form(action_ends)
        for name, answer in answers.items():
            form.fields.poplist(name)
            for one in answer if isinstance(answer, list) else [] if answer is None else [answer]:
                form.fields.add(name, str(one))
        if button is not None:
            assert button in form.buttons
            form.fields.add(*button)
        path = form.action or self.path
        if form.method == "GET":
            return self._shown(self.client.get(path, query_string=form.fields, follow_redirects=True))
        return self._shown(self.client.open(path, method=form.method, data=form.fields, follow_redirects=True))

    def post(self, path: str, **answers: Any) -> TestResponse:
        """Sends what no page offers, with this browser's own token of forms."""
        token = self.form("sign-out").fields["csrf_token"]
        return self.client.post(path, data={"csrf_token": token, **answers})

    @property
    def text(self) -> str:
        """The page that is shown."""
        return self.page.get_data(as_text=True)

    def _shown(self, page: TestResponse) -> TestResponse:
        self.page, self.path = page, urlsplit(page.request.full_path.rstrip("?")).path
        return page
