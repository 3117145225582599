//! Builds package headers and databases in all formats, small and valid.

use super::number::Order;

/// Builds a header blob.
pub(super) struct Header(Vec<(u32, u32, usize, Vec<u8>)>);

impl Header {
    pub(super) fn package(name: &str, version: &str, release: &str) -> Self {
        Self(Vec::new()).string(1000, name).string(1001, version).string(1002, release)
    }

    pub(super) fn string(self, tag: u32, value: &str) -> Self {
        self.with(tag, 6, 1, [value.as_bytes(), b"\0"].concat())
    }

    pub(super) fn strings<T: AsRef<str>>(self, tag: u32, values: &[T]) -> Self {
        let data = values.iter().flat_map(|value| [value.as_ref().as_bytes(), b"\0"].concat());
        self.with(tag, 8, values.len(), data.collect())
    }

    pub(super) fn int(self, tag: u32, values: &[u32]) -> Self {
        let data = values.iter().flat_map(|value| value.to_be_bytes()).collect();
        self.with(tag, 4, values.len(), data)
    }

    pub(super) fn short(self, tag: u32, values: &[u16]) -> Self {
        let data = values.iter().flat_map(|value| value.to_be_bytes()).collect();
        self.with(tag, 3, values.len(), data)
    }

    fn with(mut self, tag: u32, kind: u32, count: usize, data: Vec<u8>) -> Self {
        self.0.push((tag, kind, count, data));
        self
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let (mut index, mut store) = (Vec::new(), Vec::new());
        for (tag, kind, count, data) in &self.0 {
            for number in [*tag, *kind, small(store.len()), small(*count)] {
                index.extend(number.to_be_bytes());
            }
            store.extend_from_slice(data);
        }
        let counts = [small(self.0.len()), small(store.len())].map(u32::to_be_bytes).concat();
        [counts, index, store].concat()
    }
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap()
}

/// A database in the NDB format.
pub(super) fn ndb(blobs: &[Vec<u8>]) -> Vec<u8> {
    let words = |words: [u32; 3]| words.map(u32::to_le_bytes).concat();
    let mut file = b"RpmP".to_vec();
    file.extend(words([0, 7, 1]));
    file.extend([0; 16]);
    let mut data = Vec::new();
    for (at, blob) in blobs.iter().enumerate() {
        let number = small(at + 1);
        let blocks = (blob.len() + 28).div_ceil(16);
        file.extend(b"Slot");
        file.extend(words([number, small(256 + data.len() / 16), small(blocks)]));
        let start = data.len();
        data.extend(b"BlbS");
        data.extend(words([number, 7, small(blob.len())]));
        data.extend(blob);
        data.resize(start + blocks * 16 - 12, 0);
        data.extend(words([0, small(blob.len()), 0]));
    }
    while file.len() < 4096 {
        file.extend(b"Slot");
        file.extend(words([0, 0, 0]));
    }
    file.extend(data);
    file
}

/// A database in the Berkeley DB format: a page of metadata, one bucket, overflow pages. Blobs that
/// are shorter than a quarter of a page lie in the bucket.
pub(super) fn berkeley(order: Order, page: usize, blobs: &[Vec<u8>]) -> Vec<u8> {
    let u32s = |number: usize| match order {
        Order::Little => small(number).to_le_bytes(),
        Order::Big => small(number).to_be_bytes(),
    };
    let u16s = |number: usize| {
        let number = u16::try_from(number).unwrap();
        if order == Order::Little { number.to_le_bytes() } else { number.to_be_bytes() }
    };
    let header = |next: usize, entries: usize, length: usize, kind: u8| {
        let mut header = vec![0; 16];
        header.extend(u32s(next));
        header.extend(u16s(entries));
        header.extend(u16s(length));
        header.extend([0, kind]);
        header
    };
    let mut chains: Vec<Vec<u8>> = Vec::new();
    let mut items = vec![vec![1, 0, 0, 0, 0], [&[1][..], &u32s(blobs.len())].concat()];
    for (at, blob) in blobs.iter().enumerate() {
        items.push([&[1][..], &u32s(at + 1)].concat());
        if blob.len() < page / 4 {
            items.push([&[1], blob.as_slice()].concat());
            continue;
        }
        items.push(
            [vec![3, 0, 0, 0], u32s(2 + chains.len()).into(), u32s(blob.len()).into()].concat(),
        );
        let parts: Vec<&[u8]> = blob.chunks(page - 26).collect();
        for (at, part) in parts.iter().enumerate() {
            let next = if at + 1 == parts.len() { 0 } else { 2 + chains.len() + 1 };
            chains.push([header(next, 0, part.len(), 7), part.to_vec()].concat());
        }
    }
    let (mut indexes, mut data) = (Vec::new(), Vec::new());
    for item in &items {
        data = [item.clone(), data].concat();
        indexes.extend(u16s(page - data.len()));
    }
    let mut bucket = [header(0, items.len(), page - data.len(), 13), indexes].concat();
    assert!(bucket.len() + data.len() <= page, "the fixture has one bucket only");
    bucket.resize(page - data.len(), 0);
    bucket.extend(data);
    let mut meta = vec![0; 12];
    meta.extend(u32s(0x0006_1561));
    meta.extend(u32s(9));
    meta.extend(u32s(page));
    meta.extend([0, 8]);
    let mut file = Vec::new();
    for part in [meta, bucket].into_iter().chain(chains) {
        let start = file.len();
        file.extend(part);
        file.resize(start + page, 0);
    }
    file
}

