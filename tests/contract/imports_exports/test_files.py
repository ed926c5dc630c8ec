"""Files of imports and exports, and who runs them: one suite against the fakes and S3."""

import json
from base64 import b64decode
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from rebound.imports_exports.adapters.export_store import S3ExportStore
from rebound.imports_exports.adapters.file_jobs import StepFunctionsFileRunner
from rebound.imports_exports.adapters.import_store import MOST_BYTES, S3ImportStore, import_of_key
from rebound.imports_exports.ports import ExportStore, ImportStore
from rebound.kernel.errors import NotFoundError
from tests.contract.imports_exports.fakes import MemoryExportStore, MemoryImportStore
from tests.fakes.aws import fake_aws, make
from tests.fakes.making import BUSINESS_ID


def test_the_file_of_an_import_is_read_as_it_was_put_and_an_absent_one_is_not_found(on_aws: bool) -> None:
    store: ImportStore = MemoryImportStore()
    if on_aws:
        make("s3").create_bucket(Bucket="imports")
        store = S3ImportStore(make("s3"), "imports")
    store.put(BUSINESS_ID, "i1", "first_name\nÍris\n")

    whole, rest, none, beyond = (store.open(BUSINESS_ID, "i1", offset) for offset in (0, 11, 17, 18))
    assert whole.content.read().decode() == "first_name\nÍris\n"
    assert rest.content.read().decode() == "Íris\n"
    assert none.content.read() == b""
    assert beyond.content.read().decode() == "first_name\nÍris\n"
    assert {file.size for file in (whole, rest, none, beyond)} == {17}
    assert len({file.version for file in (whole, rest, none, beyond)}) == 1
    store.put(BUSINESS_ID, "i1", "first_name\nIris!\n")
    assert store.open(BUSINESS_ID, "i1").version != whole.version
    assert store.upload_url(BUSINESS_ID, "i2").startswith("https://")
    with pytest.raises(NotFoundError):
        store.open(BUSINESS_ID, "i2")
    with pytest.raises(NotFoundError):
        store.open("other", "i1")


def test_a_draft_is_looked_at_and_becomes_the_file_of_its_import(on_aws: bool) -> None:
    memory = MemoryImportStore()
    store: ImportStore = memory
    if on_aws:
        make("s3").create_bucket(Bucket="imports")
        store = S3ImportStore(make("s3"), "imports")
        make("s3").put_object(Bucket="imports", Key=f"import-drafts/{BUSINESS_ID}/d1", Body=b"\xcdris\n")
    memory.drafts[BUSINESS_ID, "d1"] = b"\xcdris\n"

    assert store.open_draft(BUSINESS_ID, "d1").content.read() == b"\xcdris\n"
    assert store.open_draft(BUSINESS_ID, "d1").size == 5
    with pytest.raises(NotFoundError):
        store.open(BUSINESS_ID, "d1")
    for _ in range(2):
        store.take_draft(BUSINESS_ID, "d1")
        assert store.open(BUSINESS_ID, "d1").content.read() == b"\xcdris\n"
    for missing in (("other", "d1"), (BUSINESS_ID, "d2")):
        with pytest.raises(NotFoundError):
            store.open_draft(*missing)
        with pytest.raises(NotFoundError):
            store.take_draft(*missing)


@pytest.mark.parametrize("code", ["NoSuchKey", "404", "AccessDenied"])
def test_a_draft_that_is_not_there_is_not_found_also_to_whoever_may_not_list(code: str) -> None:
    with fake_aws():
        s3 = make("s3")
        store = S3ImportStore(s3, "imports")
        with Stubber(s3) as refusing:
            refusing.add_client_error("get_object", code)
            refusing.add_client_error("copy_object", code)
            with pytest.raises(NotFoundError):
                store.open_draft(BUSINESS_ID, "d1")
            with pytest.raises(NotFoundError):
                store.take_draft(BUSINESS_ID, "d1")
            refusing.add_client_error("get_object", "SlowDown")
            with pytest.raises(ClientError):
                store.open_draft(BUSINESS_ID, "d1")


def test_a_form_takes_one_file_of_a_size_that_is_copied_at_once_and_leads_back() -> None:
    with fake_aws():
        form = S3ImportStore(make("s3"), "imports").upload_form(BUSINESS_ID, "d1", "https://x.test/next")

    policy = json.loads(b64decode(form.fields["policy"]))
    assert form.fields["key"] == f"import-drafts/{BUSINESS_ID}/d1"
    assert form.fields["success_action_redirect"] == "https://x.test/next"
    for condition in (
        {"key": f"import-drafts/{BUSINESS_ID}/d1"},
        {"success_action_redirect": "https://x.test/next"},
        ["content-length-range", 0, MOST_BYTES],
    ):
        assert condition in policy["conditions"]
    # S3 copies no more than 5 GB in one call.
    assert MOST_BYTES < 5 * 1024**3
    lasts = datetime.fromisoformat(policy["expiration"]) - datetime.now(UTC)
    assert timedelta(minutes=55) < lasts <= timedelta(hours=1)


