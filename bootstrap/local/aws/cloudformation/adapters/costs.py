"""Budgets and categories of costs."""

from __future__ import annotations

import json
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Adapter
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagging


class Budget(Adapter):
    """AWS::Budgets::Budget; Ref is its name."""

    type = "AWS::Budgets::Budget"

    def create(self, to: To) -> str:
        """With its notifications."""
        wanted = dict(to.get("Budget") or {})
        wanted.setdefault("BudgetName", to.name(100))
        self._put(to, wanted)
        return str(wanted["BudgetName"])

    def update(self, to: To) -> None:
        """Made anew under its name: budgets hold nothing."""
        self.delete(to)
        self._put(to, {**(to.get("Budget") or {}), "BudgetName": to.physical_id})

    def delete(self, to: To) -> None:
        """By name."""
        to.call("budgets", "delete_budget", AccountId=to.account, BudgetName=to.physical_id)

    def attributes(self, to: To) -> dict[str, Any]:
        """Reading it tells whether it is there."""
        to.call("budgets", "describe_budget", AccountId=to.account, BudgetName=to.physical_id)
        return {"Id": to.physical_id}

    def _put(self, to: To, wanted: dict[str, Any]) -> None:
        to.call(
            "budgets", "create_budget", AccountId=to.account, Budget=wanted, **to.pick("NotificationsWithSubscribers")
        )


ADAPTERS = (
    Budget(),
    TableAdapter(
        Entry(
            "AWS::CE::CostCategory",
            "ce",
            "create_cost_category_definition",
            "delete_cost_category_definition",
            "CostCategoryArn",
            found="CostCategoryArn",
            name="Name",
            limit=50,
            shaped={"Rules": json.loads, "SplitChargeRules": json.loads},
            update="update_cost_category_definition",
            takes=("DefaultValue", "RuleVersion", "Rules", "SplitChargeRules"),
            whole=True,
            read="describe_cost_category_definition",
            item="CostCategory",
            attributes={"Arn": "@id", "EffectiveStart": "EffectiveStart"},
            tags=Tagging(tags="ResourceTags", keys="ResourceTagKeys"),
        )
    ),
)
