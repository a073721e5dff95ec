"""What a web server loads: `backend.wsgi:app`."""

from backend.app import create_app

app = create_app()
