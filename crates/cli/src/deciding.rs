//! What counts: flags, the policy file, and what silences findings, put together.

use crate::args::PolicyArgs;
use crate::exit::Failure;
use crate::world::World;
use crate::{found, policy_files, settings};
use policy::Policy;
use std::path::Path;

/// Looked for where no ignore file is named.
pub(crate) const IGNORE_FILE: &str = ".lazaret-ignore.toml";

/// Bytes of a VEX document.
const VEX_BYTES: u64 = 64 << 20;

/// Bytes of an ignore file.
const IGNORE_BYTES: u64 = 8 << 20;

/// What counts: flags before the policy file.
pub(crate) fn policy(world: &World, args: &PolicyArgs) -> Result<Policy, Failure> {
    let mut policy = policy_files::load(world, args)?;
    if let Some(severity) = args.fail_on {
        policy.fail_on = Some(severity);
        policy.places.insert("fail-on".to_owned(), "--fail-on".to_owned());
    }
    policy.fail_on_unknown |= args.fail_on_unknown;
    policy.fail_on_exploited |= args.fail_on_exploited;
    policy.only_fixed |= args.only_fixed;
    policy.only_linked |= args.only_linked;
    if args.allow_partial {
        policy.allow_partial = true;
        policy.places.remove("allow-partial");
    }
    for (given, key) in [(args.only_fixed, "only-fixed"), (args.only_linked, "only-linked")] {
        if given {
            policy.places.insert(key.to_owned(), format!("--{key}"));
        }
    }
    for file in args.vex.iter().filter(|file| !is_attached(file)) {
        let text = settings::read_text(file, VEX_BYTES)?;
        let shown = file.display().to_string();
        let statements = policy::parse_vex(&shown, text.as_bytes())
            .map_err(|error| Failure::usage(format!("`{shown}`: {error}")))?;
        if statements.is_empty() {
            world.printing.remark(&format!("lazaret: `{shown}` holds no statements"));
        }
        policy.vex.extend(statements);
    }
    add_ignores(world, args, &mut policy)?;
    Ok(policy)
}

/// Whether `--vex` asks for what is attached to the image, also in Trivy's word for it. A file of that
/// name is `./attached`.
pub(crate) fn is_attached(file: &Path) -> bool {
    ["attached", "oci"].iter().any(|word| file == Path::new(word))
}

/// For commands whose subjects were read before, or come from an engine.
pub(crate) fn refuse_attached(args: &PolicyArgs, command: &str) -> Result<(), Failure> {
    if args.vex.iter().any(|file| is_attached(file)) {
        return Err(Failure::usage(format!(
            "`--vex attached` goes with `lazaret scan` of named images, not with {command}"
        )));
    }
    Ok(())
}

fn add_ignores(world: &World, args: &PolicyArgs, policy: &mut Policy) -> Result<(), Failure> {
    let named = args.ignore_file.as_deref().or(world.settings.ignore_file.as_deref());
    let found = Path::new(IGNORE_FILE);
    let (file, text) = match named {
        Some(file) => (file, Some(settings::read_text(file, IGNORE_BYTES)?)),
        None if policy_files::without_found(world, args) => return Ok(()),
        None => {
            let read = found::read(
                found,
                IGNORE_BYTES,
                "name it with --ignore-file, or leave it out with --no-project-policy",
            )?;
            (found, read.map(|read| read.text))
        }
    };
    let Some(text) = text else { return Ok(()) };
    let shown = file.display().to_string();
    let mut ignores = policy::parse_ignores(&text, &crate::rules::all())
        .map_err(|error| Failure::usage(format!("`{shown}`: {error}")))?;
    if named.is_none() {
        ignores.iter_mut().for_each(|rule| rule.by = Some(shown.clone()));
        policy.found.insert(shown);
    }
    policy.ignores.extend(ignores);
    Ok(())
}
