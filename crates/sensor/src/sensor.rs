//! The sensor: three kernel programs, one ring buffer, and maps that say whose events count.
//!
//! The programs do not wake the reader; it comes by every [`TURN`]. A wake-up for each event costs the
//! observed process ten times what the programs do.

use crate::offsets::{self, ENFORCE_MEMORY, ENFORCE_WRITTEN, IGNORED_BUCKETS, IGNORED_PER_BUCKET};
use crate::programs::{self, load_error};
use crate::{
    CgroupKey, Enforcement, KernelEvent, ProgramStats, SensorError, SensorOptions, clock, decode,
};
use libbpf_rs::query::ProgInfoIter;
use libbpf_rs::{Link, MapCore as _, MapFlags, MapHandle, Object, OpenObject, Program, RingBuffer};
use libbpf_rs::{RingBufferBuilder, libbpf_sys};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::collections::HashSet;
use std::fmt;
use std::os::fd::{AsFd as _, FromRawFd as _, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often the reader looks into the ring buffer by itself.
const TURN: Duration = Duration::from_millis(10);
/// Smallest and largest ring buffer: below, one record would nearly fill it; above, it is memory that
/// cannot be swapped out.
const RING_LIMITS: (u32, u32) = (64 << 10, 256 << 20);
/// Events that are decoded before they are handed on: bounds the memory of one turn.
const BATCH: usize = 1024;

/// Listens to the kernel. Dropping it detaches the programs.
pub struct Sensor {
    // Dropped in this order: first nothing writes any more, then nothing reads.
    _links: Vec<Link>,
    ring: RingBuffer<'static>,
    arrived: Arc<Mutex<Arrived>>,
    maps: Maps,
    enforced: HashSet<u64>,
    measuring: Option<OwnedFd>,
    object: Object,
}

/// What came out of the ring buffer and was not yet handed on.
#[derive(Default)]
struct Arrived {
    events: Vec<KernelEvent>,
    damaged: u64,
}

struct Maps {
    events: MapHandle,
    lost: MapHandle,
    ignored: MapHandle,
    enforced: MapHandle,
    enforced_count: MapHandle,
    trusted_mounts: MapHandle,
}

impl fmt::Debug for Sensor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sensor").field("enforced", &self.enforced).finish_non_exhaustive()
    }
}

impl Sensor {
    /// Loads and attaches the programs. Events are kept from now on.
    ///
    /// # Errors
    /// Where the kernel does not take them: no root, no BTF, too old.
    pub fn start(options: SensorOptions) -> Result<Self, SensorError> {
        crate::process_ids()?;
        let mut open = programs::sensor()?;
        configure(&mut open, options)?;
        let object = open.load().map_err(|error| load_error(&error))?;
        let maps = Maps {
            events: map(&object, "events")?,
            lost: map(&object, "lost")?,
            ignored: map(&object, "ignored")?,
            enforced: map(&object, "enforced")?,
            enforced_count: map(&object, "enforced_count")?,
            trusted_mounts: map(&object, "trusted_mounts")?,
        };
        let arrived = Arc::new(Mutex::new(Arrived::default()));
        let ring = ring(&maps.events, Arc::clone(&arrived))?;
        let links = object.progs_mut().map(|program| attach(&program)).collect::<Result<_, _>>()?;
        let mut sensor = Self {
            _links: links,
            ring,
            arrived,
            maps,
            enforced: HashSet::new(),
            measuring: None,
            object,
        };
        // The first process has the host's; ours, where it is another one, is where engines and their
        // runtimes are likely to be started from.
        for pid in [1, std::process::id()] {
            if let Some(namespace) = clock::mount_namespace(pid) {
                sensor.trust_mounts(namespace)?;
            }
        }
        Ok(sensor)
    }

