"""Imports, exports and jobs: a file is brought by the browser to where files are kept, and told about line by line."""

import gzip
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from copy import replace
from email.parser import BytesParser
from email.policy import HTTP
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page

from rebound.console.http.files import jobs as jobs_page
from rebound.console.wiring import use_cases
from rebound.imports_exports.adapters.import_store import S3ImportStore
from rebound.imports_exports.domain import UploadForm
from rebound.jobs.domain import JobKind, JobStatus
from rebound.segments.domain.selections import CustomerFilter
from rebound.staff.domain import Role
from tests.fakes.aws import make
from tests.fakes.making import BUSINESS_ID
from tests.integration.conftest import API_ID, Stack
from tests.integration.console.conftest import check, sign_in
from tests.integration.console.desk import Desk
from tests.integration.console.test_customers import MOST_REQUESTS, counted

ATTACK: Final = '"><script>alert(1)</script>'
LIST: Final = (
    "First name;Nachname;E-mail;Cellulare;Birthday;Colour\n"
    f'Anna;Berg;anna@example.com;+14155550101;31/03/1990;"{ATTACK.replace('"', '""')}"\n'
    "Boris;;boris@example.com;;;\n"
    "Carla;Dumas;not an address;;;\n"
    "\u00cdris;Wei\u00df;iris@example.com;;;\n"
).encode("cp1252")
"""As Excel writes it, with a column of no use, a row without a last name and an address that is none."""


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where files are kept, at an address of its own that takes forms as S3 does."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
            parts: dict[str, Any] = {
                str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True)
                for part in BytesParser(policy=HTTP).parsebytes(head + body).iter_parts()
            }
            assert list(parts)[-1] == "file", "what is behind the file is not read"
            fields = {name: value.decode() for name, value in parts.items() if name != "file"}
            assert fields.keys() >= {"policy", "x-amz-signature"}
            make("s3").put_object(Bucket="imports", Key=fields["key"], Body=parts["file"])
            self.send_response(303)
            self.send_header("Location", f"{fields['success_action_redirect']}?bucket=imports&key={fields['key']}")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            """Nothing: what went wrong is seen on the page."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    signed = S3ImportStore.upload_form

    def here(store: S3ImportStore, *given: str) -> UploadForm:
        return replace(signed(store, *given), url=f"http://127.0.0.1:{server.server_port}/")

    monkeypatch.setattr(S3ImportStore, "upload_form", here)
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def public(console: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address that the world knows is the one at which the browser is."""
    monkeypatch.setenv("PUBLIC_URL", console.removesuffix("/console"))


def work_on_import(stack: Stack, import_id: str) -> None:
    """What the state machine of imports does."""
    what = {"business_id": BUSINESS_ID, "import_id": import_id}
    for part in stack.invoke("split_import", what)["parts"]:
        assert stack.invoke("import_customers", {**what, "part": part})["done"]
    stack.invoke("close_import", what)


def bring(page: Page, console: str, content: bytes = LIST) -> None:
    page.goto(f"{console}/imports")
    page.get_by_role("link", name="Import a file").click()
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "Kunden Müller.csv", "mimeType": "text/csv", "buffer": content}
    )
    page.get_by_role("button", name="Send the file").click()


def draft(content: bytes) -> str:
    """A file as it lies there once a browser has brought it."""
    draft_id: str = use_cases().bring_file.new_id()
    make("s3").put_object(Bucket="imports", Key=f"import-drafts/{BUSINESS_ID}/{draft_id}", Body=content)
    return draft_id


def id_in(address: str) -> str:
    return address.rpartition("/")[2]


def test_a_file_is_brought_looked_at_imported_and_told_about_by_line_without_scripts(
    console: str, stack: Stack, bucket: str, public: None, without_scripts: Page
) -> None:
    page = without_scripts
    sign_in(page, console)
    bring(page, console)
    # What S3 adds to the address does not stay there.
    page.wait_for_url("**/console/imports/new/*")
    assert "key=" not in page.url
    assert page.get_by_role("combobox", name="First name").input_value() == "first_name"
    assert page.get_by_label("Cellulare").input_value() == "mobile_phone"
    assert page.get_by_label("Colour").input_value() == ""
    assert ATTACK in page.get_by_role("row", name="Colour").inner_text()
    assert page.get_by_label("Dates").input_value() == "DD/MM/YYYY"
    page.get_by_role("button", name="Import").click()
    page.wait_for_url("**/console/imports/0*")
    work_on_import(stack, id_in(page.url))
    page.get_by_role("link", name="Look again").click()
    said = page.locator("#progress").inner_text()
    assert "Line 3" in said
    assert "Line 4" in said
    assert "owner@salon.example.com" in said
    assert page.get_by_role("link", name="Look again").count() == 0
    names = {each["first_name"]: each for each in stack.api("GET", "/v1/customers").body["items"]}
    assert names.keys() == {"Anna", "Carla", "Íris"}
    assert names["Anna"]["birthday"] == "1990-03-31"
    [listed] = use_cases().start_import.newest(BUSINESS_ID, 9)
    assert (listed.by, listed.options.columns["Colour"]) == ("owner@salon.example.com", None)


