//! The one pass over a layer: read, hash, inflate, hash, walk, dispatch.
//!
//! Three threads a layer. The first reads, hashes what is packed and inflates into a ring of buffers;
//! the second hashes what is plain; the third feeds the tar reader, and hands the buffer back. Which
//! of them is the longest depends on the layer (inflating as a rule, hashing where it packs well,
//! walking where files are small); the others hide behind it, and memory is the ring whatever the
//! layer's size. Layers run side by side, as many as there are processors.

use crate::blob::{Blob, PIECE, Packing, refused_packing, unpack};
use crate::budget::Budget;
use crate::check::Check;
use crate::collect::{Collector, RecordLevel};
use crate::dispatch::Dispatch;
use crate::facts::{LayerFacts, PathHasher};
use crate::limits::{self, LayerBounds};
use crate::links::Aliases;
use crate::share::{Share, Shares};
use crate::tar::TarReader;
use record::Record;
use sha2::Digest as _;
use std::io::{self, BufReader, Read};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use vocabulary::{Algorithm, Digest, Problem};

/// Buffers that go round between the threads of a layer. Many, though few are full at once: a buffer
/// that comes back late has left the caches of the processor that read it, and is written to faster.
const RING: usize = 24;

/// What reading a layer gave.
#[derive(Debug, Default)]
#[must_use]
pub struct Walked {
    /// The facts; `diff_id` is computed.
    pub facts: LayerFacts,
    /// The file record, as far as it was asked for.
    pub record: Record,
    /// Digest of the bytes as stored, computed.
    pub packed_digest: Option<Digest>,
    /// Count of the bytes as stored.
    pub packed_bytes: u64,
    /// How it was packed.
    pub packing: Option<Packing>,
    /// Why the layer was not read to its end; the facts are those up to there.
    pub failure: Option<String>,
}

/// Why nothing is known of a layer that was read.
const OVER: &str = "holds, with the layers below it, more files of concern, links and names than is kept of one image: left out";

impl Walked {
    /// Leaves out what does not fit with the layers below.
    pub fn let_go(&mut self) {
        self.facts.let_go();
        self.record = Record::default();
        self.failure = Some(OVER.to_owned());
    }
}

/// Told of progress while layers are read.
#[derive(Debug, Default)]
pub struct Progress {
    /// Bytes read as stored, all layers together.
    pub read: AtomicU64,
    /// Bytes that there are to read; 0 while unknown.
    pub total: AtomicU64,
    /// Bytes of files that were handed to readers, each once however many wanted it.
    pub handed: AtomicU64,
}

/// Everything a walk needs besides the layer.
pub struct Walker<'walk> {
    /// The readers.
    pub dispatch: &'walk Dispatch<'walk>,
    /// Hashes paths.
    pub hasher: &'walk PathHasher,
    /// How much of the file record is kept.
    pub level: RecordLevel,
    /// Told of progress.
    pub progress: &'walk Progress,
    bounds: LayerBounds,
    budget: Budget,
}

/// What one pass over a layer gave: the first of them is all, another is only believed where it saw
/// the same bytes.
#[must_use]
struct Passed {
    walked: Walked,
    /// What is to be read again under other names.
    pending: Aliases,
}

impl Passed {
    fn not_begun(error: &io::Error) -> Self {
        let failure = Some(format!("no thread can be had to read it: {error}"));
        let walked = Walked { failure, ..Walked::default() };
        Self { walked, pending: Aliases::default() }
    }
}

impl<'walk> Walker<'walk> {
    /// A walker; see its fields.
    #[must_use]
    pub fn new(
        dispatch: &'walk Dispatch<'walk>,
        hasher: &'walk PathHasher,
        level: RecordLevel,
        progress: &'walk Progress,
    ) -> Self {
        let budget = Budget::new(limits::WHOLE_TOTAL_BYTES);
        Self { dispatch, hasher, level, progress, bounds: LayerBounds::default(), budget }
    }

    /// With other bounds than the usual ones, for tests and fuzzing.
    #[must_use]
    pub const fn with_bounds(mut self, bounds: LayerBounds) -> Self {
        self.bounds = bounds;
        self
    }