    /// Hands on what has happened. Returns at once where something has, and else waits for it, at most
    /// for the given time. Returns how many events it handed on.
    ///
    /// # Errors
    /// Where the ring buffer cannot be read.
    pub fn poll(
        &mut self,
        timeout: Duration,
        each: &mut dyn FnMut(KernelEvent),
    ) -> Result<usize, SensorError> {
        let end = Instant::now().checked_add(timeout);
        loop {
            let count = self.drain(each)?;
            let left = end.map_or(TURN, |end| end.saturating_duration_since(Instant::now()));
            // poll(2) counts whole milliseconds: waiting for less would be asking without end.
            if count > 0 || left < Duration::from_millis(1) {
                return Ok(count);
            }
            self.wait(left.min(TURN))?;
        }
    }

    /// Reads one batch and hands it on.
    fn drain(&self, each: &mut dyn FnMut(KernelEvent)) -> Result<usize, SensorError> {
        let read = self.ring.consume_raw_n(BATCH);
        if read < 0 && read != -libc::EINTR {
            let reason = std::io::Error::from_raw_os_error(-read).to_string();
            return Err(SensorError::Read { reason });
        }
        let events = std::mem::take(&mut self.arrived().events);
        let count = events.len();
        events.into_iter().for_each(each);
        Ok(count)
    }

