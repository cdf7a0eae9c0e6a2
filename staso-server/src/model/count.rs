/// The highest that the backend counts: tokens, microseconds, billionths of a dollar, and sums of them. What is more
/// is held to it. Readers of JSON everywhere tell integers apart up to here (RFC 7493, section 2.2).
pub const MAX_COUNT: u64 = (1 << 53) - 1;

/// The sum, held to [`MAX_COUNT`].
#[must_use]
pub const fn add_counts(a: u64, b: u64) -> u64 {
    let sum = a.saturating_add(b);
    if sum < MAX_COUNT { sum } else { MAX_COUNT }
}
