"""Budgets and cost categories."""

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
        """Create the budget with its notifications."""
        budget = dict(to.get("Budget") or {})
        budget.setdefault("BudgetName", to.generate_name())
        self._create_budget(to, budget)
        return str(budget["BudgetName"])

    def update(self, to: To) -> None:
        """Delete the budget and create it again with the same name: a budget has no data that could be lost."""
        self.delete(to)
        self._create_budget(to, {**(to.get("Budget") or {}), "BudgetName": to.physical_id})

    def delete(self, to: To) -> None:
        """Delete the budget."""
        to.call("budgets", "delete_budget", AccountId=to.account, BudgetName=to.physical_id)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the id. Raises Gone when the budget does not exist."""
        to.call("budgets", "describe_budget", AccountId=to.account, BudgetName=to.physical_id)
        return {"Id": to.physical_id}

    def _create_budget(self, to: To, budget: dict[str, Any]) -> None:
        to.call(
            "budgets", "create_budget", AccountId=to.account, Budget=budget, **to.pick("NotificationsWithSubscribers")
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
            id_path="CostCategoryArn",
            name="Name",
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
