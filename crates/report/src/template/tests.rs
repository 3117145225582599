//! What a template may say, and that none gets out of hand.

use super::*;
use proptest::prelude::*;

fn filling() -> Filling {
    let value = serde_json::json!({
        "name": "a\u{1b}[31m<b>&\u{202e}", "lines": "1\n2\t3", "number": 1.5, "none": null,
        "findings": [
            {"fingerprint": "a", "severity": "high", "id": "X-1"},
            {"fingerprint": "b", "severity": "low"},
            {"fingerprint": "c", "severity": "high"},
        ],
        "decision": {"suppressed": [{"fingerprint": "b"}]},
    });
    Filling::one(&value)
}

fn fill_as(name: &str, text: &str) -> Result<String, String> {
    let template = Template::parse(name, text).map_err(|error| error.to_string())?;
    let made = template.render_within(&filling(), 50_000).map_err(|error| error.to_string())?;
    Ok(String::from_utf8(made).unwrap())
}

fn fill(text: &str) -> Result<String, String> {
    fill_as("x.txt", text)
}

#[track_caller]
fn refused(text: &str, reason: &str) {
    let error = fill(text).unwrap_err();
    assert!(error.starts_with("template `x.txt`") && error.contains(reason), "{error}");
    assert!(!error.contains('\n') && error.len() < 500, "{error}");
}

#[test]
fn errors_name_file_line_and_reason() {
    assert_eq!(
        fill("a\n{{ report.findngs }}").unwrap_err(),
        "template `x.txt`, line 2: `report.findngs` is undefined; where it may be missing, ask `is defined` first, \
         or give it a `| default(\"\")`"
    );
    refused("{{ report.findings[1].id }}", "`report.findings[1].id` is undefined");
    refused("{% for one in reprot.findings %}{% endfor %}", "`reprot` is undefined");
    refused("{% if report.ok %}{% endif %}", "`report.ok` is undefined");
    refused("\n\n{{ 1 + }}", "line 3: unexpected");
    refused("{% if true %}", "line 1: unexpected end of input");
    refused("{{ 1 | nothing }}", "filter nothing is unknown");
    refused("{{ report.ok | csv }}", "undefined");
    refused("{{ report | csv }}", "takes a text or a number, not a map");
    refused("{{ report.findings | open }}", "");
    refused("{{ (report.findings | first) | open }}", "takes a report that has findings");
    refused("{{ report.name + 1 }}", "tried to use + operator");
}

#[test]
fn what_may_be_missing_can_be_asked_for() {
    let text = "{% for f in report.findings %}{{ f.id | default('-') }}{% if f.id is defined %}!{% endif %}{% endfor %}";
    assert_eq!(fill(text).unwrap(), "X-1!--");
}

#[test]
fn nothing_is_read_from_elsewhere() {
    for word in ["include 'a'", "import 'a' as a", "extends 'a'", "macro a()", "block a"] {
        refused(&format!("{{% {word} %}}"), "there are `for`, `if`");
    }
    for name in ["debug", "namespace", "dict", "self", "super", "caller"] {
        assert!(fill(&format!("{{{{ {name}() }}}}")).is_err(), "{name}");
    }
    for filter in LEFT_OUT {
        refused(&format!("{{{{ report.findings | {filter}(2) }}}}"), "is unknown");
    }
}

#[test]
fn what_does_too_much_ends_with_a_reason() {
    let loops = "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}";
    refused(loops, "it does too much: over 50000 steps");
    let doubled = format!("{{% set a = 'aaaaaaaa' %}}{}", "{% set a = a ~ a %}".repeat(60));
    refused(&doubled, "it does too much");
    let captured =
        format!("{{% set a = 'a' %}}{}", "{% set a %}{{ a }}{{ a }}{% endset %}".repeat(60));
    refused(&captured, "it does too much");
    refused("{{ 'a' * 99999999 }}", "it does too much");
    refused("{{ '%99999999d' | format(1) }}", "it does too much");
    refused("{% set a = report.findings * 9999999 %}{{ a | list | length }}", "it does too much");
    refused("{{ range(10 ** 9) }}", "too many elements");
    refused(
        "{% for a in report.findings recursive %}{{ loop(report.findings) }}{% endfor %}",
        "recursion limit",
    );
}