    /// Sleeps, unless the kernel program finds the ring buffer filling up.
    fn wait(&self, time: Duration) -> Result<(), SensorError> {
        let time = PollTimeout::try_from(time).unwrap_or(PollTimeout::ZERO);
        let mut descriptors = [PollFd::new(self.maps.events.as_fd(), PollFlags::POLLIN)];
        match poll(&mut descriptors, time) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
            Err(error) => Err(SensorError::Read { reason: error.to_string() }),
        }
    }

    fn arrived(&self) -> std::sync::MutexGuard<'_, Arrived> {
        // Only this thread ever holds it, so that a poisoned one is still whole.
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many events were lost since the start: the ring buffer was full, or a record was damaged.
    ///
    /// # Errors
    /// Where the counters cannot be read.
    pub fn lost(&self) -> Result<u64, SensorError> {
        let values = self.maps.lost.lookup_percpu(&0u32.to_ne_bytes(), MapFlags::ANY);
        let values = values.map_err(|error| map_error("read", "lost", &error))?.unwrap_or_default();
        let count =
            |value: &Vec<u8>| value.first_chunk().map_or(0, |bytes| u64::from_ne_bytes(*bytes));
        Ok(values.iter().map(count).sum::<u64>() + self.arrived().damaged)
    }

    /// Reports nothing of this cgroup any more, until it is released. Cgroups below it are others.
    ///
    /// # Errors
    /// Where there is no room for it: its events go on, and are to be dropped by who gets them.
    pub fn ignore_cgroup(&mut self, id: u64) -> Result<(), SensorError> {
        let mut ids = self.ignored_beside(id)?;
        if ids.contains(&id) {
            return Ok(());
        }
        let Some(free) = ids.iter_mut().find(|other| **other == 0) else {
            let reason = "too many cgroups are ignored".to_owned();
            return Err(SensorError::Map { verb: "write to", map: "ignored", reason });
        };
        *free = id;
        self.write_ignored(id, ids)
    }

    /// The ids in the bucket of this one.
    fn ignored_beside(&self, id: u64) -> Result<[u64; IGNORED_PER_BUCKET], SensorError> {
        let bucket = self.maps.ignored.lookup(&bucket_of(id), MapFlags::ANY);
        let bucket = bucket.map_err(|error| map_error("read", "ignored", &error))?;
        let mut ids = [0; IGNORED_PER_BUCKET];
        let found = bucket.unwrap_or_default();
        for (id, bytes) in ids.iter_mut().zip(found.as_chunks().0) {
            *id = u64::from_ne_bytes(*bytes);
        }
        Ok(ids)
    }

    fn write_ignored(&self, id: u64, ids: [u64; IGNORED_PER_BUCKET]) -> Result<(), SensorError> {
        let bytes = ids.map(u64::to_ne_bytes);
        let written = self.maps.ignored.update(&bucket_of(id), bytes.as_flattened(), MapFlags::ANY);
        written.map_err(|error| map_error("write to", "ignored", &error))
    }

    /// Never stops what is in this mount namespace (see [`crate::mount_namespace`]): that of an engine,
    /// whose runtime is in the container's cgroup before it is in its mounts, and may run from memory.
    /// The host's, and this process's, are trusted from the start.
    ///
    /// # Errors
    /// Where there are too many.
    pub fn trust_mounts(&mut self, namespace: u32) -> Result<(), SensorError> {
        let result = self.maps.trusted_mounts.update(&namespace.to_ne_bytes(), &[1], MapFlags::ANY);
        result.map_err(|error| map_error("write to", "trusted_mounts", &error))
    }

    /// Takes that back: the namespace is gone, and another may get its number.
    ///
    /// # Errors
    /// Where the map cannot be written.
    pub fn distrust_mounts(&mut self, namespace: u32) -> Result<(), SensorError> {
        match self.maps.trusted_mounts.delete(&namespace.to_ne_bytes()) {
            Err(error) if error.kind() != libbpf_rs::ErrorKind::NotFound => {
                Err(map_error("write to", "trusted_mounts", &error))
            }
            _ => Ok(()),
        }
    }

    /// Has the kernel stop programs in this cgroup and those below it, outside of trusted mounts.
    ///
    /// # Errors
    /// Where the map is full.
    pub fn enforce_cgroup(&mut self, id: u64, what: Enforcement) -> Result<(), SensorError> {
        let memory = if what.memory { ENFORCE_MEMORY } else { 0 };
        let written = if what.written { ENFORCE_WRITTEN } else { 0 };
        let flags = (memory | written).to_ne_bytes();
        let result = self.maps.enforced.update(&id.to_ne_bytes(), &flags, MapFlags::ANY);
        result.map_err(|error| map_error("write to", "enforced", &error))?;
        self.enforced.insert(id);
        self.count_enforced()
    }

    /// Forgets what was said of a cgroup: it is gone, or counts as any other again.
    ///
    /// # Errors
    /// Where a map cannot be written.
    pub fn release_cgroup(&mut self, id: u64) -> Result<(), SensorError> {
        let ids = self.ignored_beside(id)?;
        if ids.contains(&id) {
            self.write_ignored(id, ids.map(|other| if other == id { 0 } else { other }))?;
        }
        match self.maps.enforced.delete(&id.to_ne_bytes()) {
            Err(error) if error.kind() != libbpf_rs::ErrorKind::NotFound => {
                return Err(map_error("write to", "enforced", &error));
            }
            _ => {}
        }
        self.enforced.remove(&id);
        self.count_enforced()
    }

    fn count_enforced(&self) -> Result<(), SensorError> {
        let count = u32::try_from(self.enforced.len()).unwrap_or(u32::MAX).to_ne_bytes();
        let result = self.maps.enforced_count.update(&0u32.to_ne_bytes(), &count, MapFlags::ANY);
        result.map_err(|error| map_error("write to", "enforced_count", &error))
    }

    /// Has the kernel measure its programs from now on, which costs each of them some 20 ns.
    ///
    /// # Errors
    /// Where the kernel refuses.
    pub fn measure(&mut self) -> Result<(), SensorError> {
        if self.measuring.is_none() {
            self.measuring = Some(enable_stats()?);
        }
        Ok(())
    }

    /// What the programs cost since [`Self::measure`].
    ///
    /// # Errors
    /// Where a program cannot be asked.
    pub fn stats(&self) -> Result<Vec<ProgramStats>, SensorError> {
        let mut ids = HashSet::new();
        for program in self.object.progs() {
            let id = Program::id_from_fd(program.as_fd());
            ids.insert(id.map_err(|error| SensorError::Stats { reason: format!("{error:#}") })?);
        }
        let ours = ProgInfoIter::default().filter(|program| ids.contains(&program.id));
        let mut stats: Vec<_> = ours
            .map(|program| ProgramStats {
                name: program.name.to_string_lossy().into_owned(),
                run_count: program.run_cnt,
                run_time_ns: program.run_time_ns,
            })
            .collect();
        stats.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(stats)
    }
}

