"""By what notices are found: the areas they concern, and their words, folded, one row a language."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from content.folding import fold
from database import Base, BigId

SPACED = frozenset({"en"})  # languages in which a blank parts words; elsewhere it is taste
MOST_TERMS = 8


class NoticeArea(Base):
    """A notice concerns an area; one without any concerns the whole city."""

    __tablename__ = "notice_areas"
    __table_args__ = (sa.Index(None, "notice_id"), {"sqlite_with_rowid": False})

    area_code: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    notice_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("notices.id"), primary_key=True)


class NoticeWords(Base):
    """All words of a notice in one language, as a search compares them."""

    __tablename__ = "notice_words"
    __table_args__ = ({"sqlite_with_rowid": False},)

    notice_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("notices.id"), primary_key=True)
    language: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    words: Mapped[str] = mapped_column(sa.Text)


def put(session: Session, notice_id: int, columns: Mapping[str, Any]) -> None:
    """Writes anew by what a notice is found; `columns` as `drafts.checked` gives them."""
    session.execute(sa.delete(NoticeArea).where(NoticeArea.notice_id == notice_id))
    session.execute(sa.delete(NoticeWords).where(NoticeWords.notice_id == notice_id))
    concerned = [{"area_code": code, "notice_id": notice_id} for code in columns["areas"]]
    if concerned:
        session.execute(sa.insert(NoticeArea), concerned)
    found = words_of(columns)
    if found:
        rows = [{"notice_id": notice_id, "language": language, "words": words} for language, words in found.items()]
        session.execute(sa.insert(NoticeWords), rows)


def words_of(columns: Mapping[str, Any]) -> dict[str, str]:
    """The folded words of a notice by language: title, body, titles of attachments, what was corrected."""
    found: dict[str, str] = {}
    for language, text in columns["texts"].items():
        parts = [text["title"], text["body"], columns["correction"].get(language, "")]
        parts += [one["titles"].get(language, "") for one in columns["attachments"]]
        # A line feed parts what stands apart; a blank parts words where the language writes it between words.
        folded = (_folded(part, language) for part in parts)
        found[language] = "\n".join(part for part in folded if part)
    return found


def _folded(part: str, language: str) -> str:
    return " ".join(filter(None, map(fold, part.split()))) if language in SPACED else fold(part)


def terms(q: str) -> list[str]:
    """The folded words of a search, all of which must be found."""
    return [term for term in dict.fromkeys(fold(word) for word in q.split()) if term][:MOST_TERMS]


def having(notice_id: sa.ColumnElement[int], wanted: Sequence[str], languages: Collection[str]) -> sa.Exists:
    """The condition that a notice has all these terms in one of these languages."""
    query = sa.select(sa.literal(1)).where(NoticeWords.notice_id == notice_id, NoticeWords.language.in_(languages))
    return query.where(*(NoticeWords.words.contains(term, autoescape=True) for term in wanted)).exists()


def concerning(notice_id: sa.ColumnElement[int], codes: Collection[str]) -> sa.ColumnElement[bool]:
    """The condition that a notice names one of these areas, or none at all."""
    named = sa.select(sa.literal(1)).where(NoticeArea.notice_id == notice_id)
    return sa.or_(~named.exists(), named.where(NoticeArea.area_code.in_(codes)).exists())