#[test]
fn what_is_too_long_is_refused() {
    let text = "a".repeat(usize::try_from(TEMPLATE_BYTES).unwrap());
    assert_eq!(fill(&text).unwrap(), text);
    refused(&format!("{text}a"), "at most 262144 bytes");
    let mut out = Bounded(vec![0; TEMPLATE_OUTPUT_BYTES - 1]);
    assert!(io::Write::write(&mut out, b"a").is_ok() && io::Write::write(&mut out, b"a").is_err());
}

#[test]
fn what_nests_is_refused_before_it_is_walked() {
    let long = |part: &str| format!("{{{{ a{} }}}}", part.repeat(20_000));
    for part in
        ["+a", ".b", "|e", "[0]", "()", " and a", "~a", "**a", "[::]", " is a", " if a else a"]
    {
        refused(&long(part), "this tag is too long");
    }
    for part in ["not ", "-", "(", "["] {
        refused(&format!("{{{{ {}a }}}}", part.repeat(20_000)), "");
    }
    refused(&format!("{{% if a %}}{}", "{% elif a %}".repeat(9_999)), "at most 100 `elif`");
    refused(&"{% if true %}".repeat(9_999), "recursion limits");
    // As deep as is allowed.
    let deep = format!(
        "{}{{% if false %}}{}{{{{ 1{} }}}}{{% endif %}}{}",
        "{% if true %}".repeat(90),
        "{% elif false %}".repeat(99) + "{% else %}",
        "+1".repeat(250),
        "{% endif %}".repeat(90)
    );
    assert_eq!(fill(&deep).unwrap(), "251");
}

#[test]
fn lists_hold_constants_only() {
    for text in [
        "{% set a = [report, report] %}",
        "{% set a = {'a': report} %}",
        "{% set a = (report, report) %}",
        "{% set a = (1, report) %}",
        "{% set a = report, report %}",
        "{% set a = [('a', [report])] %}",
        "{% set a = ((report), 1) %}",
        "{% for a in report, report %}{% endfor %}",
        "{% for a in [report] %}{% endfor %}",
        "{{ report, report }}",
        "{% if report.name in [report.name] %}{% endif %}",
        "{% filter upper %}{{ [report] }}{% endfilter %}",
    ] {
        refused(text, "lists, maps and tuples hold constants only");
    }
    for text in [
        "{% set a = ['a', true, none, -1] %}{{ a[report.findings | length - 3] }}",
        "{% for a, b in report | dictsort %}{% endfor %}",
        "{% for (a, b) in report | dictsort %}{% endfor %}",
        "{% for a in report.findings[0:(1)] %}{{ range(1, 2)[0] }}{% endfor %}",
        "{% with a = report.name, b = 1 %}{% endwith %}",
        "{% set a, b = (1, 2) %}",
        "{% set a = {'x': {'y': [1, 2]}} %}{{ a.x.y[report.findings | length - 2] }}",
        "{% if report.name in ('a', 'b') or report.number in (1, 2) %}{% endif %}",
        "{% for (a, b) in ((1, 2), (3, 4)) %}{{ a }}{% endfor %}",
        "{{ report.name | replace('a', (report.name)) }}",
    ] {
        assert_eq!(fill(text).err(), None, "{text}");
    }
}

#[test]
fn markup_is_escaped_by_the_ending() {
    let text = "{{ report.name }}|{{ report.name | e }}|{{ '<i>' | safe }}";
    let escaped = "a\\x1b[31m&lt;b&gt;&amp;\\u{202e}";
    for name in ["a.html", "a.HTML.j2", "a.xml.tpl", "b.svg"] {
        assert_eq!(fill_as(name, text).unwrap(), format!("{escaped}|{escaped}|<i>"), "{name}");
    }
    for name in ["a.txt", "html", "a.html.txt", "a.json.j2"] {
        let made = fill_as(name, text).unwrap();
        assert_eq!(made, format!("a\\x1b[31m<b>&\\u{{202e}}|{escaped}|<i>"), "{name}");
    }
    assert_eq!(
        fill("{{ report.name | safe }}{{ report.lines }}").unwrap(),
        "a\u{1b}[31m<b>&\u{202e}1\\n2\\t3"
    );
    assert_eq!(fill("{{ report.lines | line }}").unwrap(), "1\\n2\\t3");
    assert_eq!(fill_as("a.html", "{{ '<' | e | e }}{{ '<' | xml }}").unwrap(), "&lt;&lt;");
}

