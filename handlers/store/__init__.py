"""The table port: conditional writes, transactions and consistent reads, on DynamoDB and in memory."""
