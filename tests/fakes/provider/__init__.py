"""A fake OpenAI-shaped provider for tests, benchmarks and demos. See ../README.md.

python -m provider            (with tests/fakes on the path)
python tests/fakes/provider   (from anywhere)
"""
