//! On which line a place of a text stands, where a reader tells only the place.

/// Turns byte offsets that only grow into lines.
pub(crate) struct LineCounter<'text> {
    text: &'text str,
    offset: usize,
    line: u32,
}

impl<'text> LineCounter<'text> {
    pub(crate) fn new(text: &'text str) -> Self {
        Self { text, offset: 0, line: 1 }
    }

    pub(crate) fn at(&mut self, offset: usize) -> u32 {
        let between = self.text.as_bytes().get(self.offset..offset).unwrap_or_default();
        let ends = memchr::memchr_iter(b'\n', between).count();
        self.line = self.line.saturating_add(u32::try_from(ends).unwrap_or(u32::MAX));
        self.offset = self.offset.max(offset);
        self.line
    }
}
