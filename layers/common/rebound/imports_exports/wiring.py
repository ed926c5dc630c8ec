"""What imports and exports need from outside, AWS behind it, and the use cases made of it (``platform.wiring``)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from rebound.customers.wiring import AwsCustomersPorts, CustomersUseCases
from rebound.platform.wiring import in_this_process

if TYPE_CHECKING:
    from rebound.imports_exports.application.export_customers import ExportCustomers, StartExport
    from rebound.imports_exports.application.import_customers import (
        BeginImport,
        CloseImport,
        ImportCustomers,
        SplitImport,
        StartImport,
    )
    from rebound.imports_exports.ports import (
        ExportBook,
        ExportStore,
        FileRunner,
        ImportBook,
        ImportLedger,
        ImportsExportsPorts,
        ImportStore,
    )


class AwsImportsExportsPorts(AwsCustomersPorts):
    """The same over AWS."""

    @cached_property
    def imports(self) -> ImportBook:
        from rebound.imports_exports.adapters.dynamo_import_book import DynamoImportBook

        return DynamoImportBook(self.settings["DIRECTORY_TABLE"])

    @cached_property
    def import_store(self) -> ImportStore:
        from rebound.imports_exports.adapters.import_store import S3ImportStore

        return S3ImportStore(self.aws("s3"), self.settings["IMPORTS_BUCKET"])

    @cached_property
    def import_ledger(self) -> ImportLedger:
        from rebound.imports_exports.adapters.dynamo_imports import DynamoImportLedger

        return DynamoImportLedger(self.settings["CHUNKS_TABLE"], self.dynamo_customers)

    @cached_property
    def import_runner(self) -> FileRunner:
        from rebound.imports_exports.adapters.file_runner import StepFunctionsFileRunner

        return StepFunctionsFileRunner(
            self.aws("stepfunctions"), self.settings["IMPORT_STATE_MACHINE_ARN"], "import_id"
        )

    @cached_property
    def exports(self) -> ExportBook:
        from rebound.imports_exports.adapters.dynamo_export_book import DynamoExportBook

        return DynamoExportBook(self.settings["DIRECTORY_TABLE"])

    @cached_property
    def export_store(self) -> ExportStore:
        from rebound.imports_exports.adapters.export_store import S3ExportStore

        return S3ExportStore(self.aws("s3"), self.settings["IMPORTS_BUCKET"])

    @cached_property
    def export_runner(self) -> FileRunner:
        from rebound.imports_exports.adapters.file_runner import StepFunctionsFileRunner

        return StepFunctionsFileRunner(
            self.aws("stepfunctions"), self.settings["EXPORT_STATE_MACHINE_ARN"], "export_id"
        )

    @property
    def import_concurrency(self) -> int:
        return int(self.settings["IMPORT_CONCURRENCY"])

    @property
    def import_part_bytes(self) -> int:
        from rebound.imports_exports.application.import_customers import PART_BYTES

        return PART_BYTES

    @property
    def import_piece_bytes(self) -> int:
        from rebound.imports_exports.application.import_customers import PIECE_BYTES

        return PIECE_BYTES

    @property
    def export_part_bytes(self) -> int:
        from rebound.imports_exports.application.export_customers import PART_BYTES

        return PART_BYTES

    @staticmethod
    def imports_of_notice(body: str) -> Sequence[tuple[str, str]]:
        """Business and import of each file that has arrived, as S3 tells of it."""
        from rebound.imports_exports.adapters.import_store import imports_of_notice

        return imports_of_notice(body)


class ImportsExportsUseCases(CustomersUseCases):
    """The use cases of imports and exports."""

    ports: ImportsExportsPorts

    @cached_property
    def start_import(self) -> StartImport:
        from rebound.imports_exports.application.import_customers import StartImport

        return StartImport(
            imports=self.ports.imports,
            ledger=self.ports.import_ledger,
            store=self.ports.import_store,
            businesses=self.ports.businesses,
            clock=self.ports.clock,
            ids=self.ports.ids,
        )

    @cached_property
    def begin_import(self) -> BeginImport:
        from rebound.imports_exports.application.import_customers import BeginImport

        return BeginImport(imports=self.ports.imports, runner=self.ports.import_runner)

    @cached_property
    def split_import(self) -> SplitImport:
        from rebound.imports_exports.application.import_customers import SplitImport

        return SplitImport(
            imports=self.ports.imports,
            store=self.ports.import_store,
            part_bytes=self.ports.import_part_bytes,
            piece_bytes=self.ports.import_piece_bytes,
        )

    @cached_property
    def import_customers(self) -> ImportCustomers:
        from rebound.imports_exports.application.import_customers import ImportCustomers

        return ImportCustomers(
            imports=self.ports.imports,
            ledger=self.ports.import_ledger,
            store=self.ports.import_store,
            customers=self.ports.customers,
            contacts=self.ports.contacts,
            businesses=self.ports.businesses,
            addresses=self.ports.addresses,
            clock=self.ports.clock,
            patience=self.ports.patience,
            copy_flags=self.copy_flags,
        )

    @cached_property
    def close_import(self) -> CloseImport:
        from rebound.imports_exports.application.import_customers import CloseImport

        return CloseImport(imports=self.ports.imports, store=self.ports.import_store)

    @cached_property
    def start_export(self) -> StartExport:
        from rebound.imports_exports.application.export_customers import StartExport

        return StartExport(
            exports=self.ports.exports,
            store=self.ports.export_store,
            runner=self.ports.export_runner,
            businesses=self.ports.businesses,
            clock=self.ports.clock,
            ids=self.ports.ids,
        )

    @cached_property
    def export_customers(self) -> ExportCustomers:
        from rebound.imports_exports.application.export_customers import ExportCustomers

        return ExportCustomers(
            exports=self.ports.exports,
            store=self.ports.export_store,
            customers=self.ports.customers,
            contacts=self.ports.contacts,
            businesses=self.ports.businesses,
            part_bytes=self.ports.export_part_bytes,
        )


def use_cases() -> ImportsExportsUseCases:
    """Those of this process."""
    return in_this_process(ImportsExportsUseCases, ports)


def ports() -> AwsImportsExportsPorts:
    """Those of this process, over AWS."""
    return AwsImportsExportsPorts()
