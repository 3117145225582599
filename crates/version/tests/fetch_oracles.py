"""Fetches what defines two orders of versions and comes with no distribution, from package registries.

usage: fetch_oracles.py FOLDER

node-semver, which npm uses, into `FOLDER/semver`; Maven's `ComparableVersion`, whose order changed with
3.9, as `FOLDER/maven-artifact.jar`. Each is a package of a fixed version whose digest is known.
"""

import hashlib
import io
import pathlib
import sys
import tarfile
import urllib.request

LIMIT = 16 << 20


def fetched(url, digest):
    with urllib.request.urlopen(url, timeout=120) as answer:
        content = answer.read(LIMIT)
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        sys.exit(f"{url} has the digest {found}, not {digest}")
    return content


def main(folder):
    folder = pathlib.Path(folder)
    semver = fetched(
        "https://registry.npmjs.org/semver/-/semver-7.7.3.tgz",
        "b49572086d1e04c9a014cafc232685cc74570320d4e7091c2e30a7138c8522bd",
    )
    with tarfile.open(fileobj=io.BytesIO(semver), mode="r:gz") as archive:
        for member in archive.getmembers():
            name = pathlib.PurePosixPath(member.name).relative_to("package")
            if not member.isfile() or ".." in name.parts:
                continue
            file = folder / "semver" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(archive.extractfile(member).read())
    jar = fetched(
        "https://repo1.maven.org/maven2/org/apache/maven/maven-artifact/3.9.11/maven-artifact-3.9.11.jar",
        "0bfd1c121f907642344311d81e4dfd93eba6c24dc712cc0aeae273eb22833022",
    )
    (folder / "maven-artifact.jar").write_bytes(jar)


main(sys.argv[1])
