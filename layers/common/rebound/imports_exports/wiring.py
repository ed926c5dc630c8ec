"""The ports of imports and exports over AWS, and the use cases made of them (``platform.wiring``)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from rebound.activity.wiring import ActivityUseCases, AwsActivityPorts
from rebound.platform.wiring import in_this_process, use_case

if TYPE_CHECKING:
    from rebound.imports_exports.application.bring_file import BringFile
    from rebound.imports_exports.application.close_import import CloseImport
    from rebound.imports_exports.application.export_customers import ExportCustomers, StartExport
    from rebound.imports_exports.application.import_customers import ImportCustomers
    from rebound.imports_exports.application.split_import import SplitImport
    from rebound.imports_exports.application.start_import import BeginImport, StartImport
    from rebound.imports_exports.ports import (
        ExportBook,
        ExportStore,
        FileRunner,
        ImportBook,
        ImportLedger,
        ImportsExportsPorts,
        ImportStore,
    )


class AwsImportsExportsPorts(AwsActivityPorts):
    """The ports of imports and exports over AWS."""

    @cached_property
    def imports(self) -> ImportBook:
        from rebound.imports_exports.adapters.file_jobs import DynamoImportBook

        return DynamoImportBook(self.settings["DIRECTORY_TABLE"])

    @cached_property
    def import_store(self) -> ImportStore:
        from rebound.imports_exports.adapters.import_store import S3ImportStore

        return S3ImportStore(self.aws("s3"), self.settings["IMPORTS_BUCKET"])

    @cached_property
    def import_ledger(self) -> ImportLedger:
        from rebound.imports_exports.adapters.import_ledger import DynamoImportLedger

        return DynamoImportLedger(self.settings["CHUNKS_TABLE"], self.dynamo_customers)

    @cached_property
    def import_runner(self) -> FileRunner:
        from rebound.imports_exports.adapters.file_jobs import StepFunctionsFileRunner

        return StepFunctionsFileRunner(
            self.aws("stepfunctions"), self.settings["IMPORT_STATE_MACHINE_ARN"], "import_id"
        )

    @cached_property
    def exports(self) -> ExportBook:
        from rebound.imports_exports.adapters.file_jobs import DynamoExportBook

        return DynamoExportBook(self.settings["DIRECTORY_TABLE"])

    @cached_property
    def export_store(self) -> ExportStore:
        from rebound.imports_exports.adapters.export_store import S3ExportStore

        return S3ExportStore(self.aws("s3"), self.settings["IMPORTS_BUCKET"])

    @cached_property
    def export_runner(self) -> FileRunner:
        from rebound.imports_exports.adapters.file_jobs import StepFunctionsFileRunner

        return StepFunctionsFileRunner(
            self.aws("stepfunctions"), self.settings["EXPORT_STATE_MACHINE_ARN"], "export_id"
        )

    @property
    def import_concurrency(self) -> int:
        return int(self.settings["IMPORT_CONCURRENCY"])

    @property
    def import_part_bytes(self) -> int:
        from rebound.imports_exports.application.split_import import PART_BYTES

        return PART_BYTES

    @property
    def import_piece_bytes(self) -> int:
        from rebound.imports_exports.application.split_import import PIECE_BYTES

        return PIECE_BYTES

    @property
    def export_part_bytes(self) -> int:
        from rebound.imports_exports.application.export_customers import PART_BYTES

        return PART_BYTES

    @staticmethod
    def imports_of_notice(body: str) -> Sequence[tuple[str, str]]:
        """The business id and import id of each file whose arrival an S3 notification reports."""
        from rebound.imports_exports.adapters.import_store import imports_of_notice

        return imports_of_notice(body)


class ImportsExportsUseCases(ActivityUseCases):
    """The use cases of imports and exports."""

    ports: ImportsExportsPorts

    start_import: StartImport = use_case(
        "rebound.imports_exports.application.start_import",
        ledger="import_ledger",
        store="import_store",
        files="export_store",
    )
    bring_file: BringFile = use_case("rebound.imports_exports.application.bring_file", store="import_store")
    begin_import: BeginImport = use_case("rebound.imports_exports.application.start_import", runner="import_runner")
    split_import: SplitImport = use_case(
        "rebound.imports_exports.application.split_import",
        store="import_store",
        part_bytes="import_part_bytes",
        piece_bytes="import_piece_bytes",
    )
    import_customers: ImportCustomers = use_case(
        "rebound.imports_exports.application.import_customers", ledger="import_ledger", store="import_store"
    )
    close_import: CloseImport = use_case(
        "rebound.imports_exports.application.close_import",
        ledger="import_ledger",
        store="import_store",
        files="export_store",
    )
    start_export: StartExport = use_case(
        "rebound.imports_exports.application.export_customers", store="export_store", runner="export_runner"
    )
    export_customers: ExportCustomers = use_case(
        "rebound.imports_exports.application.export_customers", store="export_store", part_bytes="export_part_bytes"
    )


use_cases = in_this_process(ImportsExportsUseCases, AwsImportsExportsPorts)
ports = AwsImportsExportsPorts
