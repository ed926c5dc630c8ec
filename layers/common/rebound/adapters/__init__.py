"""The outside world behind the ports: DynamoDB, SQS, SES, SNS, Twilio, S3, Step Functions, EventBridge."""
