"""Pin every environment of the project, with hashes, beside this file.

`dev.txt` is this project with all extras and development groups; the others are the Meltano plugins that meltano.yml
installs into environments of their own, and uv itself. Not `uv.lock`: it records the registry it was made with.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
UV = str(Path(sys.executable).with_name("uv"))
COMPILE = [
    *(UV, "pip", "compile", "--quiet", "--upgrade", "--universal", "--generate-hashes", "--python-version", "3.11"),
    *("--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
]
PLUGINS = {
    "tap-postgres": "meltanolabs-tap-postgres==0.10.0",
    "target-jsonl": "target-jsonl==0.1.4",
    "target-postgres": "meltanolabs-target-postgres==0.8.1",
    "uv": "uv",
}


def main() -> None:
    """Write one file an environment."""
    project = ["--all-extras", "--group", "dev", "pyproject.toml"]
    subprocess.run([*COMPILE, *project, "-o", HERE / "dev.txt"], check=True, cwd=HERE.parent)  # noqa: S603 - our own arguments
    for name, requirement in PLUGINS.items():
        subprocess.run([*COMPILE, "-", "-o", HERE / f"{name}.txt"], check=True, input=requirement, text=True)  # noqa: S603 - our own arguments


if __name__ == "__main__":
    main()
