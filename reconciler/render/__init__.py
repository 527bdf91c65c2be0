"""Plan, report and problems as text, Markdown and JSON. Values in, text out."""