def test_what_the_bucket_would_refuse_is_said_before_it_is_sent(
    console: str, stack: Stack, bucket: str, public: None, page: Page
) -> None:
    sign_in(page, console)
    page.goto(f"{console}/imports/new")
    page.locator("form[data-most-bytes]").evaluate("form => { form.dataset.mostBytes = '10'; }")
    page.get_by_label("File", exact=True).set_input_files({"name": "a.csv", "mimeType": "text/csv", "buffer": LIST})
    page.get_by_role("button", name="Send the file").click()
    page.get_by_text("The file is too large").wait_for()
    page.evaluate("() => { const now = Date.now; Date.now = () => now() + 3600000; }")
    page.get_by_role("button", name="Send the file").click()
    page.get_by_text("This page is too old").wait_for()
    assert page.url.endswith("/imports/new")
    page.get_by_role("link", name="Open it again").click()
    page.get_by_role("button", name="Send the file").wait_for()
    assert page.get_by_role("alert").count() == 0


def test_the_progress_of_an_import_is_looked_for_until_it_ends(console: str, stack: Stack, page: Page) -> None:
    draft_id = draft(LIST)
    sign_in(page, console)
    page.goto(f"{console}/imports/new/{draft_id}")
    page.get_by_role("button", name="Import").click()
    page.get_by_text("Waits its turn").wait_for()
    work_on_import(stack, draft_id)
    page.get_by_text("New customers").wait_for()
    assert page.locator("[hx-trigger]").count() == 0


def test_every_page_of_files_is_for_everybody(
    console: str, stack: Stack, bucket: str, public: None, at_width: Page, width: str
) -> None:
    page = at_width
    sign_in(page, console)
    for name in ("imports", "exports", "jobs"):
        page.goto(f"{console}/{name}")
        check(page, f"{name}-none-{width}")
    page.goto(f"{console}/imports/new")
    check(page, f"imports-new-{width}")
    bring(page, console)
    page.wait_for_url("**/console/imports/new/*")
    check(page, f"imports-columns-{width}")
    page.get_by_label("Nachname").select_option("")
    page.get_by_role("button", name="Import").click()
    page.get_by_role("alert").first.wait_for()
    check(page, f"imports-columns-wrong-{width}")
    page.get_by_label("Nachname").select_option("last_name")
    page.get_by_role("button", name="Import").click()
    page.wait_for_url("**/console/imports/0*")
    check(page, f"imports-one-waiting-{width}")
    work_on_import(stack, id_in(page.url))
    page.reload()
    check(page, f"imports-one-{width}")
    exports = use_cases().start_export
    export_id = id_in(stack.api("POST", "/v1/exports", {"format": "csv"}).body["export_id"])
    page.goto(f"{console}/exports/{export_id}")
    check(page, f"exports-one-waiting-{width}")
    stack.invoke("export_customers", {"business_id": BUSINESS_ID, "export_id": export_id})
    assert exports.get(BUSINESS_ID, export_id).job.status == "completed"
    page.reload()
    check(page, f"exports-one-{width}")
    behind = use_cases()
    job_id = behind.job_service.start(BUSINESS_ID, JobKind.BULK_DELETE, {}, by="owner@salon.example.com").job.job_id
    page.goto(f"{console}/jobs/{job_id}")
    check(page, f"jobs-one-{width}")
    behind.ports.jobs.replace(
        replace(behind.ports.jobs.get(BUSINESS_ID, job_id), status=JobStatus.PAUSED, reason="Why.")
    )
    for name in ("imports", "exports", "jobs"):
        page.goto(f"{console}/{name}")
        check(page, f"{name}-{width}")
    page.goto(f"{console}/jobs/{job_id}")
    check(page, f"jobs-one-paused-{width}")


