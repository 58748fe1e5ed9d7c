"""What was found out about files, kept by digest: a killed build goes on, and the next one decodes nothing twice."""

import dataclasses
import sqlite3
from pathlib import Path
from typing import Any

from ml_pipeline.data import match, verify
from ml_pipeline.data.verify import FileFacts, FileStatus
from ml_pipeline.errors import PipelineError

_FACTS = [field.name for field in dataclasses.fields(FileFacts)]
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS facts ({", ".join(_FACTS)}, version, PRIMARY KEY (sha256, version)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS correlations (comparison, version, correlation, PRIMARY KEY (comparison, version))
    WITHOUT ROWID;
"""
_READ_FACTS = f"SELECT {', '.join(_FACTS)} FROM facts WHERE sha256 = ? AND version = ?"  # noqa: S608 - our own names
_PLACES = ", ".join("?" * (len(_FACTS) + 1))
_KEEP_FACTS = f"INSERT OR REPLACE INTO facts VALUES ({_PLACES})"  # noqa: S608 - question marks
_COMMIT_EVERY = 500


class Cache:
    """One SQLite file. Several processes may read it while one writes; results of other versions are never returned."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            if read_only:
                self._database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=60)
            else:
                self._database = sqlite3.connect(path, timeout=60)
                self._database.execute("PRAGMA journal_mode=WAL")
                self._database.executescript(_SCHEMA)
            self._database.execute(_READ_FACTS, ("", ""))
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        self._unsaved = 0

    def facts(self, sha256: str) -> FileFacts | None:
        """What is known of a file, whatever its name."""
        row = self._read(_READ_FACTS, (sha256, verify.VERSION))
        return FileFacts(**{**dict(zip(_FACTS, row, strict=True)), "status": FileStatus(row[1])}) if row else None

    def keep_facts(self, facts: FileFacts) -> None:
        self._write(_KEEP_FACTS, (*dataclasses.astuple(facts), verify.VERSION))

    def correlation(self, comparison: str) -> float | None:
        """The outcome of one pixel comparison."""
        query = "SELECT correlation FROM correlations WHERE comparison = ? AND version = ?"
        row = self._read(query, (comparison, match.VERSION))
        return float(row[0]) if row else None

    def keep_correlation(self, comparison: str, correlation: float) -> None:
        self._write("INSERT OR REPLACE INTO correlations VALUES (?, ?, ?)", (comparison, match.VERSION, correlation))

    def save(self) -> None:
        self._database.commit()
        self._unsaved = 0

    def close(self) -> None:
        self.save()
        self._database.close()

    def _read(self, query: str, values: tuple[object, ...]) -> Any:
        try:
            return self._database.execute(query, values).fetchone()
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        try:
            self._database.execute(statement, values)
            self._unsaved += 1
            if self._unsaved >= _COMMIT_EVERY:
                self.save()
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _unusable(self, error: sqlite3.Error) -> PipelineError:
        return PipelineError(f"{self._path} cannot be used as a cache ({error}). Delete it, or name another.")
