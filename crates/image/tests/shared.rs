//! One reader serves several checks, and one check resolves the facts of several readers.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{HASHER, Spy};
use image::{
    About, Check, Configuration, Dispatch, Interest, Progress, Reader, RecordLevel, Resolution,
    Resolver, Squash, SubjectShape, View, Walker,
};
use std::sync::atomic::Ordering;
use testkit::Layer;
use vocabulary::Problem;

/// Reads files of its own besides.
struct Lists;

impl Reader for Lists {
    fn id(&self) -> &'static str {
        "lists"
    }

    fn revision(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Name("list")]
    }

    fn wants(&self, _: &image::Entry<'_>, _: &[u8]) -> image::Want {
        image::Want::Whole { at_most: 100 }
    }

    fn read(
        &self,
        _: &image::Entry<'_>,
        bytes: &[u8],
    ) -> Result<Option<image::Fact>, image::ReadError> {
        Ok(Some(bytes.to_vec()))
    }
}

impl Resolver for Lists {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        said(view.staying().map(|at| at.path.to_owned()))
    }
}

/// Has no reader of its own.
struct Both;

impl Check for Both {
    fn id(&self) -> &'static str {
        "both"
    }

    fn readers(&self) -> Vec<&dyn Reader> {
        vec![&Spy, &Lists]
    }

    fn resolve(&self, view: &View<'_>) -> Resolution {
        let user = view.configuration().map(|one| one.user.clone());
        let own = view.staying().map(|at| format!("spy {}", at.path));
        let lists = view.of("lists").unwrap();
        let lists = lists.staying().map(|at| format!("list {}", at.path)).collect::<Vec<_>>();
        assert!(view.of("nobody").is_none());
        said(user.into_iter().chain(own).chain(lists))
    }
}

fn said(all: impl Iterator<Item = String>) -> Resolution {
    let problem = |reason| Problem { path: String::new(), layer: None, reason };
    Resolution { problems: all.map(problem).collect(), ..Resolution::default() }
}

#[test]
fn a_reader_that_several_checks_name_reads_once_and_serves_each() {
    let checks: [&dyn Check; 2] = [&Both, &Lists];
    let readers = image::readers(checks);
    assert_eq!(readers.iter().map(|reader| reader.id()).collect::<Vec<_>>(), ["lists", "spy"]);
    let dispatch = Dispatch::new(&readers);
    let progress = Progress::default();
    let walker = Walker::new(&dispatch, &HASHER, RecordLevel::None, &progress);
    let tar = Layer::new().file("a/list", "1234").file("b/wanted", "56").plain();
    let facts = walker.walk_plain(&tar).facts;
    assert_eq!(progress.handed.load(Ordering::Relaxed), 6);
    let squash = Squash::new(vec![&facts], &HASHER);
    let configuration = Configuration { user: "app".to_owned(), ..Configuration::default() };
    let about =
        About { configuration: Some(&configuration), ..About::tree(SubjectShape::RootFileSystem) };
    let of = |check: &dyn Check| -> Vec<String> {
        let resolution = check.resolve(&squash.view_of(check, about));
        resolution.problems.into_iter().map(|problem| problem.reason).collect()
    };
    assert_eq!(of(&Both), ["app", "spy b/wanted", "list a/list"]);
    assert_eq!(of(&Lists), ["a/list"]);
}