def test_the_pieces_of_an_import_are_read_as_they_were_put_until_they_are_removed(on_aws: bool) -> None:
    store: ImportStore = MemoryImportStore()
    if on_aws:
        make("s3").create_bucket(Bucket="imports")
        store = S3ImportStore(make("s3"), "imports")
    for part in range(3):
        for piece in range(2):
            store.put_piece(BUSINESS_ID, "i1", part, piece, f"{part} {piece}".encode())
    store.put_piece(BUSINESS_ID, "i1", 0, 0, b"again")
    store.put_piece(BUSINESS_ID, "i2", 0, 0, b"other")

    assert store.open_piece(BUSINESS_ID, "i1", 0, 0).read() == b"again"
    assert store.open_piece(BUSINESS_ID, "i1", 2, 1).read() == b"2 1"
    for _ in range(2):
        store.remove_pieces(BUSINESS_ID, "i1", 3, 2)
        with pytest.raises(NotFoundError):
            store.open_piece(BUSINESS_ID, "i1", 0, 0)
        with pytest.raises(NotFoundError):
            store.open_piece(BUSINESS_ID, "i1", 2, 1)
    assert store.open_piece(BUSINESS_ID, "i2", 0, 0).read() == b"other"


def test_a_file_of_several_parts_is_whole_once_it_is_completed(on_aws: bool) -> None:
    memory = MemoryExportStore()
    store: ExportStore = memory
    if on_aws:
        make("s3").create_bucket(Bucket="imports")
        store = S3ExportStore(make("s3"), "imports")
    first, last = b"x" * 5 * 1024 * 1024, b"the rest"
    upload_id = store.begin(BUSINESS_ID, "e1", "csv")
    store.put_part(BUSINESS_ID, "e1", upload_id, 1, b"y" * 5 * 1024 * 1024)
    tags = [store.put_part(BUSINESS_ID, "e1", upload_id, number, part) for number, part in ((1, first), (2, last))]
    for _ in range(2):
        store.complete(BUSINESS_ID, "e1", upload_id, tags)
    if on_aws:
        found = make("s3").get_object(Bucket="imports", Key=f"exports/{BUSINESS_ID}/e1")["Body"].read()
    else:
        found = memory.files[BUSINESS_ID, "e1"]

    assert found == first + last
    assert store.download_url(BUSINESS_ID, "e1").startswith("https://")


def test_an_empty_file_is_a_file(on_aws: bool) -> None:
    store: ExportStore = MemoryExportStore()
    if on_aws:
        make("s3").create_bucket(Bucket="imports")
        store = S3ExportStore(make("s3"), "imports")
    upload_id = store.begin(BUSINESS_ID, "e1", "jsonl")
    store.complete(BUSINESS_ID, "e1", upload_id, [store.put_part(BUSINESS_ID, "e1", upload_id, 1, b"")])


def test_what_is_set_aside_is_read_as_it_was_put(on_aws: bool) -> None:
    store: ExportStore = MemoryExportStore()
    if on_aws:
        make("s3").create_bucket(Bucket="imports")
        store = S3ExportStore(make("s3"), "imports")
    store.put_rest(BUSINESS_ID, "e1", 7, b"a few rows")

    assert store.read_rest(BUSINESS_ID, "e1", 7) == b"a few rows"
    with pytest.raises(NotFoundError):
        store.read_rest(BUSINESS_ID, "e1", 8)


def test_an_import_is_started_once_under_its_own_name_with_ids_only() -> None:
    with fake_aws():
        steps = make("stepfunctions")
        machine = steps.create_state_machine(
            name="imports",
            definition=json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}),
            roleArn="arn:aws:iam::123456789012:role/rebound",
        )["stateMachineArn"]
        for _ in range(2):
            StepFunctionsFileRunner(steps, machine, "import_id").start(BUSINESS_ID, "i1")
        (execution,) = steps.list_executions(stateMachineArn=machine)["executions"]
        described = steps.describe_execution(executionArn=execution["executionArn"])

    assert execution["name"] == "i1"
    assert json.loads(described["input"]) == {"business_id": BUSINESS_ID, "import_id": "i1"}


def test_the_key_of_an_upload_leads_back_to_its_import() -> None:
    with fake_aws():
        s3 = make("s3")
        s3.create_bucket(Bucket="imports")
        S3ImportStore(s3, "imports").put(BUSINESS_ID, "i1", "x")
        (stored,) = s3.list_objects_v2(Bucket="imports")["Contents"]

    assert import_of_key(stored["Key"]) == (BUSINESS_ID, "i1")
