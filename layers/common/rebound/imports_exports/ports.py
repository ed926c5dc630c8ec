"""What imports and exports need from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rebound.customers.ports import CustomersPorts

if TYPE_CHECKING:
    from rebound.application.ports import ExportBook, ExportStore, FileRunner, ImportBook, ImportLedger, ImportStore


class ImportsExportsPorts(CustomersPorts, Protocol):
    """What the use cases of imports and exports need from outside."""

    @property
    def imports(self) -> ImportBook: ...

    @property
    def import_store(self) -> ImportStore: ...

    @property
    def import_ledger(self) -> ImportLedger: ...

    @property
    def import_runner(self) -> FileRunner: ...

    @property
    def exports(self) -> ExportBook: ...

    @property
    def export_store(self) -> ExportStore: ...

    @property
    def export_runner(self) -> FileRunner: ...

    @property
    def import_concurrency(self) -> int:
        """How many parts of an import are imported at the same time."""

    @property
    def import_part_bytes(self) -> int:
        """Of a file, for each part of an import."""

    @property
    def import_piece_bytes(self) -> int:
        """Of rows that are written at a time while a file is divided."""

    @property
    def export_part_bytes(self) -> int:
        """Of an export's file that are written at a time."""
