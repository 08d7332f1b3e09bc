"""Estimates what an account file costs a month on AWS, by the table `prices.yaml`."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from bootstrap.environment.account_file import AccountSettings
from bootstrap.planning import costs
from bootstrap.planning.costs import Estimate, Item


def estimate(settings: AccountSettings, region: str, table: Path) -> Estimate:
    """What the trail costs; the settings cost nothing. PricesInvalid for a bad table.

    CloudTrail takes nothing for the first copy of the events of management. The key costs by the month, the records
    by their size.
    """
    content = costs.read(table)
    prices = content["regions"].get(region, {})
    key = prices.get("monthly", {}).get("customer_key")
    items = (Item("customer key", 1, None if key is None else Decimal(str(key)), "monthly.customer_key"),)
    size = prices.get("by_use", {}).get("s3_gib")
    by_use = (f"records of the trail in S3, each month, {size} a GiB",) if size is not None else ()
    has_trail = settings.trail is not None
    return Estimate(
        items=items if has_trail else (),
        by_use=by_use if has_trail else (),
        region=region,
        currency=content["currency"],
        noted_on=str(content["noted_on"]),
        source=content["source"],
    )
