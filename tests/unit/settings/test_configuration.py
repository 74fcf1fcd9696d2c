from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot import configuration
from bot.problems import Broken
from services.operations.procedures import PROCEDURES

SITES = """\
sites:
  berlin:
    environment: development
    subscription: 22222222-2222-4222-8222-222222222222
    resource_group: rg
    acr: {name: contosoacr}
    cluster: {name: berlin-arc}
"""
ACCESS = """\
people: {bob: U0BOB}
grants:
  - name: all
    roles: [admin]
    to: [bob]
"""
ROOT = Path(configuration.__file__).parent.parent


class Files:
    def __init__(self, folder: Path) -> None:
        self.sites, self.access = folder / "sites.yaml", folder / "access.yaml"
        self.sites.write_text(SITES)
        self.access.write_text(ACCESS)

    def problems(self) -> list[str]:
        with pytest.raises(Broken) as told:
            configuration.load(self.sites, self.access)
        return [f"{Path(each.where).name} {each.what}" for each in told.value.problems]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.mark.parametrize("folder", ["config", "config/sandbox"])
def test_the_files_of_the_repository_are_in_order(folder: str) -> None:
    assert configuration.load(ROOT / folder / "sites.yaml", ROOT / folder / "access.yaml").sites


def test_a_wrong_key_is_told_with_its_line_and_the_right_one(files: Files) -> None:
    files.sites.write_text(SITES + "    clutser: {}\n    sync: {scheduel: x}\n")

    assert files.problems() == [
        "sites.yaml:9 there is no key `scheduel`; did you mean `schedule`?",
        "sites.yaml:8 there is no key `clutser`; did you mean `cluster`?",
    ]


def test_problems_of_both_files_come_together(files: Files) -> None:
    files.sites.write_text(SITES.replace("resource_group: rg", "resource_group:"))
    files.access.write_text("grants: [{name: x, roles: [king], to: [bob]}]\n")

    told = files.problems()

    assert [each.split()[0] for each in told] == ["sites.yaml:5", "access.yaml:1"]


def test_what_is_no_yaml_is_told_with_its_line(files: Files) -> None:
    files.access.write_text(ACCESS + "denials: [\n")

    assert files.problems()[0].startswith("access.yaml:7 this is not YAML")


def test_a_key_that_is_there_twice_is_told(files: Files) -> None:
    files.access.write_text(ACCESS + "people: {}\n")

    assert "access.yaml:6 the key `people` appears twice" in files.problems()


