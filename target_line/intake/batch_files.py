"""Records of the files that a BATCH message names.

The SDK would pass the records of such files to `Sink.process_batch`, without stream maps and without `process_record`.
"""

from __future__ import annotations

import gzip
import importlib.util
import zlib
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from upath import UPath

from target_line.intake.json_values import as_json
from target_line.intake.singer_reader import InputError, UnusableRecord, decode_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_COMPRESSIONS = (None, "none", "gzip")


def check_batch(stream: str, encoding: Mapping[str, Any], manifest: Sequence[object]) -> None:
    """Check that the files of a BATCH message can be read.

    Raises:
        InputError: The format or the compression is not supported, or a file has no URL.
    """
    if not all(isinstance(url, str) for url in manifest):
        raise InputError(f"the manifest of the BATCH message of stream {stream!r} is not a list of texts")
    file_format, compression = encoding.get("format"), encoding.get("compression")
    if file_format == "parquet" and importlib.util.find_spec("pyarrow") is None:
        raise InputError(
            f"stream {stream!r} has parquet files, which need the extra: pip install 'singer-line[parquet]'"
        )
    if file_format not in ("jsonl", "parquet") or compression not in _COMPRESSIONS:
        kind = f"{file_format} with compression {compression}" if compression else str(file_format)
        raise InputError(
            f"the BATCH message of stream {stream!r} names files of the format {kind}; supported are jsonl, "
            "without compression or with gzip, and parquet"
        )


def records_of(encoding: Mapping[str, Any], manifest: Sequence[str]) -> Iterator[dict[str, Any] | UnusableRecord]:
    """Yield the records of all files.

    Args:
        encoding: `format` (jsonl or parquet) and `compression` of the files.
        manifest: URLs of the files (file://…, or another file system that the SDK can read).

    Raises:
        InputError: A file cannot be read, or contains a line that is not JSON.
    """
    for number, url in enumerate(manifest, start=1):
        try:
            yield from _parquet_records(url) if encoding["format"] == "parquet" else _json_records(url, encoding)
        except InputError as error:
            raise InputError(f"file {number} of a BATCH message: {error}") from None
        except zlib.error:
            raise InputError(f"file {number} of a BATCH message cannot be read: damaged gzip data") from None
        except (OSError, EOFError, ValueError, ImportError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise InputError(f"file {number} of a BATCH message cannot be read: {reason}") from None


def _json_records(url: str, encoding: Mapping[str, Any]) -> Iterator[dict[str, Any] | UnusableRecord]:
    with _path(url).open("rb") as file:
        lines = gzip.GzipFile(fileobj=file) if encoding.get("compression") == "gzip" else file
        for number, line in enumerate(lines, start=1):
            if not (stripped := line.strip()):
                continue
            try:
                yield decode_record(stripped)
            except InputError as error:
                raise InputError(f"line {number}: {error}") from None


def _parquet_records(url: str) -> Iterator[dict[str, Any] | UnusableRecord]:
    import pyarrow.parquet as pq  # type: ignore[import-untyped]  # noqa: PLC0415 - an optional package, without types

    with _path(url).open("rb") as file:
        for batch in pq.ParquetFile(file).iter_batches():
            for record in batch.to_pylist():
                try:
                    yield as_json(record)
                except (TypeError, ValueError):
                    yield UnusableRecord(
                        {name: str(value) for name, value in record.items()}, "it has values that are not JSON"
                    )


def _path(url: str) -> UPath:
    """Return the path of a URL. Some taps percent-encode the paths of local files, and some do not."""
    path = UPath(url)
    if url.startswith("file:") and not path.exists():
        return UPath(unquote(url))
    return path
