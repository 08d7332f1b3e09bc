"""Random templates, well-formed ones and others."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

FUNCTIONS = (
    "Ref", "Condition", "Fn::And", "Fn::Base64", "Fn::Cidr", "Fn::Equals", "Fn::FindInMap", "Fn::GetAZs", "Fn::GetAtt",
    "Fn::If", "Fn::ImportValue", "Fn::Join", "Fn::Length", "Fn::Not", "Fn::Or", "Fn::Select", "Fn::Split", "Fn::Sub",
    "Fn::ToJsonString", "Fn::Transform", "Fn::Contains", "Fn::RefAll", "Fn::ValueOf", "Fn::ForEach::X",
)  # fmt: skip
WORDS = (
    "A", "B", "A.TopicArn", "P", "L", "M", "a", "b", "C", "D", "", ",", "0", "2", "10.0.0.0/16", "${A}", "${P}",
    "${A.TopicArn}", "AWS::NoValue", "AWS::Region", "AWS::StackName", "Retain", "mars-1", "\x01", "${",
    "{{resolve:ssm:x}}", "true",
)  # fmt: skip
PLAIN = st.sampled_from(WORDS) | st.integers(-2, 300) | st.booleans() | st.none() | st.floats() | st.text(max_size=3)


def within(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Lists, maps, and calls of functions that have `children` in them."""
    arguments = children | st.lists(children, max_size=4)
    calls = st.builds(lambda name, argument: {name: argument}, st.sampled_from(FUNCTIONS), arguments)
    return (
        calls | calls | st.lists(children, max_size=3) | st.dictionaries(st.sampled_from(WORDS), children, max_size=3)
    )


def calls_in(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Calls of functions with the right number of arguments, which need not be of the right kind."""
    forms = {
        "Fn::Base64": children,
        "Fn::Cidr": st.tuples(children, st.integers(0, 300) | children, st.integers(0, 40) | children),
        "Fn::FindInMap": st.tuples(st.just("M"), st.just("a") | children, st.just("b") | children),
        "Fn::GetAZs": children,
        "Fn::GetAtt": st.tuples(st.sampled_from("AB"), st.just("TopicArn") | children),
        "Fn::If": st.tuples(st.sampled_from("CD"), children, children),
        "Fn::ImportValue": children,
        "Fn::Join": st.tuples(st.sampled_from(("", ",")), st.lists(children, max_size=3) | children),
        "Fn::Select": st.tuples(st.integers(-1, 3) | children, st.lists(children, max_size=3) | children),
        "Fn::Split": st.tuples(st.sampled_from((",", "a")), children),
        "Fn::Sub": st.tuples(st.sampled_from(("${A}-${V}", "${V}")), st.fixed_dictionaries({"V": children})),
        "Fn::ToJsonString": st.lists(children, max_size=2),
        "Fn::Length": children,
    }
    return st.one_of([st.fixed_dictionaries({name: argument}) for name, argument in forms.items()])


REFERENCES = st.sampled_from([{"Ref": name} for name in ("P", "L", "AWS::NoValue", "AWS::Region", "A")])
CALLS = st.recursive(st.sampled_from(("a", "2", 3, True, ["x", "y"], {"k": "v"})) | REFERENCES, calls_in, max_leaves=6)
EQUALS = st.fixed_dictionaries({"Fn::Equals": st.tuples(CALLS, CALLS)}) | st.just({"Fn::Equals": ["a", "b"]})
WELL_FORMED = st.fixed_dictionaries(
    {
        "Parameters": st.just(
            {"P": {"Type": "String", "Default": "2"}, "L": {"Type": "CommaDelimitedList", "Default": "a,10.0.0.0/16,2"}}
        ),
        "Mappings": st.just({"M": {"a": {"b": ["x", "y"]}, "x": {"y": "2"}}}),
        "Conditions": st.fixed_dictionaries({"C": EQUALS, "D": EQUALS | st.just({"Fn::Not": [{"Condition": "C"}]})}),
        "Resources": st.fixed_dictionaries(
            {
                "A": st.sampled_from(({"Type": "AWS::SNS::Topic", "Condition": "C"}, {"Type": "AWS::SNS::Topic"})),
                "B": st.fixed_dictionaries(
                    {
                        "Type": st.just("AWS::SNS::Topic"),
                        "Properties": st.fixed_dictionaries(
                            {}, optional={"TopicName": CALLS, "Subscription": CALLS, "Tags": CALLS}
                        ),
                    }
                ),
            }
        ),
        "Outputs": st.fixed_dictionaries(
            {"O": st.fixed_dictionaries({"Value": CALLS}, optional={"Condition": st.just("D")})}
        ),
    },
    optional={"Transform": st.just("AWS::LanguageExtensions")},
)
VALUES = st.recursive(PLAIN, within, max_leaves=5)
TOPICS = st.fixed_dictionaries(
    {"Type": st.just("AWS::SNS::Topic")},
    optional={
        "Properties": st.fixed_dictionaries({}, optional={"TopicName": VALUES, "DisplayName": VALUES, "Tags": VALUES})
        | VALUES,
        "Condition": st.just("C") | VALUES,
        "DependsOn": st.just("B") | VALUES,
        "DeletionPolicy": VALUES,
        "CreationPolicy": VALUES,
        "UpdatePolicy": VALUES,
        "Metadata": VALUES,
    },
)
OUTPUTS = st.fixed_dictionaries(
    {"Value": VALUES},
    optional={"Condition": VALUES, "Description": VALUES, "Export": st.fixed_dictionaries({"Name": VALUES})},
)
PARAMETERS = st.fixed_dictionaries(
    {"Type": st.sampled_from(("String", "Number", "CommaDelimitedList"))},
    optional={"Default": st.just("2") | VALUES, "AllowedValues": VALUES, "AllowedPattern": PLAIN, "MaxLength": VALUES},
)
TEMPLATES = st.fixed_dictionaries(
    {"Resources": st.fixed_dictionaries({"A": TOPICS}, optional={"B": TOPICS, "X": VALUES})},
    optional={
        "Parameters": st.fixed_dictionaries({"P": PARAMETERS, "L": PARAMETERS}) | VALUES,
        "Mappings": st.just({"M": {"a": {"b": ["x", "y"]}}}) | VALUES,
        "Conditions": st.fixed_dictionaries({"C": VALUES}, optional={"D": VALUES}) | VALUES,
        "Outputs": st.fixed_dictionaries({"O": OUTPUTS}) | VALUES,
        "Rules": st.fixed_dictionaries(
            {"R": st.fixed_dictionaries({"Assertions": VALUES}, optional={"RuleCondition": VALUES})}
        ),
        "Transform": st.just("AWS::LanguageExtensions") | VALUES,
        "Description": PLAIN,
    },
)
