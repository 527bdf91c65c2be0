"""The report as one HTML page that needs no other file: ``index.html``.

The only room of jinja2. Reports import it when they are written, so that other commands do not wait for it.
"""