    /// Walks blobs side by side, `workers` at a time; the results are in the order of the blobs.
    /// `shares` has a place for each layer of the image, those that are known already among them.
    pub fn walk_all(&self, layers: &[WalkJob<'_>], workers: usize, shares: &Shares) -> Vec<Walked> {
        let next = AtomicUsize::new(0);
        let done: Vec<Mutex<Option<Walked>>> = layers.iter().map(|_| Mutex::new(None)).collect();
        let walk_on = || {
            while let Some((layer, slot)) = {
                let index = next.fetch_add(1, Ordering::Relaxed);
                layers.get(index).zip(done.get(index))
            } {
                let walked = self.walk_sharing(layer, shares);
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(walked);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..workers.clamp(1, layers.len().max(1)) {
                // Where no more threads are to be had, those that there are do it.
                let _ = std::thread::Builder::new().spawn_scoped(scope, walk_on);
            }
            walk_on();
        });
        done.into_iter()
            .map(|slot| {
                slot.into_inner().unwrap_or_else(PoisonError::into_inner).unwrap_or_default()
            })
            .collect()
    }

    pub(crate) fn collector<'with>(&'with self, share: Share<'with>) -> Collector<'with> {
        self.collector_for(self.dispatch, share)
    }

    fn collector_for<'with>(
        &'with self,
        dispatch: &'with Dispatch<'with>,
        share: Share<'with>,
    ) -> Collector<'with> {
        let counts = (&self.budget, &self.progress.handed);
        Collector::new(dispatch, self.hasher, counts, self.bounds, share, self.level)
    }

    /// Walks one blob; a second time for the few files that turned out to be hard links of names that
    /// told a reader nothing.
    pub fn walk(&self, layer: &WalkJob<'_>) -> Walked {
        self.walk_sharing(layer, &Shares::new(layer.number + 1, limits::IMAGE_KEPT_BYTES))
    }

    fn walk_sharing(&self, layer: &WalkJob<'_>, shares: &Shares) -> Walked {
        let Passed { mut walked, pending } = self.pass(layer, None, shares);
        if !pending.is_empty() && walked.failure.is_none() {
            let again = self.again(layer, &pending, &mut walked, shares);
            walked.facts.append(again);
        }
        if !shares.fits(layer.number) {
            walked.let_go();
        }
        walked
    }

    /// Reads a layer that was walked before once more, for the files that have other names. What it
    /// gives is of the same bytes, or `walked` fails: where it cannot be read, or is another one now,
    /// that is a problem of each reader concerned, and the digests are those of what was read last.
    #[must_use]
    pub fn walk_again(
        &self,
        layer: &WalkJob<'_>,
        aliases: &Aliases,
        walked: &mut Walked,
    ) -> LayerFacts {
        let shares = Shares::new(layer.number + 1, limits::IMAGE_KEPT_BYTES);
        self.again(layer, aliases, walked, &shares)
    }

    fn again(
        &self,
        layer: &WalkJob<'_>,
        aliases: &Aliases,
        walked: &mut Walked,
        shares: &Shares,
    ) -> LayerFacts {
        let Passed { walked: again, pending: _ } = self.pass(layer, Some(aliases), shares);
        let same = again.packed_digest == walked.packed_digest
            && again.facts.diff_id == walked.facts.diff_id;
        let failure = match again.failure {
            Some(reason) => format!("could not be read a second time: {reason}"),
            None if !same => "holds other bytes than when it was read first".to_owned(),
            None => return again.facts,
        };
        if again.packed_digest.is_some() {
            walked.packed_digest = again.packed_digest;
            walked.facts.diff_id = again.facts.diff_id.clone();
        }
        let mut facts = again.facts;
        for (path, readers) in aliases.names() {
            for reader in layer.only.unwrap_or(self.dispatch).of(readers) {
                let reason = format!("the layer {failure}");
                let problem = Problem { path: path.to_owned(), layer: None, reason };
                let of_reader = facts.readers.entry(reader.id().to_owned()).or_default();
                of_reader.problems.push(self.bounds.problems, || problem);
            }
        }
        walked.failure.get_or_insert(failure);
        facts
    }

    /// Walks a plain tar that lies in memory.
    pub fn walk_plain(&self, tar: &[u8]) -> Walked {
        let pass = |collector: Collector<'_>| {
            let (filled_in, filled) = sync_channel(1);
            let (emptied_in, _emptied) = sync_channel(1);
            let _ = filled_in.send(tar.to_vec());
            drop(filled_in);
            let reader = TarReader::with_holes(self.bounds.hole_bytes);
            consume(collector, reader, &filled, &emptied_in)
        };
        let shares = Shares::new(1, limits::IMAGE_KEPT_BYTES);
        let Consumed { mut facts, record, pending, failure } = pass(self.collector(shares.of(0)));
        if !pending.is_empty() && failure.is_none() {
            facts.append(pass(self.collector(shares.of(0)).only(&pending)).facts);
        }
        facts.diff_id = Some(Digest::of(tar));
        Walked { facts, record, failure, ..Walked::default() }
    }

    fn pass(&self, layer: &WalkJob<'_>, only: Option<&Aliases>, shares: &Shares) -> Passed {
        let dispatch = layer.only.unwrap_or(self.dispatch);
        let mut collector = self.collector_for(dispatch, shares.of(layer.number));
        if let Some(aliases) = only {
            collector = collector.only(aliases);
        }
        let blob = match layer.blob.open_noting() {
            Ok(blob) => blob,
            Err(error) => {
                let failure = Some(error.to_string());
                let walked = Walked { failure, ..Walked::default() };
                return Passed { walked, pending: Aliases::default() };
            }
        };
        let (filled_in, filled) = sync_channel(RING);
        let (emptied_in, emptied) = sync_channel(RING);
        for _ in 0..RING {
            let _ = emptied_in.send(Vec::new());
        }
        let notes = blob.notes;
        let mut passed = std::thread::scope(|scope| {
            let algorithm = layer.algorithm;
            let (hashed_in, hashed) = sync_channel(RING);
            let begin = std::thread::Builder::new;
            let hasher = begin().spawn_scoped(scope, move || hash_plain(&filled, &hashed_in));
            let tar = TarReader::with_holes(self.bounds.hole_bytes);
            let consume = move || consume(collector, tar, &hashed, &emptied_in);
            let consumer = begin().spawn_scoped(scope, consume);
            // What was started ends as its channels do.
            let (hasher, consumer) = match (hasher, consumer) {
                (Ok(hasher), Ok(consumer)) => (hasher, consumer),
                (Err(error), _) | (_, Err(error)) => return Passed::not_begun(&error),
            };
            let source = HashingReader::new(blob.bytes, algorithm, self.progress);
            let produced = produce(source, &filled_in, &emptied);
            drop(filled_in);
            let diff_id = hasher.join().unwrap_or_default();
            let consumed = consumer.join().unwrap_or_else(|_| Consumed::lost());
            merge(produced, diff_id, consumed)
        });
        let notes = std::mem::take(&mut *notes.lock().unwrap_or_else(PoisonError::into_inner));
        if !notes.is_untouched() {
            let problems = &mut passed.walked.facts.problems;
            problems.leave_out(notes.left_out());
            for (path, reason) in &notes {
                let (path, reason) = (path.clone(), reason.clone());
                problems.push(self.bounds.problems, || Problem { path, layer: None, reason });
            }
        }
        passed
    }
}