@pytest.mark.parametrize(
    ("right", "wrong", "sentence"),
    [
        ("name: contosoacr", "name: contosoacr.azurecr.io", "that is the login server; the name is `contosoacr`"),
        ("name: contosoacr", "name: contosoacr-a1b2.azurecr.cn", "that is the login server; the name is `contosoacr`"),
        ("name: contosoacr", "name: contosoacr-a1b2", "that is the login server; the name is `contosoacr`"),
        ("name: contosoacr", "name: con_acr", "the name of a registry is 5 to 50 letters and digits"),
        (
            "name: contosoacr",
            "name: 'https://contosoacr.azurecr.us/'",
            "that is the login server; the name is `contosoacr`",
        ),
        ("resource_group: rg", "resource_group: edge rg", "the name of a resource group is up to 90 letters, digits"),
        ("resource_group: rg", "resource_group: /subscriptions/x/resourceGroups/edge-rg", "the name is `edge-rg`"),
        ("development", "Real Production", "an environment is a word in lower case, such as `real-production`"),
        ("berlin:", "Berlin_1:", "up to 40 lower-case letters, digits and dashes, a letter first, such as `berlin-1`"),
        ("acr: {name: contosoacr}", "acr: contosoacr", "a mapping has to stand here, such as `{name: contosoacr}`"),
        (
            "acr: {name: contosoacr}",
            "acr: {name: contosoacr}\n    extension: {storage_request: 500GB}",
            "a size is a number with `Mi`, `Gi`, `Ti`, `Pi` or `Ei`, such as `500Gi`",
        ),
        (
            "acr: {name: contosoacr}",
            "acr: {name: contosoacr}\n    extension: {service_ip: 10.96.0.20/32}",
            "a Service address is an IP address such as `10.96.0.20`",
        ),
        (
            "name: berlin-arc",
            "name: /subscriptions/x/providers/Microsoft.Kubernetes/connectedClusters/berlin-arc",
            "that is an ARM id; the name is `berlin-arc`",
        ),
        (
            "22222222-2222-4222-8222-222222222222",
            "Contoso Edge",
            "a subscription is given by its id: `az account list --output table` shows it",
        ),
        (
            "acr: {name: contosoacr}",
            "acr: {name: contosoacr}\n    images: {python: 'docker.io/python:3.12'}",
            "Docker Hub's own images are below `library/`, such as `docker.io/library/python:3.12`",
        ),
        (
            "acr: {name: contosoacr}",
            f"acr: {{name: contosoacr}}\n    images: {{app: 'mcr.microsoft.com/app@sha256:{'a' * 64}'}}",
            "an image source names the tag that the import makes, before a digest too: `HOST/NAME:TAG`",
        ),
        (
            "acr: {name: contosoacr}",
            "acr: {name: contosoacr}\n    sync: {schedule: '0 25 * * *', window: PT3H}",
            "the hour of a schedule lies between 0 and 23",
        ),
        (
            "acr: {name: contosoacr}",
            "acr: {name: contosoacr}\n    sync: {schedule: '0 2 30 2 *', window: PT3H}",
            "a schedule has to be due some day",
        ),
        (
            "acr: {name: contosoacr}",
            "acr: {name: contosoacr}\n    sync: {schedule: * * * * *}",
            "a value that begins with `*` needs quotes",
        ),
        (
            "acr: {name: contosoacr}",
            "acr: {name: contosoacr}\n    sync: {repositories: [contosoacr.azurecr.io/app]}",
            "a repository stands without the host of its registry",
        ),
        (
            "acr: {name: contosoacr}",
            "acr: {name: contosoacr}\n    images: {app: 'mcr.microsoft.com/App:V1'}",
            "a repository is lower case: `mcr.microsoft.com/app:V1`",
        ),
    ],
)
def test_a_value_that_can_never_work_is_refused_with_the_form_that_does(
    files: Files, right: str, wrong: str, sentence: str
) -> None:
    files.sites.write_text(SITES.replace(right, wrong))

    (problem,) = files.problems()
    assert sentence.casefold() in problem.casefold()


IMPORTED = "acr: {name: contosoacr}\n    images: {app: 'registry.example.com/app:1'}\n    sources:"


@pytest.mark.parametrize(
    ("sources", "problem"),
    [
        ("{registry.example.com: {username: pull}}", "`resource_id`, or `username` with `password_variable` or"),
        ("{registry.example.com: {resource_id: contosolab}}", "that is no ARM id of a registry: `az acr show"),
        ("{registry.example.com: {username: pull, password: hunter2}}", "there is no key `password`"),
        ("{'https://registry.example.com/v2': {}}", "a registry stands here by its host alone: `registry.example.com`"),
        (
            "{registry.exmaple.com: {username: pull, password_variable: PULL}}",
            "`sources` names registry.exmaple.com, but no entry of `images` comes from there",
        ),
    ],
)
def test_a_source_that_can_not_be_read_is_refused(files: Files, sources: str, problem: str) -> None:
    files.sites.write_text(SITES.replace("acr: {name: contosoacr}", f"{IMPORTED} {sources}"))

    problems = " ".join(files.problems())
    assert problem in problems
    assert "hunter2" not in problems


@pytest.mark.parametrize(
    ("right", "written", "key", "value"),
    [
        ("contosoacr}", "contosoacr, create_in: West Europe}", "create_in", "westeurope"),
        ("contosoacr}", "contosoacr, create_in: (Europe) West Europe}", "create_in", "westeurope"),
        ("contosoacr}", "ContosoACR}", "name", "ContosoACR"),
        ("resource_group: rg", "resource_group: Edge_(Prod)-rg.1", "group", "Edge_(Prod)-rg.1"),
        ("subscription: ", "subscription: /subscriptions/", "subscription", "22222222-2222-4222-8222-222222222222"),
    ],
)
def test_values_as_azures_own_pages_show_them_are_taken(
    files: Files, right: str, written: str, key: str, value: str
) -> None:
    files.sites.write_text(SITES.replace(right, written, 1))
    site = configuration.load_sites(files.sites)["berlin"]

    acr = site.acr_ref
    values = {"create_in": site.acr.create_in, "name": acr.name, "group": acr.resource_group}
    assert (values | {"subscription": acr.subscription})[key] == value


