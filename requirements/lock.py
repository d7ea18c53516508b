"""Pin every environment of the project, with hashes, in this folder.

`dev.txt` is this project with all extras and development groups. The other files are programs with environments of
their own: the Meltano plugins that meltano.yml installs, Meltano itself (it caps SQLAlchemy, so it must not decide what
our tests run with), and uv. There is no `uv.lock`: it records the registry that it was made with.
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
PROGRAMS = {
    "meltano": "meltano==4.4.1",
    "tap-postgres": "meltanolabs-tap-postgres==0.10.0",
    "target-jsonl": "target-jsonl==0.1.4",
    "target-postgres": "meltanolabs-target-postgres==0.8.1",
    "uv": "uv",
}


def main() -> None:
    """Write one file for each environment."""
    project = ["--all-extras", "--group", "dev", "pyproject.toml"]
    subprocess.run([*COMPILE, *project, "-o", HERE / "dev.txt"], check=True, cwd=HERE.parent)  # noqa: S603 - fixed arguments
    for name, requirement in PROGRAMS.items():
        subprocess.run([*COMPILE, "-", "-o", HERE / f"{name}.txt"], check=True, input=requirement, text=True)  # noqa: S603 - fixed arguments


if __name__ == "__main__":
    main()