/// A layer to be walked.
pub struct WalkJob<'walk> {
    /// Where it lies.
    pub blob: &'walk Blob,
    /// What its stored bytes are hashed by.
    pub algorithm: Algorithm,
    /// The layer's place in the image, from 0 at the bottom.
    pub number: usize,
    /// The readers that it is read for; all of the walker's where there are none.
    pub only: Option<&'walk Dispatch<'walk>>,
}

enum Piece {
    /// How the layer is packed: sent first.
    Begins(Packing),
    Bytes(Vec<u8>),
}

struct Produced {
    /// None where not all could be read: what was is not what is stored.
    digest: Option<Digest>,
    bytes: u64,
    packing: Packing,
    failure: Option<String>,
}

struct Consumed {
    facts: LayerFacts,
    record: Record,
    pending: Aliases,
    failure: Option<String>,
}

impl Consumed {
    fn lost() -> Self {
        let failure = Some("internal error while walking the layer; please report it".to_owned());
        Self {
            facts: LayerFacts::default(),
            record: Record::default(),
            pending: Aliases::default(),
            failure,
        }
    }
}

fn merge(produced: Produced, diff_id: Option<Digest>, consumed: Consumed) -> Passed {
    let plain = produced.packing == Packing::Plain;
    let diff_id = produced
        .digest
        .as_ref()
        .and_then(|digest| diff_id.or_else(|| plain.then(|| digest.clone())));
    let facts = LayerFacts { diff_id, ..consumed.facts };
    // What stopped the unpacker is the cause of what stopped the tar reader.
    let failure = produced.failure.or(consumed.failure);
    let walked = Walked {
        facts,
        record: consumed.record,
        packed_digest: produced.digest,
        packed_bytes: produced.bytes,
        packing: Some(produced.packing),
        failure,
    };
    Passed { walked, pending: consumed.pending }
}