fn varint(mut number: usize) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(number & 0x7f).unwrap()];
    while number > 0x7f {
        number >>= 7;
        bytes.insert(0, u8::try_from(number & 0x7f).unwrap() | 0x80);
    }
    bytes
}

/// A row from its serial types and the data of its columns.
fn row(types: &[usize], data: &[u8]) -> Vec<u8> {
    let types: Vec<u8> = types.iter().flat_map(|kind| varint(*kind)).collect();
    [varint(types.len() + 1), types, data.to_vec()].concat()
}

/// A page of a table: its header, the places of its cells, and the cells at its end.
fn page(
    size: usize,
    start: usize,
    kind: u8,
    cells: &[Vec<u8>],
    rightmost: Option<usize>,
) -> Vec<u8> {
    let u16s = |number: usize| u16::try_from(number).unwrap().to_be_bytes();
    let mut page = vec![0; start];
    page.extend([kind, 0, 0]);
    page.extend(u16s(cells.len()));
    page.extend([0, 0, 0]);
    page.extend(rightmost.into_iter().flat_map(|number| small(number).to_be_bytes()));
    let mut end = size;
    for cell in cells {
        end -= cell.len();
        page.extend(u16s(end));
    }
    assert!(page.len() <= end, "too much for one page of the fixture");
    page.resize(end, 0);
    page.extend(cells.iter().rev().flatten());
    page
}

/// A database in the SQLite format with pages of 4096 bytes: the schema, an interior page, one leaf
/// for each blob, overflow pages.
pub(super) fn sqlite(blobs: &[Vec<u8>]) -> Vec<u8> {
    const SIZE: usize = 4096;
    let text = |text: &str| text.len() * 2 + 13;
    let sql = "CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL)";
    let types = [text("table"), text("Packages"), text("Packages"), 1, text(sql)];
    let data = [b"tablePackagesPackages\x02", sql.as_bytes()].concat();
    let schema = row(&types, &data);
    let mut first = page(SIZE, 100, 13, &[[varint(schema.len()), vec![1], schema].concat()], None);
    first[..16].copy_from_slice(b"SQLite format 3\0");
    first[16..18].copy_from_slice(&4096_u16.to_be_bytes());
    let (mut leaves, mut chains) = (Vec::new(), Vec::new());
    for (at, blob) in blobs.iter().enumerate() {
        let row = row(&[0, blob.len() * 2 + 12], blob);
        let mut cell = [varint(row.len()), varint(at + 1)].concat();
        if row.len() <= SIZE - 35 {
            cell.extend(&row);
        } else {
            let least = (SIZE - 12) * 32 / 255 - 23;
            let filled = least + (row.len() - least) % (SIZE - 4);
            let (here, there) = row.split_at(if filled <= SIZE - 35 { filled } else { least });
            cell.extend(here);
            let first = 3 + blobs.len() + chains.len();
            cell.extend(small(first).to_be_bytes());
            let parts: Vec<&[u8]> = there.chunks(SIZE - 4).collect();
            for (at, part) in parts.iter().enumerate() {
                let next = if at + 1 == parts.len() { 0 } else { first + at + 1 };
                let mut page = [small(next).to_be_bytes().to_vec(), part.to_vec()].concat();
                page.resize(SIZE, 0);
                chains.push(page);
            }
        }
        leaves.push(page(SIZE, 0, 13, &[cell], None));
    }
    let children: Vec<Vec<u8>> = (1..blobs.len())
        .map(|at| [small(2 + at).to_be_bytes().to_vec(), varint(at)].concat())
        .collect();
    let root = page(SIZE, 0, 5, &children, Some(2 + blobs.len()));
    [vec![first, root], leaves, chains].concat().concat()
}

/// A database of one package in each format.
pub(crate) fn samples() -> [(&'static str, Vec<u8>); 3] {
    let header = Header::package("bash", "5.1.8", "9.el9").string(1022, "x86_64");
    let blobs = [header.string(1044, "bash-5.1.8-9.el9.src.rpm").bytes()];
    [
        ("var/lib/rpm/Packages", berkeley(Order::Little, 4096, &blobs)),
        ("usr/lib/sysimage/rpm/Packages.db", ndb(&blobs)),
        ("var/lib/rpm/rpmdb.sqlite", sqlite(&blobs)),
    ]
}
