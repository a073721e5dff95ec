"""/v1/alerts.atom, /v1/notices.atom and /v1/alerts/{id}.cap.xml: what is told, for machines that only read."""

from __future__ import annotations

from flask import Response
from flask.views import MethodView

from backend import clock
from backend.api import caching, speech
from backend.api.alerts import FRESH_SECONDS, LIFTED_SHOWN_FOR
from backend.api.blueprint import Blueprint
from backend.api.notices import FRESH_SECONDS as NOTICES_FRESH_SECONDS
from backend.config import settings
from backend.errors import of_status
from backend.transaction import session
from content import noticeboard
from content.noticeboard import Wishes
from notifications import alerts as house
from notifications.feeds import atom, cap
from notifications.feeds.cap import Issuer

blp = Blueprint("feeds", __name__, url_prefix="/v1", description="Atom と CAP · Feeds for machines")
MOST_NOTICES = 50
FROZEN_SECONDS = 3600  # an issued alert never changes: what ends it is another message


def _doors(part: str, words: str, *, drill: bool) -> None:
    class FeedView(MethodView):
        @caching.public(max_age=FRESH_SECONDS)
        @blp.response(200, {"type": "string"}, content_type=atom.MEDIA_TYPE, description="Atom (RFC 4287)")
        def get(self) -> Response:
            found = house.public(session(), clock.now(), drill=drill, lifted_within=LIFTED_SHOWN_FOR)
            language, body = atom.document(found, _issuer(), speech.wanted(), drill=drill)
            answer = Response(body, content_type=f"{atom.MEDIA_TYPE}; charset=utf-8")
            speech.spoke(language)
            return answer

    class CapView(MethodView):
        @caching.public(max_age=FROZEN_SECONDS)
        @blp.response(200, {"type": "string"}, content_type=cap.MEDIA_TYPE, description="CAP 1.2 (OASIS)")
        @blp.alt_response(404, description="never issued")
        def get(self, public_id: str) -> Response:
            alert = house.by_public_id(session(), public_id, drill=drill)
            if alert is None or alert.issued_at is None:
                raise of_status(404, "No alert with this id was ever issued.")
            body = cap.document(session(), alert, _issuer())
            return Response(body, content_type=f"{cap.MEDIA_TYPE}; charset=utf-8")

    FeedView.get.__doc__ = f"{words}の Atom フィード。各項目から CAP へ。An Atom feed leading to CAP messages."
    CapView.get.__doc__ = f"{words}を CAP 1.2 の電文で。すべての言語、穴のない区域。One as a CAP 1.2 message."
    blp.route(f"/{part}.atom", endpoint=f"{part}_atom")(FeedView)
    blp.route(f"/{part}/<public_id>.cap.xml", endpoint=f"{part}_cap")(CapView)


@blp.route("/notices.atom")
class NoticesFeed(MethodView):
    """The board."""

    @caching.public(max_age=NOTICES_FRESH_SECONDS)
    @blp.response(200, {"type": "string"}, content_type=atom.MEDIA_TYPE, description="Atom (RFC 4287)")
    def get(self) -> Response:
        """掲載中のお知らせの Atom フィード。新しい順に50件まで。An Atom feed of the notices, the newest first."""
        newest_first = Wishes(by_phase=False)
        found = noticeboard.current(session(), clock.now(), newest_first, limit=MOST_NOTICES)
        language, body = atom.of_notices(found, _issuer(), speech.wanted())
        speech.spoke(language)
        return Response(body, content_type=f"{atom.MEDIA_TYPE}; charset=utf-8")


_doors("alerts", "発令中と24時間以内に終わった避難情報", drill=False)
_doors("drills", "訓練", drill=True)


def _issuer() -> Issuer:
    city = settings()
    return Issuer(city.city_names, city.public_url, city.zone)
