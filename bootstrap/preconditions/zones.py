"""The availability zones of an environment: those that its subnets are in, and those that the account can use."""

from __future__ import annotations

from bootstrap.context import Context


def list_existing(context: Context) -> tuple[str, ...]:
    """The zones of the network's subnets, in the order of the subnets; empty if its stack was never finished."""
    outputs = context.stacks["network"].outputs
    if outputs.get("ZoneNames"):
        return tuple(outputs["ZoneNames"].split(","))
    subnets = [it for it in outputs.get("PrivateSubnetIds", "").split(",") if it]
    if not subnets:  # of a stack that was never finished
        return ()
    answer = context.world.aws("ec2").describe_subnets(SubnetIds=subnets)["Subnets"]
    zone_of = {it["SubnetId"]: str(it["AvailabilityZone"]) for it in answer}
    return tuple(zone_of[it] for it in subnets)


def list_available(context: Context) -> tuple[str, ...]:
    """The availability zones that the account can use now, by name, in the order of GetAZs."""
    answer = context.world.aws("ec2").describe_availability_zones()["AvailabilityZones"]
    return tuple(
        sorted(
            zone["ZoneName"]
            for zone in answer
            if zone.get("State", "available") == "available"
            and zone.get("ZoneType", "availability-zone") == "availability-zone"
        )
    )
