"""Make the object-store buckets that do not exist yet: `python -m infra.buckets NAME ...` (containers only)."""

import sys
from collections.abc import Sequence


def create_buckets(names: Sequence[str]) -> None:
    """Create buckets at the store that the AWS variables of the environment name."""
    import boto3

    store = boto3.client("s3")
    existing = {bucket["Name"] for bucket in store.list_buckets()["Buckets"]}
    for name in names:
        if name not in existing:
            store.create_bucket(Bucket=name)


if __name__ == "__main__":
    create_buckets(sys.argv[1:])