/// Reads, hashes and unpacks. Whatever happens, all stored bytes are hashed in the end.
fn produce(
    mut source: HashingReader<'_>,
    filled: &SyncSender<Piece>,
    emptied: &Receiver<Vec<u8>>,
) -> Produced {
    let mut head = Vec::new();
    let read = source.by_ref().take(8).read_to_end(&mut head);
    let packing = Packing::of(&head);
    let _ = filled.send(Piece::Begins(packing));
    let failure = match (read, refused_packing(&head)) {
        (Err(error), _) => Some(format!("cannot read: {error}")),
        (_, Some(name)) => {
            Some(format!("packed with {name}, which is not supported; use gzip or zstd"))
        }
        _ => {
            let packed_bytes = source.bytes.clone();
            let packed = io::Cursor::new(head).chain(source.by_ref());
            let packed = BufReader::with_capacity(PIECE, packed);
            let result = match unpack(packing, packed) {
                Ok(plain) => pump(plain, packing, &packed_bytes, filled, emptied),
                Err(error) => Err(error.to_string()),
            };
            result.err()
        }
    };
    let drained = io::copy(&mut source, &mut io::sink());
    let failure = failure.or_else(|| drained.err().map(|error| format!("cannot read: {error}")));
    let bytes = source.bytes.load(Ordering::Relaxed);
    Produced { digest: source.digest(), bytes, packing, failure }
}

fn pump(
    mut plain: Box<dyn Read + Send + '_>,
    packing: Packing,
    packed_bytes: &AtomicU64,
    filled: &SyncSender<Piece>,
    emptied: &Receiver<Vec<u8>>,
) -> Result<(), String> {
    let mut total = 0_u64;
    loop {
        let Ok(mut buffer) = emptied.recv() else { return Ok(()) };
        buffer.resize(PIECE, 0);
        let (count, end) = fill(&mut plain, &mut buffer);
        buffer.truncate(count);
        total += count as u64;
        let packed = packed_bytes.load(Ordering::Relaxed).max(1);
        if filled.send(Piece::Bytes(buffer)).is_err() {
            return Ok(());
        }
        match end {
            Some(Ok(())) => return Ok(()),
            Some(Err(error)) => {
                return Err(match error.kind() {
                    io::ErrorKind::UnexpectedEof => {
                        format!("truncated: the {} stream breaks off", packing.name())
                    }
                    io::ErrorKind::ConnectionAborted => format!("cannot read: {error}"),
                    _ => format!("damaged {} stream: {error}", packing.name()),
                });
            }
            None => {}
        }
        if total > limits::LAYER_BYTES {
            return Err(format!(
                "refusing to read on: over the limit of {} GiB",
                limits::LAYER_BYTES >> 30
            ));
        }
        if total > limits::BOMB_GRACE && total / packed > limits::BOMB_RATIO {
            return Err(format!(
                "refusing to read on: unpacks to more than {} times its size, as a decompression bomb does",
                limits::BOMB_RATIO
            ));
        }
    }
}

