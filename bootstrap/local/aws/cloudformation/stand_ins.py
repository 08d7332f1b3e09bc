"""Stand-ins: types that the local cloud cannot make. Their resources are only recorded, and each of their events says so.

A type that has neither an adapter nor an entry here is refused.
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
