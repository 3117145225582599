use super::*;
use crate::language::testing::{purls, resolve};
use crate::view_tests::{Layers, read_file};
use proptest::prelude::*;

const CORE: &str = "<?php\n/**\n * The WordPress version string.\n *\n * @global string $wp_version\n */\n$wp_version = '6.4.3';\n\n$wp_db_version = 56657;\n";
const PLUGIN: &str = "<?php\n/**\n * @package Akismet\n */\n/*\nPlugin Name: Akismet Anti-spam: Spam Protection\nPlugin URI: https://a.test/\nVersion: 5.3.1\nLicense: GPLv2+\nText Domain: akismet\n*/\ndefine( 'AKISMET_VERSION', '5.3.1' );\n";
const THEME: &str = "/*\nTheme Name: Twenty Twenty-Four\nVersion: 1.0\nLicense: GNU General Public License v2 or later\n*/\nbody {}\n";
const ROOT: &str = "var/www/html";

#[test]
fn the_program_its_plugins_and_themes_are_listed() {
    let at = |path: &str| format!("{ROOT}/{path}");
    let [core, plugin, other, single, theme, odd] = [
        "wp-includes/version.php",
        "wp-content/plugins/akismet/akismet.php",
        "wp-content/plugins/akismet/class.akismet.php",
        "wp-content/plugins/hello.php",
        "wp-content/themes/twentytwentyfour/style.css",
        "wp-content/plugins/unnumbered/a.php",
    ]
    .map(at);
    let found = resolve(
        &Wordpress,
        &[
            (&core, CORE.as_bytes()),
            (&plugin, PLUGIN.as_bytes()),
            (&other, b"<?php\nclass Akismet {}\n"),
            (
                &single,
                b"<?php /* plugin name: Hello Dolly */\n/* @version: 1 */\n# Version: 1.7.2 ?>",
            ),
            (&theme, THEME.as_bytes()),
            (&odd, b"<?php // Plugin Name: Unnumbered"),
        ],
    );
    assert!(found.problems.is_empty());
    assert_eq!(
        purls(&found),
        [
            "pkg:bitnami/wordpress@6.4.3",
            "pkg:wordpress-plugin/akismet@5.3.1",
            "pkg:wordpress-plugin/hello@1",
            "pkg:wordpress-plugin/unnumbered",
            "pkg:wordpress-theme/twentytwentyfour@1.0",
        ]
    );
    let akismet = found.packages.iter().find(|one| one.package.name == "akismet").unwrap();
    assert_eq!(akismet.package.licences, ["GPLv2+"]);
    assert_eq!(akismet.package.ecosystem, Ecosystem::WORDPRESS);
    let removed = Layers::default().layer().file(&plugin, PLUGIN).layer().whiteout(&plugin);
    assert!(removed.resolve(&Wordpress).packages.is_empty());
}

#[test]
fn files_elsewhere_and_comments_too_far_down_do_not_count() {
    for path in [
        "a.php",
        "plugins/a/a.php",
        "wp-content/plugins/a/inc/a.php",
        "wp-content/plugins/a/style.css",
        "wp-content/themes/a/functions.php",
        "wp-content/themes/a/css/style.css",
        "wp-includes/other.php",
    ] {
        assert_eq!(read_file(&Wordpress, path, PLUGIN.as_bytes()).unwrap(), None, "{path}");
    }
    let late = " ".repeat(HEAD) + PLUGIN;
    let place = "wp-content/plugins/a/a.php";
    assert_eq!(read_file(&Wordpress, place, late.as_bytes()).unwrap(), None);
    assert!(read_file(&Wordpress, place, b"/* Plugin Name: a\xff\nVersion: \xff */").is_ok());
    assert!(read_file(&Wordpress, place, &vec![b'a'; 9 << 20]).is_err());
    let hostile = "wp-content/plugins/a\x1b[2J/a.php";
    assert!(read_file(&Wordpress, hostile, PLUGIN.as_bytes()).is_err());
    for text in ["", "$wp_version = 6.4;", "$wp_version = 'a';", "$wp_version = '6\x1b';"] {
        assert!(read_file(&Wordpress, "wp-includes/version.php", text.as_bytes()).is_err());
    }
}

#[test]
fn plugins_that_must_be_used_and_double_quotes_count() {
    let plugin = b"<?php\n// Plugin Name: A\n// Version: 1.0\n".as_slice();
    let program = b"<?php\n$wp_version = \"6.4.3\";\n";
    let found = resolve(
        &Wordpress,
        &[("www/wp-content/mu-plugins/a.php", plugin), ("www/wp-includes/version.php", program)],
    );
    assert_eq!(purls(&found), ["pkg:bitnami/wordpress@6.4.3", "pkg:wordpress-plugin/a@1.0"]);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, text in r"(<\?php|\?>|\*/|/\*|Plugin Name:|Version:|\$wp_version = '|';|\n| |a|1){0,40}") {
        for bytes in [bytes.as_slice(), text.as_bytes()] {
            let _ = program(bytes);
            let _ = header(bytes, "a", b"plugin name");
        }
    }
}
