"""`sam deploy` of the template to the embedded AWS, and what that AWS needs beside it."""

import json
from collections.abc import Mapping
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from samtranslator.yaml_helper import yaml_parse

from local.stack.build import DEPLOYED, sam
from local.stack.configuration import StackConfiguration
from local.stack.errors import StackError
from local.twin.settings import TwinSettings

STACK_NAME: Final = "rebound"
_TEMPLATE: Final = DEPLOYED / "template.yaml"
_ARTIFACTS: Final = "rebound-artifacts"
# Each copy of a function is a process of its own here, and takes a core for half a second to start.
_COPIES: Final = 2
_SECRET: Final = "rebound/twilio"  # noqa: S105 - the name, not the content


def client(configuration: StackConfiguration, service: Any) -> Any:
    """A boto3 client of the embedded AWS, whatever account this machine is signed in to."""
    return boto3.client(
        service,
        endpoint_url=configuration.aws_endpoint_url,
        region_name=configuration.region,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - the embedded AWS takes any
        config=Config(
            connect_timeout=5,
            read_timeout=60,
            retries={"total_max_attempts": 2, "mode": "standard"},
            proxies={},
            s3={"addressing_style": "path"},
        ),
    )


def deploy(
    configuration: StackConfiguration, name: str = STACK_NAME, text_log_groups: str = "create"
) -> Mapping[str, str]:
    """Creates or updates the stack from the built template; returns its outputs. Raises ``StackError``.

    A second stack of the same account and region has another name, and finds the log groups of texts there.
    """
    parameters = {
        "Architecture": configuration.architecture,
        "SenderIdentity": ",".join(TwinSettings().ses_identities),
        "ConsoleSender": f"console@{TwinSettings().ses_identities[0]}",
        "TwilioSecretArn": _twilio_secret(configuration),
        "TextLogGroups": text_log_groups,
        "PublicUrl": configuration.public_url,
        "LoopbackWebhooks": "true",
        "ExpansionRanges": str(_COPIES),
    }
    _create_artifacts_bucket(configuration)
    sam(
        [
            "deploy",
            "--template-file",
            str(_TEMPLATE),
            "--stack-name",
            name,
            "--s3-bucket",
            _ARTIFACTS,
            "--capabilities",
            "CAPABILITY_IAM",
            "--no-confirm-changeset",
            "--no-fail-on-empty-changeset",
            "--parameter-overrides",
            *(f"{name}={value}" for name, value in parameters.items()),
        ],
        configuration.environment(),
        configuration.directory / ("deploy.log" if name == STACK_NAME else f"deploy-{name}.log"),
    )
    found = outputs(configuration, name)
    _set_gateway_responses(configuration, found["ApiId"])
    _limit_copies(configuration)
    return found


def outputs(configuration: StackConfiguration, name: str = STACK_NAME) -> Mapping[str, str]:
    """The outputs of the deployed stack by name."""
    stack = client(configuration, "cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def operate(configuration: StackConfiguration, function: str, command: Mapping[str, object]) -> Mapping[str, str]:
    """One command to the operator's function, as `rebound` gives it. Raises ``StackError`` with what it says."""
    answer = client(configuration, "lambda").invoke(FunctionName=function, Payload=json.dumps(command).encode())
    said = answer["Payload"].read().decode()
    if "FunctionError" in answer:
        raise StackError(f"`{command['command']}` failed: {said}")
    found: dict[str, str] = json.loads(said)
    return found


def _twilio_secret(configuration: StackConfiguration) -> str:
    """The ARN of the secret, with what the twin signs its callbacks with."""
    secrets = client(configuration, "secretsmanager")
    twin = TwinSettings()
    content = json.dumps({"account_sid": twin.twilio_account_sid, "auth_token": twin.twilio_auth_token})
    try:
        arn = secrets.create_secret(Name=_SECRET, SecretString=content)["ARN"]
    except secrets.exceptions.ResourceExistsException:
        arn = secrets.describe_secret(SecretId=_SECRET)["ARN"]
    return str(arn)


def _create_artifacts_bucket(configuration: StackConfiguration) -> None:
    """A plain bucket, because the one that `--resolve-s3` makes is a whole stack of its own."""
    storage = client(configuration, "s3")
    try:
        storage.create_bucket(Bucket=_ARTIFACTS)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
            raise


def _set_gateway_responses(configuration: StackConfiguration, api_id: str) -> None:
    """MiniStack 1.5.33 does not read gateway responses from an API's body, where SAM puts them."""
    gateway = client(configuration, "apigateway")
    template = yaml_parse(_TEMPLATE.read_text(encoding="utf-8"))
    for response_type, response in template["Resources"]["Api"]["Properties"]["GatewayResponses"].items():
        headers = response.get("ResponseParameters", {}).get("Headers", {})
        status = {"statusCode": str(response["StatusCode"])} if "StatusCode" in response else {}
        gateway.put_gateway_response(
            restApiId=api_id,
            responseType=response_type,
            responseParameters={f"gatewayresponse.header.{name}": value for name, value in headers.items()},
            responseTemplates=response["ResponseTemplates"],
            **status,
        )
    gateway.create_deployment(restApiId=api_id, stageName="live")


def _limit_copies(configuration: StackConfiguration) -> None:
    """AWS starts as many copies for a queue as there is work; here they would only take the cores from one another."""
    functions = client(configuration, "lambda")
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        if ":sqs:" in mapping["EventSourceArn"]:
            functions.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": _COPIES})
