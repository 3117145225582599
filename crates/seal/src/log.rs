//! The log of seals: entries behind one another, each framed, checksummed and chained to the last.
//!
//! In go bytes, out come entries and what is wrong with them. The digest of an entry covers that of
//! the one before, so the last digest stands for the whole log. What follows the last acknowledged
//! entry and does not hold was torn off while it was written; anything before that is damage.

use crate::dsse::{ENVELOPE_BYTES, Envelope};
use crate::statement::Statement;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use vocabulary::Digest;

/// The first bytes of an entry.
const MAGIC: &[u8; 4] = b"LZSL";

/// Magic and length.
const HEADER: usize = 8;

const HASH: usize = 32;

/// Places at which an entry is looked for behind damage, so that a forged log costs no hour.
const SEARCHES: usize = 1_000;

/// Which entry was last acknowledged. It lies beside the log and is written after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// How many entries there are.
    pub entries: u64,
    /// Digest of the last one.
    pub digest: Digest,
}

/// A seal in the log. Nothing in it is verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// Number of its entry, from 1.
    pub entry: u64,
    /// Digest of its entry, which stands for all before.
    pub head: Digest,
    /// Digest of its envelope: its name.
    pub digest: Digest,
    /// The envelope.
    pub envelope: Envelope,
    /// What the envelope says.
    pub statement: Statement,
}

/// Something in the log that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The entry, from 1.
    pub entry: u64,
    /// Where it begins, in bytes.
    pub at: u64,
    /// What is wrong.
    pub reason: String,
    /// Digest that should be there, where one is known.
    pub expected: Option<Digest>,
    /// Digest that is there.
    pub found: Option<Digest>,
}

/// What a log holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// The seals, oldest first.
    pub seals: Vec<Seal>,
    /// What is wrong with it.
    pub damages: Vec<Damage>,
    /// The last entry.
    pub head: Option<Head>,
    /// Where the next entry belongs.
    pub end: u64,
    /// Bytes behind that, of an entry that was never written whole.
    pub torn: u64,
}

/// One entry as it is written.
#[must_use]
pub fn frame(previous: Option<&Digest>, body: &[u8]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend_from_slice(previous.map_or(&[0; HASH], Digest::as_bytes));
    bytes.extend_from_slice(body);
    let digest = Sha256::digest(&bytes);
    bytes.extend_from_slice(&digest);
    bytes
}

/// A frame that holds.
struct Entry<'bytes> {
    previous: &'bytes [u8],
    body: &'bytes [u8],
    digest: Digest,
    length: usize,
}

fn entry_at(bytes: &[u8], at: usize) -> Option<Entry<'_>> {
    let bytes = bytes.get(at..)?;
    let length = bytes.strip_prefix(MAGIC)?.first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    if length > ENVELOPE_BYTES {
        return None;
    }
    let covered = bytes.get(..HEADER + HASH + length)?;
    let digest = bytes.get(covered.len()..covered.len() + HASH)?;
    if Sha256::digest(covered).as_slice() != digest {
        return None;
    }
    Some(Entry {
        previous: covered.get(HEADER..HEADER + HASH)?,
        body: covered.get(HEADER + HASH..)?,
        digest: Digest::sha256(digest.try_into().ok()?),
        length: covered.len() + HASH,
    })
}

/// Reads a log.
#[must_use]
pub fn parse(bytes: &[u8], acknowledged: Option<&Head>) -> Log {
    let mut reader = Reader { log: Log::default(), digests: Vec::new(), lost: false };
    let mut at = 0;
    let mut searches = 0;
    while at < bytes.len() {
        if let Some(entry) = entry_at(bytes, at) {
            reader.entry(&entry, at);
            at += entry.length;
            reader.log.end = at as u64;
            continue;
        }
        let Some(next) = next_entry(bytes, at + 1, &mut searches) else { break };
        reader.damaged(at);
        at = next;
    }
    reader.tail(bytes.len().saturating_sub(at), at, acknowledged);
    reader.log
}