FACTS = "facts: {service_range: 10.96.0.0/16, addresses: [10.96.0.20], cert_manager: false}"


@pytest.mark.parametrize(
    ("access", "cluster", "problem"),
    [
        ("none", "", "`access: none` needs `cluster.facts` with `service_range`, `addresses` and `cert_manager`"),
        ("none", f"{FACTS}, kubernetes: {{context: berlin}}", "`cluster.kubernetes` says how to reach the cluster"),
        ("kubeconfig", FACTS, "`cluster.facts` belongs to `access: none`"),
        ("telepathy", "", "`access` has to be 'kubeconfig', 'arc' or 'none'"),
        (
            "arc",
            "",
            "`access: arc` needs `cluster.kubernetes.kubeconfig`: the file that `az connectedk8s proxy --file`",
        ),
        ("arc", FACTS, "`cluster.facts` belongs to `access: none`"),
        ("none", FACTS.replace("0.20", "0.20, 10.97.0.1"), "10.97.0.1 is outside of `service_range`, 10.96.0.0/16"),
        ("none", FACTS.replace("0.20", "0.1"), "10.96.0.1 is the address of the API server's own Service"),
        ("none", FACTS.replace("0.20", "255.255"), "10.96.255.255 is the network or broadcast address of 10.96.0.0/16"),
        ("none", FACTS.replace("0.20", "0.20, 10.96.0.20"), "10.96.0.20 appears twice"),
        ("none", FACTS.replace("10.96.0.20", ""), "`cluster.facts.addresses` needs at least one entry"),
        (
            "none",
            FACTS.replace("10.96.0.20", "here"),
            "`cluster.facts.addresses.0`: a Service address is an IP address",
        ),
        ("none", FACTS.replace("0.0/16", "0.9/16"), "`cluster.facts.service_range`: a Service range has its network"),
        ("none", FACTS.replace(", cert_manager: false", ""), "`cluster.facts.cert_manager` is missing"),
    ],
)
def test_a_site_without_access_to_its_cluster_states_what_nobody_can_ask(
    files: Files, access: str, cluster: str, problem: str
) -> None:
    stated = f"{{name: berlin-arc, {cluster}}}" if cluster else "{name: berlin-arc}"
    files.sites.write_text(SITES.replace("{name: berlin-arc}", stated) + f"    access: {access}\n")

    (text,) = files.problems()
    assert problem in text


def test_a_fixed_address_is_one_of_the_list(files: Files) -> None:
    stated = f"{{name: berlin-arc, {FACTS}}}\n    access: none\n    extension: {{service_ip: 10.96.0.30}}"
    files.sites.write_text(SITES.replace("{name: berlin-arc}", stated))

    assert files.problems() == ["sites.yaml:2 `extension.service_ip` 10.96.0.30 is not among `cluster.facts.addresses`"]


def test_names_that_name_nothing_are_told_with_the_nearest(files: Files) -> None:
    files.access.write_text(
        ACCESS
        + "  - {name: a, roles: [viewer], to: [bbo], sites: [berlni]}\n"
        + "approvals:\n  - {name: b, approvers: [bob], environments: [prod]}\n"
    )

    assert files.problems() == [
        "access.yaml:6 there is no site `berlni`; did you mean `berlin`?",
        "access.yaml:8 there is no site in the environment `prod`",
        "access.yaml:6 there is no person or group `bbo`; did you mean `bob`?",
    ]


@pytest.mark.parametrize(
    ("rules", "problems"),
    [
        (
            "{name: a, approvers: [bob], commands: [watch]}",
            [
                "`watch` is not a kind of operation, so it would never wait for approval; the kinds are "
                + ", ".join(f"`{kind}`" for kind in PROCEDURES.kinds)
            ],
        ),
        (
            "{name: a, approvers: [bob], commands: [depoly]}",
            ["`depoly` is not a kind of operation, so it would never wait for approval; did you mean `deploy`?"],
        ),
        (
            "{name: a, approvers: [bob], sites: [berlin], environments: [production]}",
            ["the rule `a` never applies: none of its sites is in its environments"],
        ),
        (
            "{name: all, approvers: [bob]}, {name: a, approvers: [bob], commands: [deploy]}",
            ["the rule `a` never applies: `all` above it always takes precedence"],
        ),
    ],
)
def test_an_approval_rule_that_protects_nothing_is_refused(files: Files, rules: str, problems: list[str]) -> None:
    bonn = SITES.removeprefix("sites:\n").replace("berlin", "bonn").replace("development", "production")
    files.sites.write_text(SITES + bonn)
    files.access.write_text(ACCESS + f"approvals: [{rules}]\n")

    assert files.problems() == [f"access.yaml:6 {problem}" for problem in problems]


