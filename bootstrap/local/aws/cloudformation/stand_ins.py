"""Types that nothing in the local cloud can make: their resources are only recorded, and every event of theirs says so.

A type that is neither here nor among the adapters is refused.
"""

from __future__ import annotations

REASON = "STAND-IN: the local cloud only records this resource"

STAND_INS: dict[str, str] = {
    "AWS::AccessAnalyzer::Analyzer": "no policy analysis",
    "AWS::Backup::BackupSelection": "no backup runs",
    "AWS::CE::AnomalyMonitor": "nothing costs anything",
    "AWS::CE::AnomalySubscription": "nothing costs anything",
    "AWS::CodeArtifact::Domain": "no packages are kept",
    "AWS::CodeArtifact::Repository": "no packages are kept",
    "AWS::Config::ConformancePack": "no rules are evaluated",
    "AWS::DLM::LifecyclePolicy": "no snapshot is taken by schedule",
    "AWS::DirectConnect::DirectConnectGateway": "nothing is routed over a line",
    "AWS::DirectConnect::DirectConnectGatewayAssociation": "nothing is routed over a line",
    "AWS::DirectConnect::Lag": "no lines to bundle",
    "AWS::DirectConnect::PrivateVirtualInterface": "nothing is routed over a line",
    "AWS::DirectConnect::PublicVirtualInterface": "nothing is routed over a line",
    "AWS::DirectConnect::TransitVirtualInterface": "nothing is routed over a line",
    "AWS::Inspector::AssessmentTarget": "nothing is assessed",
    "AWS::SSM::Association": "no document is applied by schedule",
}