/// The next place where an entry holds.
fn next_entry(bytes: &[u8], from: usize, searches: &mut usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let places = rest.windows(MAGIC.len()).enumerate().filter(|(_, window)| *window == MAGIC);
    for (place, _) in places {
        *searches += 1;
        if *searches > SEARCHES {
            return None;
        }
        if entry_at(bytes, from + place).is_some() {
            return Some(from + place);
        }
    }
    None
}

/// Expected and found.
type Digests = (Option<Digest>, Option<Digest>);

const CHANGED: &str = "its bytes are not those that were written";

struct Reader {
    log: Log,
    /// Of each entry; none for a damaged one.
    digests: Vec<Option<Digest>>,
    /// Whether the entry before is damaged, so that its digest is not known.
    lost: bool,
}

impl Reader {
    fn number(&self) -> u64 {
        self.digests.len() as u64 + 1
    }

    fn damage(&mut self, entry: u64, at: usize, reason: impl Into<String>, digests: Digests) {
        let (expected, found) = digests;
        let (at, reason) = (at as u64, reason.into());
        self.log.damages.push(Damage { entry, at, reason, expected, found });
    }

    fn damaged(&mut self, at: usize) {
        let number = self.number();
        self.damage(number, at, CHANGED, (None, None));
        self.digests.push(None);
        self.lost = true;
    }

    fn entry(&mut self, entry: &Entry<'_>, at: usize) {
        let number = self.number();
        let before = self.log.head.as_ref().map(|head| head.digest.clone());
        let expected = before.as_ref().map_or([0; HASH].as_slice(), Digest::as_bytes);
        if !self.lost && entry.previous != expected {
            let found = entry.previous.try_into().ok().map(Digest::sha256);
            self.damage(number, at, "it does not follow the entry before it", (before, found));
        }
        self.lost = false;
        match read_body(entry.body) {
            Ok((envelope, statement)) => self.log.seals.push(Seal {
                entry: number,
                head: entry.digest.clone(),
                digest: Digest::of(entry.body),
                envelope,
                statement,
            }),
            Err(reason) => self.damage(number, at, reason, (None, None)),
        }
        self.digests.push(Some(entry.digest.clone()));
        self.log.head = Some(Head { entries: number, digest: entry.digest.clone() });
    }

    /// What comes after the last entry that holds: nothing, one that was torn, or damage.
    fn tail(&mut self, rest: usize, at: usize, acknowledged: Option<&Head>) {
        let entries = self.digests.len() as u64;
        let Some(head) = acknowledged else {
            // The very first entry may not have been acknowledged.
            if entries > 1 {
                let reason = "the file `head`, which names the last entry, is missing";
                self.damage(entries, at, reason, (None, None));
            }
            self.log.torn = rest as u64;
            return;
        };
        if entries < head.entries {
            let reason = if rest > 0 {
                CHANGED.to_owned()
            } else {
                format!(
                    "the log was cut: {} entries were written, {entries} are there",
                    head.entries
                )
            };
            self.damage(entries + 1, at, reason, (Some(head.digest.clone()), None));
            return;
        }
        let place = usize::try_from(head.entries.saturating_sub(1)).unwrap_or(usize::MAX);
        let found = self.digests.get(place).cloned().flatten();
        if head.entries > 0 && found.is_some() && found.as_ref() != Some(&head.digest) {
            let digests = (Some(head.digest.clone()), found);
            self.damage(head.entries, at, "it is not the entry that was acknowledged", digests);
        }
        self.log.torn = rest as u64;
    }
}

fn read_body(body: &[u8]) -> Result<(Envelope, Statement), String> {
    let envelope = Envelope::from_json(body).map_err(|error| error.to_string())?;
    let statement = Statement::from_json(&envelope.payload).map_err(|error| error.to_string())?;
    Ok((envelope, statement))
}
