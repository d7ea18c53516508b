"""target-line with small pages, so that few messages make many claims, each read ahead while others are sent."""

from __future__ import annotations

from target_line.sending import decisions
from target_line.target import TargetLine

if __name__ == "__main__":
    decisions.PAGE = 50
    TargetLine.cli()
