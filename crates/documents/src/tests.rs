use super::*;
use proptest::prelude::*;

const BOUNDS: Bounds = Bounds { bytes: 1 << 20, depth: 16, nodes: 1_000 };

type Parse = fn(&str, &Bounds) -> Result<Document, DocumentError>;

/// A value without its places.
fn plain(node: &Node) -> String {
    match &node.value {
        Value::Empty => "-".to_owned(),
        Value::Scalar(text, true) => format!("{text:?}"),
        Value::Scalar(text, false) => text.clone(),
        Value::List(list) => {
            format!("[{}]", list.iter().map(plain).collect::<Vec<_>>().join(" "))
        }
        Value::Map(map) => {
            let one = |(key, value): &(Key, Node)| format!("{}:{}", key.text, plain(value));
            format!("{{{}}}", map.iter().map(one).collect::<Vec<_>>().join(" "))
        }
    }
}

fn wrong(parse: Parse, text: &str) -> String {
    parse(text, &BOUNDS).unwrap_err().to_string()
}

#[test]
fn the_same_is_read_from_every_form() {
    let expected = r#"{a:1 b:{c:["x" "é"] d:true}}"#;
    for (parse, text) in [
        (yaml::parse as Parse, "a: 1\nb:\n  c: ['x', \"é\"]\n  d: true\n"),
        (json::parse, r#"{"a": 1, "b": {"c": ["x", "\u00e9"], "d": true}}"#),
        (toml::parse, "a = 1\n[b]\nc = ['x', \"é\"]\nd = true\n"),
    ] {
        assert_eq!(plain(&parse(text, &BOUNDS).unwrap().root), expected, "{text}");
    }
}

#[test]
fn everything_has_its_place() {
    for (parse, text, key, value) in [
        (yaml::parse as Parse, "é: ü\nb:\n  c: 'x # y'  # z\n", "c", "'x # y'"),
        (json::parse, "{\"é\": \"ü\",\n\"b\":\n{\"c\": \"x # y\"}}", "\"c\"", "\"x # y\""),
        (toml::parse, "\"é\" = 'ü' # ö\n[b]\nc = 'x # y' # z\n", "c", "'x # y'"),
    ] {
        let document = parse(text, &BOUNDS).unwrap();
        let inner = document.root.get("b").unwrap();
        let Value::Map(map) = &inner.value else { panic!("{inner:?}") };
        let (name, node) = &map[0];
        assert_eq!((name.span.of(text), name.line, node.line), (key, 3, 3), "{text}");
        assert_eq!(node.span.of(text), value, "{text}");
    }
    let text = "a:\n  -  \n    b: 1\n  - {c: 2}\n";
    let list = yaml::parse(text, &BOUNDS).unwrap().root;
    let Value::List(list) = &list.get("a").unwrap().value else { panic!("{list:?}") };
    assert_eq!(list.iter().map(|one| one.line).collect::<Vec<_>>(), [3, 4]);
    assert!(list[1].span.of(text).starts_with("{c: 2}"));
    assert_eq!(Place::of("é\nüx", 5), Place { line: 2, column: 2 });
}

#[test]
fn comments_are_kept_with_their_place() {
    let text = "# ä\na: x#y # one\nb: 'it''s # no'\nc: | # two\n  # no\nd: \"# no\" # three\r\n";
    let of = |document: &Document, text: &str| -> Vec<(usize, String)> {
        document.comments.iter().map(|one| (one.line, one.span.of(text).to_owned())).collect()
    };
    let found = of(&yaml::parse(text, &BOUNDS).unwrap(), text);
    let expected = [(1, "# ä"), (2, "# one"), (4, "# two"), (6, "# three")];
    assert_eq!(found, expected.map(|(line, text)| (line, text.to_owned())));
    let text = "# ä\na = 'x # no'# one\n[b] # two\n\"c # no\" = \"\"\"\n# no\n\"\"\"\n";
    let found = of(&toml::parse(text, &BOUNDS).unwrap(), text);
    let expected = [(1, "# ä"), (2, "# one"), (3, "# two")];
    assert_eq!(found, expected.map(|(line, text)| (line, text.to_owned())));
}

#[test]
fn what_hides_or_grows_is_refused_with_its_line() {
    for (parse, text, expected) in [
        (yaml::parse as Parse, "a: &x 1\n", "line 1, column 1: anchors and tags"),
        (yaml::parse, "a: 1\nb: !!str 2\n", "line 2, column 1: anchors and tags"),
        (yaml::parse, "a: 1\na: 2\n", "line 2, column 1: this key stands here twice"),
        (yaml::parse, "a: 1\n---\nb: 2\n", "it holds several documents"),
        (yaml::parse, "[a]: 1\n", "a key must be a text"),
        (json::parse, "{\"a\": 1,\n \"a\": 2}", "line 2, column 2: this key stands here twice"),
        (json::parse, "[1, 2", "it is not JSON"),
        (json::parse, "[01]", "it is not JSON"),
        (json::parse, "{} x", "line 1, column 4: something follows"),
        (json::parse, "", "it is not JSON"),
        (toml::parse, "a = 1\nb = [\n", "line"),
    ] {
        let error = wrong(parse, text);
        assert!(error.contains(expected), "{text}: {error}");
    }
    for parse in [yaml::parse as Parse, json::parse] {
        assert!(wrong(parse, &"[".repeat(100)).contains("nested too deeply"));
        assert!(parse(&"[".repeat(100_000), &BOUNDS).is_err());
    }
    assert!(toml::parse(&format!("a = {}", "[".repeat(10_000)), &BOUNDS).is_err());
    let many = format!("[{}1]", "1,".repeat(1_000));
    assert!(wrong(json::parse, &many).contains("too large"));
    assert!(wrong(yaml::parse, &many).contains("too large"));
    assert!(wrong(toml::parse, &format!("a = {many}")).contains("too large"));
    let small = Bounds { bytes: 3, ..BOUNDS };
    assert!(json::parse("[1, 2]", &small).is_err() && json::parse("[1]", &small).is_ok());
}

#[test]
fn keys_that_are_many_take_no_longer_each() {
    let bounds = Bounds { nodes: 1_000_000, ..BOUNDS };
    let text: String = (0..100_000).map(|number| format!("k{number}: 1\n")).collect();
    let Value::Map(map) = yaml::parse(&text, &bounds).unwrap().root.value else { panic!() };
    assert_eq!(map.len(), 100_000);
}

/// Every span lies in its parent's start and the text, on the line that is told.
fn places_hold(text: &str, node: &Node) {
    assert!(text.get(node.span.start..node.span.end).is_some(), "{text:?} {node:?}");
    match &node.value {
        Value::List(list) => list.iter().for_each(|one| places_hold(text, one)),
        Value::Map(map) => map.iter().for_each(|(key, one)| {
            assert!(text.get(key.span.start..key.span.end).is_some());
            places_hold(text, one);
        }),
        Value::Empty | Value::Scalar(..) => {}
    }
}

proptest! {
    #[test]
    fn no_text_makes_a_reader_panic_or_lose_its_place(text in "[-a-zé:#'\"{}\\[\\],=&*!|> \n\t0-9.]{0,60}") {
        for parse in [yaml::parse as Parse, json::parse, toml::parse] {
            if let Ok(document) = parse(&text, &BOUNDS) {
                places_hold(&text, &document.root);
                for comment in &document.comments {
                    prop_assert!(comment.span.of(&text).starts_with('#'));
                    prop_assert_eq!(Place::of(&text, comment.span.start).line, comment.line);
                }
            }
        }
    }

    #[test]
    fn what_json_says_is_what_serde_json_reads(texts in prop::collection::vec(".{0,12}", 0..8)) {
        let text = serde_json::to_string(&texts).unwrap();
        let Value::List(list) = json::parse(&text, &BOUNDS).unwrap().root.value else { panic!() };
        for (node, expected) in list.iter().zip(&texts) {
            prop_assert_eq!(&node.value, &Value::Scalar(expected.clone(), true));
            prop_assert_eq!(serde_json::from_str::<String>(node.span.of(&text)).unwrap(), expected.clone());
        }
        prop_assert_eq!(list.len(), texts.len());
    }
}
