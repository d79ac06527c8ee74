//! `Range` and `Content-Range` (RFC 9110 section 14), as far as a stream of one bundle needs them.

use std::fmt;

/// A range of bytes; `first` and `last` belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) first: u64,
    pub(crate) last: u64,
}

impl Span {
    /// The span that a `Range` header asks for, in a bundle of `size` bytes. `None` if the header
    /// is not understood or is outside of the bundle. No header means the whole bundle.
    pub(crate) fn requested(header: Option<&str>, size: u64) -> Option<Self> {
        let end = size.checked_sub(1)?;
        let Some(header) = header else { return Some(Self { first: 0, last: end }) };
        let (first, last) = header.strip_prefix("bytes=")?.split_once('-')?;
        let span = if first.is_empty() {
            Self { first: size.saturating_sub(number(last)?.max(1)), last: end }
        } else {
            Self {
                first: number(first)?,
                last: if last.is_empty() { end } else { number(last)?.min(end) },
            }
        };
        (span.first <= span.last).then_some(span)
    }

    pub(crate) fn len(self) -> u64 {
        self.last - self.first + 1
    }

    /// The value of `Content-Range` for this span of `size` bytes.
    pub(crate) fn of(self, size: u64) -> String {
        format!("bytes {}-{}/{size}", self.first, self.last)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bytes={}-{}", self.first, self.last)
    }
}

/// Takes digits only: `parse` alone would accept a sign, too.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        let span = |first, last| Some(Span { first, last });
        for (header, expected) in [
            ("bytes=0-3", span(0, 3)),
            ("bytes=90-", span(90, 99)),
            ("bytes=90-1000", span(90, 99)),
            ("bytes=-10", span(90, 99)),
            ("bytes=-1000", span(0, 99)),
            ("bytes=100-", None),
            ("bytes=3-0", None),
            ("bytes=0-3,5-6", None),
            ("bytes=+1-3", None),
            ("bytes=-", None),
            ("octets=0-3", None),
            ("bytes=99999999999999999999-", None),
        ] {
            assert_eq!(Span::requested(Some(header), 100), expected, "{header}");
        }
        assert_eq!(Span::requested(None, 100), span(0, 99));
        assert_eq!(Span::requested(None, 0), None);
        assert_eq!(Span { first: 90, last: 99 }.of(100), "bytes 90-99/100");
        assert_eq!(Span { first: 90, last: 99 }.to_string(), "bytes=90-99");
    }
}