@pytest.mark.parametrize(
    ("times", "problem"),
    [
        ("expires_after: P9999999D", "has to be P365D or less"),
        ("expires_after: P1D, remind_before: P2D", "has to be less than expires_after"),
    ],
)
def test_times_that_no_request_can_have_are_refused(files: Files, times: str, problem: str) -> None:
    files.access.write_text(ACCESS + f"approvals: [{{name: a, approvers: [bob], {times}}}]\n")

    assert files.problems() == [f"access.yaml:6 {problem}"]


def test_a_missing_file_is_told(files: Files) -> None:
    files.sites.unlink()

    assert files.problems() == ["sites.yaml can't be read: No such file or directory"]


def test_an_empty_file_is_told_and_locks_nobody_out(files: Files) -> None:
    inforce = configuration.FileConfiguration(files.sites, files.access)
    files.access.write_text("# to be written\n")

    assert not inforce.reload()
    assert inforce.policy.grants
    assert files.problems() == ["access.yaml:1 the file is empty"]


def test_wrong_kinds_of_values_are_told_in_the_words_of_the_file(files: Files) -> None:
    files.access.write_text(ACCESS.replace("[admin]", "[]") + "groups: edge\nshared_channels: maybe\n")

    assert files.problems() == [
        "access.yaml:6 `groups` has to be a mapping of keys to values",
        "access.yaml:4 `grants.0.roles` needs at least one entry",
        "access.yaml:7 `shared_channels` has to be true or false",
    ]


def test_a_changed_file_is_taken_without_a_restart(files: Files) -> None:
    inforce = configuration.FileConfiguration(files.sites, files.access)
    files.sites.write_text(f"# moved\n{SITES}".replace("berlin:", "bonn:"))

    assert inforce.reload()
    assert list(inforce.sites) == ["bonn"]
    assert inforce.site_lines["bonn"]["acr.name"] == 7
    assert not inforce.reload()


def test_a_broken_file_leaves_the_old_one_in_force_until_it_is_mended(files: Files) -> None:
    inforce = configuration.FileConfiguration(files.sites, files.access)
    files.access.write_text("grants: nobody\n")

    assert not inforce.reload()
    assert inforce.policy.grants[0].name == "all"
    assert "access.yaml:1" in str(inforce.problems[0])

    files.access.write_text(ACCESS)
    inforce.reload()
    assert inforce.problems == ()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"sites: \x00", "contains a character that YAML does not allow"),
        (b"sites: \xff", "it is not UTF-8"),
        (b"sites: {a: 2026-13-45}", "month must be in 1..12"),
        (b"sites: !!int abc", "invalid literal for int()"),
        (b"sites: !!timestamp abc", "contains a value that can't be read"),
        (b"sites: &a [*a]", "its values are nested too deeply"),
        (b"[" * 5000, "its values are nested too deeply"),
        ((b"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
         b"d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e]"),
         "its aliases (*name) make it too large"),
        (b"# " + b"x" * 2_000_000, "it is larger than 1024 KiB"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_for_whatever_reason_leaves_the_old_one_in_force(
    files: Files, content: bytes, problem: str
) -> None:
    running = configuration.FileConfiguration(files.sites, files.access)
    before = running.sites
    files.sites.write_bytes(content)

    assert not running.reload()
    assert running.sites == before
    assert problem in str(running.problems[0])


def test_a_file_that_may_not_be_read_is_told_once(files: Files) -> None:
    running = configuration.FileConfiguration(files.sites, files.access)
    files.sites.unlink()
    files.sites.mkdir()

    with capture_logs() as logs:
        assert not running.reload()
        assert not running.reload()

    assert [line["event"] for line in logs] == ["configuration_refused"]
    assert "Is a directory" in str(running.problems[0])
