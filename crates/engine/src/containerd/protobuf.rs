//! As much of Protocol Buffers as containerd's few messages need, written and read by hand.
//!
//! Source: the Protocol Buffers encoding guide. A reader goes over the fields of one message once, in
//! their order; what is damaged ends it with an error, and nothing is copied.

/// The value of a field. Groups, which are obsolete, are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'message> {
    /// Numbers, flags and enumerations.
    Number(u64),
    /// Text, bytes and messages.
    Bytes(&'message [u8]),
    /// Eight or four bytes, which none of the messages here use.
    Fixed,
}

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no valid message")]
pub struct Damaged;

/// The fields of a message.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'message>(&'message [u8]);

/// Reads a message.
#[must_use]
pub const fn fields(message: &[u8]) -> Fields<'_> {
    Fields(message)
}

impl<'message> Iterator for Fields<'message> {
    type Item = Result<(u64, Value<'message>), Damaged>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or(Damaged))
    }
}

impl<'message> Fields<'message> {
    fn field(&mut self) -> Option<(u64, Value<'message>)> {
        let key = self.number()?;
        let value = match key & 7 {
            0 => Value::Number(self.number()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let length = usize::try_from(self.number()?).ok()?;
                Value::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            _ => return None,
        };
        (key >> 3 != 0).then_some((key >> 3, value))
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.take(1)? else { return None };
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, count: usize) -> Option<&'message [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }
}

/// Text of a field; what is not UTF-8 is refused.
pub(super) fn text(bytes: &[u8]) -> Result<String, Damaged> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Damaged)
}

/// Adds a field of text to a message.
pub(super) fn put_text(message: &mut Vec<u8>, field: u8, text: &str) {
    message.push(field << 3 | 2);
    put_number(message, text.len() as u64);
    message.extend_from_slice(text.as_bytes());
}

fn put_number(message: &mut Vec<u8>, mut number: u64) {
    loop {
        let low = number.to_le_bytes().first().copied().unwrap_or(0) & 0x7f;
        number >>= 7;
        if number == 0 {
            message.push(low);
            return;
        }
        message.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_are_read_as_the_encoding_guide_has_them() {
        let message = [0x08, 0x96, 0x01, 0x12, 0x03, b'a', b'b', b'c', 0x1d, 1, 2, 3, 4];
        let read: Result<Vec<_>, _> = fields(&message).collect();
        let expected = [(1, Value::Number(150)), (2, Value::Bytes(b"abc")), (3, Value::Fixed)];
        assert_eq!(read.unwrap(), expected);
    }

    #[test]
    fn damaged_messages_end_with_an_error() {
        for message in [
            &[0x08][..],
            &[0x12, 5, b'a'],
            &[0x0b],
            &[0x00, 0x00],
            &[0x80; 20],
            &[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        ] {
            let read: Vec<_> = fields(message).collect();
            assert_eq!(read, [Err(Damaged)], "{message:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(text in ".{0,300}", field in 1_u8..16) {
            let mut message = Vec::new();
            put_text(&mut message, field, &text);
            let read: Vec<_> = fields(&message).collect();
            prop_assert_eq!(read, [Ok((u64::from(field), Value::Bytes(text.as_bytes())))]);
        }

        #[test]
        fn any_bytes_are_read_or_refused(message in prop::collection::vec(any::<u8>(), 0..200)) {
            let read = fields(&message).count();
            prop_assert!(read <= message.len());
        }
    }
}
