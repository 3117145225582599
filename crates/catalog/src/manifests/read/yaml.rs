//! Manifests in YAML. Sources: Dart, "The pubspec file"; conda user guide, "Creating an environment
//! file manually"; Helm, "The Chart.yaml file"; pnpm, "pnpm-workspace.yaml".

use super::{Declares, exact, listed};
use crate::yaml::{Node, Value, parse};

pub(in crate::manifests) fn pubspec(text: &str) -> Result<Declares, String> {
    let file = parse(text)?;
    let groups = ["dependencies", "dev_dependencies", "dependency_overrides"];
    let all = groups.iter().filter_map(|key| file.get(key)).flat_map(Node::entries);
    let others = all.filter(|(.., node)| node.get("sdk").is_none() && node.get("path").is_none());
    let named = others.map(|(name, line, node)| {
        let wanted = node.text().or_else(|| node.get("version")?.text()).unwrap_or_default();
        (name.as_str(), exact(wanted), *line)
    });
    let mut declares = listed(named);
    let members = file.get("workspace").map(Node::items).unwrap_or_default();
    declares.members = members.iter().filter_map(Node::text).map(str::to_owned).collect();
    Ok(declares)
}

/// The packages themselves are listed by the check `conda-environment`.
pub(in crate::manifests) fn conda(text: &str) -> Result<Declares, String> {
    let file = parse(text)?;
    let items = file.get("dependencies").map(Node::items).unwrap_or_default();
    // `name=version=build`, as an export writes everything that is installed.
    let exported = |node: &Node| match &node.value {
        Value::Scalar(text) => text.split('=').filter(|part| !part.is_empty()).count() == 3,
        Value::Map(_) => {
            let pip = node.get("pip").map(Node::items).unwrap_or_default();
            pip.iter().filter_map(Node::text).all(|line| line.contains("=="))
        }
        _ => false,
    };
    let complete = items.iter().all(exported);
    Ok(Declares { any: !items.is_empty(), complete, ..Declares::default() })
}

pub(in crate::manifests) fn chart(text: &str) -> Result<Declares, String> {
    let file = parse(text)?;
    let items = file.get("dependencies").map(Node::items).unwrap_or_default();
    let field =
        |node: &Node, key: &str| node.get(key).and_then(Node::text).unwrap_or_default().to_owned();
    let others = items.iter().filter(|node| {
        node.get("repository").and_then(Node::text).is_none_or(|from| !from.starts_with("file:"))
    });
    let named: Vec<(String, String, u32)> =
        others.map(|node| (field(node, "name"), field(node, "version"), node.line)).collect();
    Ok(listed(named.iter().map(|(name, version, line)| (name.as_str(), exact(version), *line))))
}

pub(in crate::manifests) fn pnpm(text: &str) -> Result<Declares, String> {
    let file = parse(text)?;
    let members = file.get("packages").map(Node::items).unwrap_or_default();
    let members = members.iter().filter_map(Node::text).map(str::to_owned).collect();
    // What its catalogs name counts where a package asks for it.
    Ok(Declares { members, ..Declares::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(declares: &Declares) -> Vec<String> {
        declares.packages.iter().map(|one| format!("{}@{}", one.name, one.version)).collect()
    }

    #[test]
    fn dart_names_packages_and_not_its_own() {
        let text = "name: x\nworkspace: [a]\ndependencies:\n  flutter: {sdk: flutter}\n  b: ^1.0.0\n  c: 1.2.3\n  d: {path: ../d}\n  e:\n";
        let found = pubspec(text).unwrap();
        assert_eq!(shown(&found), ["b@", "c@1.2.3", "e@"]);
        assert_eq!(found.members, ["a"]);
    }

    #[test]
    fn an_export_of_conda_is_complete_and_what_people_write_is_not() {
        let complete = |text: &str| conda(text).unwrap().complete;
        assert!(complete("dependencies:\n- a=1.0=h0\n- pip:\n  - b==1\n"));
        assert!(!complete("dependencies:\n- a=1.0\n") && !complete("dependencies:\n- a==1.0\n"));
        assert!(!conda("name: x\n").unwrap().any && conda("a: [").is_err());
    }

    #[test]
    fn charts_and_workspaces_are_read() {
        let found = chart(
            "dependencies:\n- {name: a, version: 1.2.3, repository: 'https://h.test'}\n- name: b\n  version: '>1'\n- name: c\n  repository: file://../c\n",
        );
        assert_eq!(shown(&found.unwrap()), ["a@1.2.3", "b@"]);
        assert_eq!(pnpm("packages:\n  - 'a/*'\n  - '!a/b'\n").unwrap().members, ["a/*", "!a/b"]);
    }
}