@pytest.fixture
def desk(stack: Stack) -> Desk:
    return Desk(stack).sign_in()


def begin(desk: Desk, draft_id: str) -> None:
    """Import the list as it is taken."""
    shown = desk.get(f"/console/imports/new/{draft_id}").text
    columns = [unescape(name) for name in re.findall(r'name="column" value="([^"]*)"', shown)]
    fields = re.findall(r'<select name="(field\.\d+)".*?value="(\w*)" selected|</select>', shown, re.DOTALL)
    pairs = [*(("column", name) for name in columns), *filter(all, fields), ("csrf", desk.csrf)]
    assert desk.send(f"/console/imports/new/{draft_id}", urlencode(pairs)).status == 303


def test_the_form_sends_the_file_to_the_bucket_and_comes_back_to_where_the_world_reaches_the_console(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for before, public in (
        ("", "https://{api_id}.execute-api.us-east-1.amazonaws.com/live"),
        ("/app", "https://salon.test/app"),
    ):
        monkeypatch.setenv("PUBLIC_URL", public)
        desk.before = before
        seen = desk.get("/console/imports/new")
        own = public.replace("{api_id}", API_ID)
        assert 'action="https://imports.s3.us-east-1.amazonaws.com/" enctype="multipart/form-data"' in seen.text
        assert re.search(rf'name="success_action_redirect" value="{own}/console/imports/new/[0-9A-Z]{{26}}"', seen.text)
        policy = seen.headers["Content-Security-Policy"]
        origin = "/".join(own.split("/")[:3])
        assert f"form-action 'self' https://imports.s3.us-east-1.amazonaws.com {origin};" in policy
        assert "form-action 'self';" in desk.get("/console/imports").headers["Content-Security-Policy"]


def test_sent_twice_it_is_one_import_and_what_is_chosen_holds(stack: Stack, desk: Desk) -> None:
    draft_id = draft(b"Vorname,Nachname,Handy\nAnna,Berg,+14155550101\n")
    fields = [
        *(("column", name) for name in ("Vorname", "Nachname", "Handy")),
        *((f"field.{index}", name) for index, name in enumerate(("first_name", "last_name", "mobile_phone"))),
        *(
            ("match_by", "mobile_phone"),
            ("protect", "chosen"),
            ("kept", "email"),
            ("kept", "birthday"),
            ("clears", "1"),
        ),
        ("csrf", desk.csrf),
    ]
    for _ in range(2):
        seen = desk.send(f"/console/imports/new/{draft_id}", urlencode(fields))
        assert (seen.status, id_in(seen.location)) == (303, draft_id)
    [job] = use_cases().start_import.newest(BUSINESS_ID, 9)
    options = job.options
    assert (options.match_by, options.protect, options.clears) == (("mobile_phone",), ("email", "birthday"), True)
    work_on_import(stack, draft_id)
    [anna] = stack.api("GET", "/v1/customers").body["items"]
    assert anna["mobile_phone"] == "+14155550101"
    # Nor does it begin again once it is done, or somebody goes back.
    assert desk.get(f"/console/imports/new/{draft_id}").location.endswith(f"imports/{draft_id}")
    assert desk.send(f"/console/imports/new/{draft_id}", urlencode(fields)).status == 303
    assert use_cases().start_import.get(BUSINESS_ID, draft_id).job.status == "completed"


@pytest.mark.parametrize(
    ("content", "fields", "said"),
    [
        (
            b"first_name\nAnna\n",
            {"column": "first_name", "field.0": "first_name"},
            "No column is taken for “Last name”.",
        ),
        (
            b"first_name,last_name,family\nA,B,C\n",
            [("column", "last_name"), ("field.0", "last_name"), ("column", "family"), ("field.1", "last_name")],
            "“Last name” is chosen for more than one column.",
        ),
        (b"first_name,last_name\nA,B\n", {"date_format": "whenever"}, 'id="date_format-wrong"'),
        (b"PK\x03\x04", {}, "Excel workbook"),
        (b"", {}, "The file is empty"),
    ],
)
def test_what_cannot_be_imported_says_why_and_nothing_is_lost(
    desk: Desk, content: bytes, fields: Mapping[str, str] | Sequence[tuple[str, str]], said: str
) -> None:
    draft_id = draft(content)
    pairs = list(fields.items() if isinstance(fields, Mapping) else fields)
    seen = desk.send(f"/console/imports/new/{draft_id}", urlencode([("clears", "1"), ("csrf", desk.csrf), *pairs]))
    assert seen.status == 422
    assert said in seen.text
    assert use_cases().start_import.newest(BUSINESS_ID, 9) == []
    if fields:
        assert re.search(r'name="clears" value="1" checked', seen.text)


def test_dates_of_which_it_cannot_be_told_are_asked_about(desk: Desk) -> None:
    for value, asked in (("03/04/1990", True), ("1990-04-03", False), ("31/04/1990", True)):
        shown = desk.get(f"/console/imports/new/{draft(f'first_name,Geburtstag\nA,{value}\n'.encode())}").text
        assert (f"dates such as {value}" in shown) is asked
        assert 'name="date_format" value=""' in shown


@pytest.mark.parametrize("draft_id", ["0" * 26, "x", "..%2Fother%2F1"])
def test_a_file_that_is_not_there_is_asked_for_again(desk: Desk, draft_id: str) -> None:
    seen = desk.get(f"/console/imports/new/{draft_id}")
    assert seen.status == 404
    assert "The file has not arrived" in seen.text


def test_files_are_fetched_by_a_link_that_soon_ends(stack: Stack, desk: Desk) -> None:
    draft_id = draft(LIST)
    begin(desk, draft_id)
    assert desk.get(f"/console/imports/{draft_id}/files/errors").status == 404
    work_on_import(stack, draft_id)
    seen = desk.post("/console/exports", {"format": "csv", "q": "anna@example.com"})
    export_path = desk.go("/console/exports", seen)
    assert desk.get(f"{export_path}/file").status == 404
    stack.invoke("export_customers", {"business_id": BUSINESS_ID, "export_id": id_in(export_path)})
    for path in (
        f"/console/imports/{draft_id}/files/errors",
        f"/console/imports/{draft_id}/files/result",
        f"{export_path}/file",
    ):
        seen = desk.get(path)
        assert seen.status == 303
        assert seen.location.startswith("https://imports.s3.us-east-1.amazonaws.com/exports/")
        assert "X-Amz-Expires=60&" in seen.location
        assert "anna" not in seen.location
    assert "X-Amz" not in desk.get(export_path).text
    [export] = use_cases().start_export.newest(BUSINESS_ID, 9)
    assert (export.by, export.wanted["q"], export.rows) == ("owner@salon.example.com", "anna@example.com", 1)


@pytest.mark.parametrize(
    ("fields", "said"), [({"format": "xls"}, "format-wrong"), ({"format": "csv", "segment": "none"}, "alert")]
)
def test_a_wrong_export_says_so_and_keeps_what_was_typed(desk: Desk, fields: Mapping[str, str], said: str) -> None:
    seen = desk.post("/console/exports", {**fields, "tag": ATTACK})
    assert seen.status == 422
    assert said in seen.text
    assert 'value="&#34;&gt;&lt;script&gt;' in seen.text


def test_the_list_of_customers_leads_to_its_export(desk: Desk) -> None:
    seen = desk.post("/console/customers/export", {"tag": "vip"})
    assert desk.get(desk.go("/console/customers/export", seen)).status == 200


def test_a_paused_job_goes_on_and_one_that_has_ended_does_not(desk: Desk) -> None:
    behind = use_cases()
    job_id = behind.job_service.start(BUSINESS_ID, JobKind.COUNT, {"wanted": {}}).job.job_id
    assert "Go on" not in desk.get(f"/console/jobs/{job_id}").text
    jobs = behind.ports.jobs
    jobs.replace(replace(jobs.get(BUSINESS_ID, job_id), status=JobStatus.PAUSED, reason="Something failed."))
    seen = desk.get(f"/console/jobs/{job_id}")
    assert "Something failed." in seen.text
    assert "Go on" in seen.text
    assert desk.post(f"/console/jobs/{job_id}/resume").status == 303
    assert jobs.get(BUSINESS_ID, job_id).status is JobStatus.COUNTING
    jobs.replace(replace(jobs.get(BUSINESS_ID, job_id), status=JobStatus.COMPLETED))
    assert desk.post(f"/console/jobs/{job_id}/resume").status == 409


def test_all_that_runs_is_in_one_list_by_time_with_pages(stack: Stack, desk: Desk) -> None:
    behind, made = use_cases(), []
    for number in range(27):
        kind = number % 3
        if kind == 0:
            made.append(behind.job_service.start(BUSINESS_ID, JobKind.COUNT, {}).job.job_id)
        elif kind == 1:
            made.append(behind.start_import(BUSINESS_ID, "csv", None)[0].job.import_id)
        else:
            made.append(behind.start_export(BUSINESS_ID, "csv", CustomerFilter()).job.export_id)
    first = desk.get("/console/jobs").text
    before = re.search(r"jobs\?before=([0-9A-Z]+)", first)
    assert before is not None
    rest = desk.get(f"/console/jobs?before={before[1]}").text
    shown = [
        re.findall(r'class="whole" href="[^"]*/?(?:jobs|imports|exports)/([0-9A-Z]{26})"', text)
        for text in (first, rest)
    ]
    assert [*shown[0], *shown[1]] == sorted(made, reverse=True)
    assert len(shown[0]) == 25
    assert desk.get("/console/jobs?before=nonsense").status == 200


def test_looks_of_recurring_campaigns_that_are_done_do_not_crowd_the_list(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_page, "MOST_JOBS", 4)
    behind = use_cases()
    oldest = behind.start_export(BUSINESS_ID, "csv", CustomerFilter()).job.export_id
    looks = [behind.job_service.start(BUSINESS_ID, JobKind.RECURRING, {}).job.job_id for _ in range(9)]
    jobs = behind.ports.jobs
    for look in looks:
        status = JobStatus.PAUSED if look == looks[1] else JobStatus.COMPLETED
        jobs.replace(replace(jobs.get(BUSINESS_ID, look), status=status))
    shown, path = [], "/console/jobs"
    for _ in range(4):
        text = desk.get(path).text
        shown += re.findall(r'class="whole" href="[^"]*/([0-9A-Z]{26})"', text)
        more = re.search(r"jobs\?before=[0-9A-Z]+", text)
        if more is None:
            break
        path = f"/console/{more[0]}"
    assert sorted(shown) == sorted([looks[1], oldest])


@pytest.mark.parametrize(
    "path", ["imports", "imports/new", "imports/new/*", "imports/*", "exports", "exports/*", "jobs", "jobs/*"]
)
def test_a_page_of_files_needs_few_requests(stack: Stack, desk: Desk, path: str) -> None:
    draft_id = draft(LIST)
    export_id = use_cases().start_export(BUSINESS_ID, "csv", CustomerFilter()).job.export_id
    job_id = use_cases().job_service.start(BUSINESS_ID, JobKind.COUNT, {}).job.job_id
    if path == "imports/*":
        begin(desk, draft_id)
        work_on_import(stack, draft_id)
    ids = {"imports": draft_id, "exports": export_id, "jobs": job_id}
    page = f"/console/{path.replace('*', ids[path.partition('/')[0]])}"
    desk.get(page)
    with counted() as names:
        assert desk.get(page).status == 200
    assert len(names) <= MOST_REQUESTS, names


def test_of_many_wrong_lines_the_first_are_shown_and_the_rest_is_in_the_file(stack: Stack, desk: Desk) -> None:
    wide = "x" * 60
    rows = "".join(f"{wide}{number},\n" for number in range(700))
    draft_id = draft(f"first_name,last_name\n{rows}".encode())
    begin(desk, draft_id)
    work_on_import(stack, draft_id)
    with counted() as names:
        shown = desk.get(f"/console/imports/{draft_id}").text
    assert len(names) <= MOST_REQUESTS, names
    assert "<strong>Line 2</strong>" in shown
    assert shown.count("<strong>Line ") == 100
    assert "the file of problems has all" in shown
    assert "700 rows" in shown
    assert len(gzip.compress(shown.encode())) < 100_000


@pytest.mark.parametrize("role", [Role.STAFF, Role.VIEWER])
def test_files_are_the_owners(stack: Stack, desk: Desk, role: Role) -> None:
    other = Desk(stack).sign_in("other@salon.example.com", role)
    for path in ("imports", "imports/new", "exports", "jobs"):
        assert other.get(f"/console/{path}").status == 403
    for path in ("exports", f"imports/new/{draft(LIST)}", "jobs/x/resume"):
        assert other.post(f"/console/{path}", {"format": "csv"}).status == 403
    assert "imports" not in other.get("/console/customers").text
    # Where there is nobody yet, the list of customers leads there.
    assert "imports/new" in desk.get("/console/customers").text
    assert use_cases().start_import.newest(BUSINESS_ID, 9) == []
