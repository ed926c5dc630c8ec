"""What a request to AWS needs of IAM: actions, resources and condition keys (service authorization reference)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from tests.fakes.aws import ACCOUNT, REGION, table_definitions
from tests.fakes.deployment import AwsCall
from tests.policies.engines import Need

IDENTITIES: Final = ("example.com", "hello@example.com", "mail.example.com", "hello@mail.example.com")
"""SES asks for the most specific identity that is verified, which may be any of these where the stack has the first."""
_UPLOADING: Final = ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload")
"""All of them are s3:PutObject to IAM."""
_IN_TRANSACTION: Final = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem"}


def needed(call: AwsCall) -> Iterator[Need]:
    """Everything that IAM asks for when this request is made."""
    match call.service, call.operation:
        case "dynamodb", operation:
            yield from _of_dynamodb(operation, call.body)
        case "sqs", operation:
            queue = call.body["QueueUrl"].rpartition("/")[2]
            yield Need(f"sqs:{operation.removesuffix('Batch')}", _arn("sqs", queue))
        case "sesv2", operation if operation == "GetAccount" or "Suppressed" in operation:
            yield Need(f"ses:{operation}", "*")
        case "sesv2", operation:
            for identity in IDENTITIES:
                yield Need(f"ses:{operation}", _arn("ses", f"identity/{identity}"))
            # An email to an owner is in none.
            if "ConfigurationSetName" in call.body:
                yield Need(f"ses:{operation}", _arn("ses", f"configuration-set/{call.body['ConfigurationSetName']}"))
                yield Need(f"ses:{operation}", _arn("ses", "template/any"))
        case "sns", "Publish":
            # A phone number is no resource; a topic would be one.
            yield Need("sns:Publish", "*")
        case "secrets-manager", operation:
            yield Need(f"secretsmanager:{operation}", call.body["SecretId"])
        case "sfn", operation:
            yield Need(f"states:{operation}", call.body["stateMachineArn"])
        case "eventbridge", operation:
            for entry in call.body["Entries"]:
                yield Need(f"events:{operation}", _arn("events", f"event-bus/{entry['EventBusName']}"))
        case "scheduler", "CreateSchedule":
            name = unquote(urlsplit(call.request.url).path.rpartition("/")[2])
            yield Need("scheduler:CreateSchedule", _arn("scheduler", f"schedule/{call.body['GroupName']}/{name}"))
            passed = (("iam:PassedToService", ("scheduler.amazonaws.com",)),)
            yield Need("iam:PassRole", call.body["Target"]["RoleArn"], passed)
        case "s3", operation:
            yield from _of_s3(operation, call.request)
        case service, operation:
            raise AssertionError(f"{call.function} asks {service} for {operation}: say here what IAM wants for that")


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def _of_s3(operation: str, request: Any) -> Iterator[Need]:
    parts = urlsplit(request.url)
    bucket = parts.netloc.split(".")[0]
    path = parts.path if bucket != "s3" else "/" + parts.path.split("/", 2)[2]
    bucket = bucket if bucket != "s3" else parts.path.split("/")[1]
    if operation == "DeleteObjects":
        for found in re.findall(r"<Key>([^<]*)</Key>", request.body.decode()):
            yield Need("s3:DeleteObject", f"arn:aws:s3:::{bucket}/{found}")
        return
    operation = {"HeadObject": "GetObject", **dict.fromkeys(_UPLOADING, "PutObject")}.get(operation, operation)
    yield Need(f"s3:{operation}", f"arn:aws:s3:::{bucket}{path}")


def _of_dynamodb(operation: str, body: Mapping[str, Any]) -> Iterator[Need]:
    match operation:
        case "TransactWriteItems":
            for item in body["TransactItems"]:
                ((kind, what),) = item.items()
                action = _IN_TRANSACTION.get(kind, f"{kind}Item")
                yield _of_row(action, what["TableName"], what.get("Item") or what["Key"])
        case "BatchGetItem":
            for table, asked in body["RequestItems"].items():
                for key in asked["Keys"]:
                    yield _of_row(operation, table, key)
        case "BatchWriteItem":
            for table, writes in body["RequestItems"].items():
                for write in writes:
                    yield _of_row(
                        operation, table, write.get("PutRequest", {}).get("Item") or write["DeleteRequest"]["Key"]
                    )
        case "Query":
            name, value = re.findall(r"(#\w+) = (:\w+)", body["KeyConditionExpression"])[0]
            row = {body["ExpressionAttributeNames"][name]: body["ExpressionAttributeValues"][value]}
            index = body.get("IndexName", "")
            assert list(row) == [_partition_key(body["TableName"], index)], body
            yield _of_row(operation, body["TableName"], row, index)
        case "Scan":
            yield Need("dynamodb:Scan", _arn("dynamodb", f"table/{body['TableName']}"))
        case _:
            yield _of_row(operation, body["TableName"], body.get("Item") or body["Key"])


def _of_row(action: str, table: str, row: Mapping[str, Any], index: str = "") -> Need:
    (leading,) = row[_partition_key(table, index)].values()
    resource = _arn("dynamodb", f"table/{table}" + (f"/index/{index}" if index else ""))
    return Need(f"dynamodb:{action}", resource, (("dynamodb:LeadingKeys", (str(leading),)),))


def _partition_key(table: str, index: str) -> str:
    definition = table_definitions()[table]
    indexes = {each["IndexName"]: each for each in definition.get("GlobalSecondaryIndexes", ())}
    keys = (indexes[index] if index else definition)["KeySchema"]
    return next(str(each["AttributeName"]) for each in keys if each["KeyType"] == "HASH")
