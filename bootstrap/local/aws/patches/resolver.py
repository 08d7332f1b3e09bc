"""Additions to moto's Route 53 Resolver: query logging configurations can be tagged, disassociated and deleted."""

from __future__ import annotations

import datetime
import functools
import json
from typing import Any

from bootstrap.local.aws.persistence import randomness


class ResolverPatches:
    """One method for each module that is changed."""

    def _route53resolver_models(self, module: Any) -> None:
        class Moment(datetime.datetime):
            """The time of this thread's clock; a replay shows the same time."""

            @classmethod
            def now(cls, tz: datetime.tzinfo | None = None) -> Any:
                return randomness.utcnow().replace(tzinfo=tz)

        module.datetime = Moment
        check_arn = module.Route53ResolverBackend._matched_arn

        @functools.wraps(check_arn)
        def matched_arn(backend: Any, resource_arn: str) -> None:
            if resource_arn not in {one.arn for one in backend.resolver_query_log_configs.values()}:
                check_arn(backend, resource_arn)

        module.Route53ResolverBackend._matched_arn = matched_arn

    def _route53resolver_responses(self, module: Any) -> None:
        def delete_resolver_query_log_config(response: Any) -> str:
            backend, config_id = response.route53resolver_backend, response._get_param("ResolverQueryLogConfigId")
            config = backend.get_resolver_query_log_config(config_id)
            if config.association_count:
                raise _make_in_use_refusal(config_id)
            del backend.resolver_query_log_configs[config_id]
            backend.tagger.delete_all_tags_for_resource(config.arn)
            return json.dumps({"ResolverQueryLogConfig": {**config.description(), "Status": "DELETING"}})

        def disassociate_resolver_query_log_config(response: Any) -> str:
            backend = response.route53resolver_backend
            config = backend.get_resolver_query_log_config(response._get_param("ResolverQueryLogConfigId"))
            pair = (config.id, response._get_param("ResourceId"))
            associations = backend.resolver_query_log_config_associations
            matching = [
                one for one in associations.values() if (one.resolver_query_log_config_id, one.resource_id) == pair
            ]
            if not matching:
                raise _make_absent_refusal(*pair)
            del associations[matching[0].id]
            config.association_count -= 1
            description = {**matching[0].description(), "Status": "DELETING"}
            return json.dumps({"ResolverQueryLogConfigAssociation": description})

        module.Route53ResolverResponse.delete_resolver_query_log_config = delete_resolver_query_log_config
        module.Route53ResolverResponse.disassociate_resolver_query_log_config = disassociate_resolver_query_log_config


def _make_in_use_refusal(name: str) -> Exception:
    from moto.route53resolver.exceptions import InvalidRequestException

    refusal: Exception = InvalidRequestException(f"{name} is still associated with VPCs: disassociate them first")
    return refusal


def _make_absent_refusal(name: str, vpc: str) -> Exception:
    from moto.route53resolver.exceptions import ResourceNotFoundException

    refusal: Exception = ResourceNotFoundException(f"Resolver query log config '{name}' is not associated with '{vpc}'")
    return refusal