/// Checks the layout and fills in what the programs must know before they are loaded.
fn configure(open: &mut OpenObject, options: SensorOptions) -> Result<(), SensorError> {
    let ring_bytes = options.ring_bytes.clamp(RING_LIMITS.0, RING_LIMITS.1).next_power_of_two();
    let by_pids = u32::from(options.key == CgroupKey::Pids);
    let settings = [ring_bytes / 4, by_pids];
    let mut agreed = Err("it has no constants".to_owned());
    for mut map in open.maps_mut() {
        if map.name() == "events" {
            map.set_max_entries(ring_bytes).map_err(|error| load_error(&error))?;
        } else if map.name().to_string_lossy().ends_with(".rodata")
            && let Some(constants) = map.initial_value_mut()
        {
            agreed = offsets::agree(constants, settings);
        }
    }
    agreed.map_err(|reason| SensorError::Layout { reason })
}

fn map(object: &Object, name: &'static str) -> Result<MapHandle, SensorError> {
    let map = object.maps().find(|map| map.name() == name);
    let map = map.ok_or(SensorError::Layout { reason: format!("it has no map `{name}`") })?;
    MapHandle::try_from(&map).map_err(|error| map_error("open", name, &error))
}

/// The key of the bucket that an ignored cgroup's id lies in.
fn bucket_of(id: u64) -> [u8; 4] {
    u32::try_from(id % u64::from(IGNORED_BUCKETS)).unwrap_or_default().to_ne_bytes()
}

fn map_error(verb: &'static str, map: &'static str, error: &libbpf_rs::Error) -> SensorError {
    SensorError::Map { verb, map, reason: format!("{error:#}") }
}

fn ring(
    events: &MapHandle,
    arrived: Arc<Mutex<Arrived>>,
) -> Result<RingBuffer<'static>, SensorError> {
    let mut builder = RingBufferBuilder::new();
    let each = move |bytes: &[u8]| {
        let mut arrived = arrived.lock().unwrap_or_else(PoisonError::into_inner);
        match decode::event(bytes) {
            Some(event) => arrived.events.push(event),
            None => arrived.damaged += 1,
        }
        0
    };
    builder.add(events, each).map_err(|error| map_error("map", "events", &error))?;
    builder.build().map_err(|error| map_error("map", "events", &error))
}

fn attach(program: &libbpf_rs::ProgramMut<'_>) -> Result<Link, SensorError> {
    program.attach().map_err(|error| SensorError::Attach {
        program: program.name().to_string_lossy().into_owned(),
        reason: format!("{error:#}"),
    })
}

/// The descriptor that keeps the statistics on.
fn enable_stats() -> Result<OwnedFd, SensorError> {
    // JUSTIFICATION: libbpf-rs does not wrap BPF_ENABLE_STATS.
    // SAFETY: the call takes a number and returns a new descriptor or a negative error.
    #[expect(unsafe_code, reason = "see above")]
    let descriptor = unsafe { libbpf_sys::bpf_enable_stats(libbpf_sys::BPF_STATS_RUN_TIME) };
    if descriptor < 0 {
        let reason = std::io::Error::from_raw_os_error(-descriptor).to_string();
        return Err(SensorError::Stats { reason });
    }
    // JUSTIFICATION: the call above returns a bare number.
    // SAFETY: it is an open descriptor that nobody else owns.
    #[expect(unsafe_code, reason = "see above")]
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_object_has_the_layout_that_is_decoded() {
        let mut open = programs::sensor().map_err(|error| error.to_string());
        let configured = open.as_mut().map(|open| configure(open, SensorOptions::default()));
        assert!(matches!(configured, Ok(Ok(()))), "{configured:?}");
    }

    #[test]
    fn another_layout_is_refused() {
        let word = |value: usize| u32::try_from(value).unwrap_or_default().to_ne_bytes();
        let mut words = vec![offsets::MAGIC.to_ne_bytes()];
        words.extend(offsets::EXPECTED.iter().map(|value| word(*value)));
        words.extend([[0; 4]; 2]);
        let mut bytes = words.concat();
        assert_eq!(offsets::agree(&mut bytes, [1, 2]), Ok(()));
        assert!(bytes.ends_with(&[word(1), word(2)].concat()));
        if let Some(byte) = bytes.get_mut(4 * 21) {
            *byte ^= 4;
        }
        assert!(offsets::agree(&mut bytes, [1, 2]).is_err());
    }
}
