"""Azure's own sentence, out of its frames: the innermost text first."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateways.azure.sentences import of_error, sentence, unwrapped

HELM = (
    "The extension operation failed with the following error:  Error: [ InnerError: [Helm installation failed : Unable"
    " to create/update Kubernetes resources for the extension : Recommendation Please check that there are no policies"
    " blocking the resource creation/update for the extension. Please refer to this URL for more details on this error:"
    " aka.ms/bing : InnerError [release edge01 failed, and has been uninstalled due to atomic being set: failed"
    " pre-install: pod healthcheck failed]]] occurred while doing the operation : [Create] on the config, For general"
    " troubleshooting visit: https://aka.ms/k8s-extensions-TSG, For more application specific troubleshooting visit:"
    " Troubleshooting: https://aka.ms/arcmltsg."
)
OLDER = (
    "The extension operation failed with the following error:  Error: {Helm installation from path [] for release"
    " [edge01] failed with the following error: err [release edge01 failed, and has been uninstalled due to atomic being"
    " set: timed out waiting for the condition]} occurred while doing the operation : {Installing the extension} on the"
    " config."
)


def test_the_cause_comes_first_and_frames_links_and_recommendations_are_gone() -> None:
    assert unwrapped(HELM) == (
        "failed pre-install: pod healthcheck failed. Helm installation failed : Unable to create/update Kubernetes"
        " resources for the extension"
    )


def test_an_older_answer_has_braces_for_brackets() -> None:
    text = unwrapped(OLDER)
    assert text.startswith("timed out waiting for the condition. Helm installation from path [] for release [edge01]")
    assert "occurred while" not in text


@pytest.mark.parametrize(
    "message",
    [
        "Too many tokens",
        "The range of valid IPs is 10.0.0.0/16",
        'Service "x" is invalid: spec.clusterIPs: failed to allocate IP 10.0.0.1: provided IP is already allocated',
        'Unable to continue with install: ClusterRole "cm" in namespace "" exists and cannot be imported',
    ],
)
def test_a_message_without_a_frame_stays_as_it_is(message: str) -> None:
    assert unwrapped(message) == message


def test_a_message_that_is_nothing_but_frame_is_kept() -> None:
    assert unwrapped("The extension operation failed with the following error:") != ""


@pytest.mark.parametrize(
    "body",
    [
        {"Code": "X", "Message": "words"},
        {"Error": {"Code": "X", "Message": "words"}},
        {"error": {"code": "X", "message": {"lang": "en", "value": "words"}}},
    ],
)
def test_members_in_another_form_are_read(body: object) -> None:
    read = sentence(json.dumps(body))

    assert read
    assert (read.code, read.text) == ("X", "words")


def test_the_code_inside_a_frame_decides() -> None:
    error = {
        "code": "ResourceOperationFailure",
        "message": "The resource operation completed with terminal provisioning state 'Failed'.",
        "details": [{"code": "ScopeLocked", "message": "The scope is locked."}],
    }
    said = of_error(error)
    assert (said.code, said.outer) == ("ScopeLocked", "ResourceOperationFailure")
    assert said.text.startswith("The scope is locked")


def test_an_answer_quoted_inside_an_answer_is_read() -> None:
    inner = json.dumps({"error": {"code": "InvalidResourceType", "message": "No such type."}})
    said = of_error({"code": "DeploymentFailed", "message": "", "details": [{"code": "NotFound", "message": inner}]})
    assert said.text == "No such type."


def test_inner_errors_are_followed() -> None:
    said = of_error({"code": "A", "message": "outer", "innererror": {"code": "B", "message": "the cause"}})
    assert said.text == "the cause. outer"


def violation(**info: object) -> dict[str, object]:
    return {"type": "PolicyViolation", "info": info}


@pytest.mark.parametrize(
    ("infos", "names"),
    [
        ([violation(policyAssignmentDisplayName="Allowed regions")], "Policy: Allowed regions."),
        ([violation(policyAssignmentName="0f1e", policyDefinitionDisplayName="No tokens")], "Policy: No tokens."),
        ([violation(policyAssignmentName="0f1e")], "Policy: 0f1e."),
        (
            [
                violation(
                    policyDefinitionDisplayName="Require a tag",
                    policyAssignmentParameters={"tagName": {"value": "owner"}, "effect": {"value": "Deny"}},
                ),
                violation(
                    policyDefinitionDisplayName="Allowed locations",
                    policyAssignmentParameters={"listOfAllowedLocations": {"value": ["westeurope", "northeurope"]}},
                ),
            ],
            (
                "Policy: Require a tag (tagName: owner)."
                " Policy: Allowed locations (listOfAllowedLocations: westeurope, northeurope)."
            ),
        ),
    ],
)
def test_each_policy_that_forbids_is_named_with_what_it_demands_before_all_ids(
    infos: list[dict[str, object]], names: str
) -> None:
    error = {"code": "RequestDisallowedByPolicy", "message": "Disallowed.", "additionalInfo": infos}
    framed = {"code": "InvalidTemplateDeployment", "message": "It failed.", "details": [error]}

    assert of_error(error).text == f"{names} Disallowed."
    assert of_error(framed).text == f"{names} Disallowed. It failed."


@pytest.mark.parametrize("body", ["", "<html>", "null", "[]", '"x"', "[" * 100_000])
def test_what_is_no_object_is_no_error_of_arm(body: str) -> None:
    assert sentence(body) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["error", "code", "message", "details", "additionalInfo", "info"]), inner)
    ),
    max_leaves=12,
)


@given(JSON)
def test_a_body_of_any_shape_is_read_without_failing(content: object) -> None:
    said = sentence(json.dumps(content))
    assert said is None or isinstance(said.text, str)
