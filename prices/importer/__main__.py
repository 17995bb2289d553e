"""python -m prices.importer [--check]: writes prices/imported/*.toml and prices/report.md (`make prices`).

With --check nothing is written: exit status 1 when the files are not what these packages give.
"""

from __future__ import annotations

import sys

from . import genai_rows, litellm_rows
from .run import FOLDER, run


def main(arguments: list[str]) -> int:
    litellm, litellm_version = litellm_rows.load()
    genai, genai_version = genai_rows.load()
    versions = {"litellm": litellm_version, "genai-prices": genai_version}
    importer = run(FOLDER, litellm, genai, versions)
    problems = importer.problems()
    if problems:
        print("\n".join(problems))
        return 1
    texts = importer.files(versions)
    old = {f"imported/{path.name}": path for path in (FOLDER / "imported").glob("*.toml")}
    gone = [path for name, path in sorted(old.items()) if name not in texts]
    changed = [
        name
        for name, text in texts.items()
        if not (FOLDER / name).exists() or (FOLDER / name).read_text() != text
    ]
    if "--check" in arguments:
        for name in [*changed, *(f"imported/{path.name}" for path in gone)]:
            print(f"prices/{name} is not what the packages give: make prices")
        return 1 if changed or gone else 0
    (FOLDER / "imported").mkdir(exist_ok=True)
    for path in gone:
        path.unlink()
    for name in changed:
        (FOLDER / name).write_text(texts[name])
    report = importer.report
    print(
        f"{len(importer.models)} models imported beside {len(importer.hand.models)} hand-checked; "
        f"{len(report.disagreements)} disagreements, {len(report.left_out)} models left out, "
        f"{len(report.kept)} changes wait for a person: prices/report.md"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