/// Fills the buffer as far as the stream goes; what ended it, if anything did.
fn fill(plain: &mut dyn Read, buffer: &mut [u8]) -> (usize, Option<io::Result<()>>) {
    let mut count = 0;
    while let Some(room) = buffer.get_mut(count..).filter(|room| !room.is_empty()) {
        match plain.read(room) {
            Ok(0) => return (count, Some(Ok(()))),
            Ok(read) => count += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (count, Some(Err(error))),
        }
    }
    (count, None)
}

/// Hashes what is plain and hands it on. Of a layer that is not packed the stored bytes are the plain
/// ones, and their digest is known already: none then.
fn hash_plain(filled: &Receiver<Piece>, hashed: &SyncSender<Vec<u8>>) -> Option<Digest> {
    let mut hash = None;
    for piece in filled {
        match piece {
            Piece::Begins(Packing::Plain) => {}
            Piece::Begins(_) => hash = Some(sha2::Sha256::default()),
            Piece::Bytes(buffer) => {
                if let Some(hash) = &mut hash {
                    hash.update(&buffer);
                }
                let _ = hashed.send(buffer);
            }
        }
    }
    hash.map(|hash| Digest::sha256(hash.finalize().into()))
}

/// Walks what is plain. After damage it lets the rest pass, so that the digests are known.
fn consume(
    mut collector: Collector<'_>,
    mut tar: TarReader,
    plain: &Receiver<Vec<u8>>,
    emptied: &SyncSender<Vec<u8>>,
) -> Consumed {
    let mut bytes = 0_u64;
    let mut failure: Option<String> = None;
    for buffer in plain {
        bytes += buffer.len() as u64;
        if failure.is_none() {
            failure = tar.push(&buffer, &mut collector).err().map(|error| error.to_string());
        }
        let _ = emptied.send(buffer);
    }
    let failure = failure.or_else(|| tar.finish().err().map(|error| error.to_string()));
    if let Some(reason) = &failure {
        collector.note("", reason.clone());
    }
    let collected = collector.finish(tar.entries());
    let failure = if collected.over { Some(OVER.to_owned()) } else { failure };
    let facts = LayerFacts { plain_bytes: bytes, ..collected.facts };
    Consumed { facts, record: collected.record, pending: collected.pending, failure }
}

/// Hashes and counts what passes through.
struct HashingReader<'walk> {
    inner: Box<dyn Read + Send>,
    hash: Hash,
    bytes: std::sync::Arc<AtomicU64>,
    progress: &'walk Progress,
    /// Whether the source failed before its end.
    broken: bool,
}

enum Hash {
    Sha256(sha2::Sha256),
    Sha512(Box<sha2::Sha512>),
}

impl<'walk> HashingReader<'walk> {
    fn new(inner: Box<dyn Read + Send>, algorithm: Algorithm, progress: &'walk Progress) -> Self {
        let hash = match algorithm {
            Algorithm::Sha256 => Hash::Sha256(sha2::Sha256::default()),
            Algorithm::Sha512 => Hash::Sha512(Box::default()),
        };
        Self { inner, hash, bytes: std::sync::Arc::default(), progress, broken: false }
    }

    fn digest(self) -> Option<Digest> {
        (!self.broken).then(|| match self.hash {
            Hash::Sha256(hash) => Digest::sha256(hash.finalize().into()),
            Hash::Sha512(hash) => Digest::sha512(hash.finalize().into()),
        })
    }
}

impl Read for HashingReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer).inspect_err(|error| {
            self.broken |= error.kind() != io::ErrorKind::Interrupted;
        })?;
        let bytes = buffer.get(..count).unwrap_or_default();
        match &mut self.hash {
            Hash::Sha256(hash) => hash.update(bytes),
            Hash::Sha512(hash) => hash.update(bytes),
        }
        self.bytes.fetch_add(count as u64, Ordering::Relaxed);
        self.progress.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Checks, for those who hold them boxed.
#[must_use]
pub fn borrowed(checks: &[Box<dyn Check>]) -> Vec<&dyn Check> {
    checks.iter().map(Box::as_ref).collect()
}
