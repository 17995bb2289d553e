"""python -m prices.importer: writes prices/imported/*.toml and prices/report.md (`make prices`)."""

from __future__ import annotations

import sys

from . import genai_rows, litellm_rows
from .run import FOLDER, run


def main() -> int:
    litellm, litellm_version = litellm_rows.load()
    genai, genai_version = genai_rows.load()
    versions = {"litellm": litellm_version, "genai-prices": genai_version}
    importer = run(FOLDER, litellm, genai, versions)
    unused = importer.unused()
    if unused:
        print("\n".join(unused))
        return 1
    texts = importer.files(versions)
    (FOLDER / "imported").mkdir(exist_ok=True)
    for path in (FOLDER / "imported").glob("*.toml"):
        if f"imported/{path.name}" not in texts:
            path.unlink()
    for name, text in texts.items():
        (FOLDER / name).write_text(text)
    report = importer.report
    print(
        f"{len(importer.models)} models imported beside {len(importer.hand.models)} hand-checked; "
        f"{len(report.disagreements)} disagreements, {len(report.left_out)} models left out, "
        f"{len(report.kept)} changes wait for a person: prices/report.md"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