#[test]
fn cells_are_quoted_and_never_formulas() {
    for (value, cell) in [
        ("'a'", "a"),
        ("'a,b'", "\"a,b\""),
        ("'a\"b'", "\"a\"\"b\""),
        ("'a\\nb'", "\"a\\nb\""),
        ("'=1+1'", "'=1+1"),
        ("'@a,b'", "\"'@a,b\""),
        ("-1", "-1"),
        ("'-1'", "'-1"),
        ("1.5", "1.5"),
        ("true", "True"),
        ("none", ""),
    ] {
        assert_eq!(fill(&format!("{{{{ {value} | csv }}}}")).unwrap(), cell, "{value}");
    }
}

#[test]
fn findings_are_chosen_and_grouped() {
    assert_eq!(fill("{{ report | open | map(attribute='fingerprint') | join }}").unwrap(), "ac");
    let grouped = "{% for key, all in report.findings | groupby('severity') %}{{ key }} {{ all | length }};{% endfor %}";
    assert_eq!(fill(grouped).unwrap(), "high 2;low 1;");
    let missing = "{% for key, all in report.findings | groupby('id', default='-') %}{{ key }}{{ all | length }};{% endfor %}";
    assert_eq!(fill(missing).unwrap(), "X-11;-2;");
    assert_eq!(fill(&missing.replace(", default='-'", "")).unwrap(), "X-11;");
    refused("{{ [{'a': [1]}] | groupby('a') }}", "takes a text or a number");
}

#[test]
fn one_subject_is_told_from_several() {
    let asks = |text| Template::parse("x", text).unwrap().is_about_one();
    assert!(asks("{{ report.schema }}") && asks("{% if report is defined %}{% endif %}"));
    assert!(!asks("{% for report in reports %}{{ report.schema }}{% endfor %}") && !asks("report"));
}

/// Parts from which templates are put together: whole tags, openings without an end, and mere text.
fn part() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        "{%-",
        "-%}",
        "for",
        "in",
        "if",
        "else",
        "elif",
        "endif",
        "endfor",
        "set",
        "endset",
        "with",
        "endwith",
        "filter",
        "endfilter",
        "raw",
        "endraw",
        "autoescape",
        "recursive",
        "loop",
        "is",
        "defined",
        "not",
        "and",
        "report",
        "reports",
        "findings",
        "a",
        "b",
        "|",
        ".",
        ",",
        ":",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "=",
        "==",
        "+",
        "-",
        "*",
        "**",
        "/",
        "//",
        "%",
        "~",
        "<",
        "0",
        "1",
        "9999999999",
        "1e308",
        "'a'",
        "\"",
        "'",
        "open",
        "groupby",
        "csv",
        "e",
        "sort",
        "unique",
        "list",
        "map",
        "join",
        "tojson",
        "format",
        "replace",
        "split",
        "default",
        "range",
        "items",
        "length",
        "first",
        "last",
        "sum",
        "round",
        "int",
        "upper",
        "indent",
        "dictsort",
        "\n",
        " ",
        "\u{202e}",
        "é",
        "{% set a = report %}",
        "{% set a = a ~ a %}",
        "{% set a = a + a %}",
        "{% for a in report.findings %}",
        "{% endfor %}",
        "{{ report | tojson }}",
        "{{ a }}",
        "{{ report.findings | open }}",
    ]);
    prop_oneof![8 => words.prop_map(str::to_owned), 1 => ".{0,6}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_filled_or_refused(parts in prop::collection::vec(part(), 0..60), name in "[a-z.]{0,8}") {
        let text = parts.join(" ");
        match fill_as(&name, &text) {
            Ok(made) => prop_assert!(made.len() <= 50_000 * 64),
            Err(error) => prop_assert!(!error.contains('\n') && error.contains(&format!("`{name}`")), "{}", error),
        }
    }

    #[test]
    fn any_value_stays_one_cell_and_one_text(value in any::<String>()) {
        let filling = Filling::one(&serde_json::json!({ "value": value }));
        let make = |name: &str, text: &str| {
            let template = Template::parse(name, text).unwrap();
            String::from_utf8(template.render_within(&filling, 50_000).unwrap()).unwrap()
        };
        let page = make("x.html", "{{ report.value }}");
        prop_assert!(!page.contains(['<', '>', '"', '\'', '\u{1b}', '\r']), "{}", page);
        let cell = make("x.csv", "{{ report.value | csv }}");
        let bare = cell.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        match bare {
            Some(inside) => prop_assert!(!inside.replace("\"\"", "").contains('"'), "{}", cell),
            None => prop_assert!(!cell.contains(['"', ',', '\n']), "{}", cell),
        }
        prop_assert!(!bare.unwrap_or(&cell).starts_with(['=', '+', '-', '@']), "{}", cell);
    }
}
