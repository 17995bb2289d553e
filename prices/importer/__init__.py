"""The importer of the price book: `make prices` (prices/README.md).

Reads the public tables inside the PyPI packages `litellm` and `genai-prices`, decides between them, leaves out what a
lint finds, and writes prices/imported/*.toml and prices/report.md. The same packages and the same hand-written files
give the same bytes.
"""
