//! An exporter of your own: a table of calls, errors, times and tokens for each span name.
//!
//! ```text
//! cargo run --example custom_exporter
//! ```
//!
//! An agent looks for prime numbers in a few dozen ranges. Its spans go nowhere but into the table, which
//! is printed at the end.

use std::{
    collections::BTreeMap,
    error::Error,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use staso::{
    Exporter, SpanStatus, Usage,
    export::{Batch, Export, ExportError},
};

fn main() -> Result<(), Box<dyn Error>> {
    let table = Table::default();
    // The client records while it lives. `let _ = …` would drop it in this very line.
    let staso =
        staso::builder().agent_name("prime-hunter").exporter(Exporter::custom(table.clone())).init()?;

    let found: u64 = (0..40).map(|range| hunt(range * 5_000 + 1, 5_000)).sum();
    println!("{found} prime numbers\n");

    // After the shutdown the exporter has seen every span, or the report says which are missing.
    let report = staso.shutdown(Duration::from_secs(5));
    print!("{table}");
    println!("\n{report}");
    Ok(())
}

/// Collects statistics of every span. The exporter has one clone, `main` another.
#[derive(Clone, Default)]
struct Table {
    rows: Arc<Mutex<BTreeMap<String, Row>>>,
}

#[derive(Default)]
struct Row {
    durations: Vec<Duration>,
    failures: usize,
    tokens: u64,
}

impl Export for Table {
    fn export(&mut self, batch: &Batch) -> Result<(), ExportError> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        // A root that takes long is announced while it runs, and comes again when it has ended.
        for span in batch.spans().iter().filter(|span| !span.is_provisional()) {
            let row = rows.entry(format!("{} {}", span.kind(), span.name())).or_default();
            row.durations.push(span.duration());
            row.failures += usize::from(span.status() != SpanStatus::Ok);
            row.tokens += span.usage().map_or(0, |usage| usage.total_tokens);
        }
        Ok(())
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let headings = ["calls", "failed", "median", "95 %", "longest", "tokens"];
        write!(f, "{:<20}", "span")?;
        headings.iter().try_for_each(|heading| write!(f, "{heading:>10}"))?;
        for (name, row) in rows.iter() {
            let Row { durations, failures, tokens } = row;
            write!(f, "\n{name:<20}{:>10}{failures:>10}", durations.len())?;
            for percent in [50, 95, 100] {
                let duration = format!("{:.1?}", percentile(durations, percent));
                write!(f, "{duration:>10}")?;
            }
            write!(f, "{tokens:>10}")?;
        }
        writeln!(f)
    }
}

/// The shortest duration that `percent` of all do not exceed.
fn percentile(durations: &[Duration], percent: usize) -> Duration {
    let mut sorted = durations.to_vec();
    sorted.sort_unstable();
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(place).copied().unwrap_or_default()
}

/// Counts the primes of a range, and has the largest one praised.
#[staso::agent]
fn hunt(from: u64, length: u64) -> u64 {
    let primes = sieve(from, length);
    if let Some(largest) = primes.last() {
        praise(*largest);
        // Most ranges do not end in a pair of twins, so this often fails.
        let _ = twin(*largest);
    }
    primes.len() as u64
}

#[staso::tool(capture_output = false)]
fn sieve(from: u64, length: u64) -> Vec<u64> {
    (from..from + length).filter(|number| is_prime(*number)).collect()
}

#[staso::tool]
fn twin(prime: u64) -> Result<u64, String> {
    let twin = prime.saturating_sub(2);
    if is_prime(twin) { Ok(twin) } else { Err(format!("{prime} has no smaller twin")) }
}

/// Stands in for a language model: a token a word.
#[staso::trace(kind = "llm")]
fn praise(prime: u64) -> String {
    let (question, answer) =
        (format!("Praise the number {prime}."), format!("{prime} is truly indivisible!"));
    let tokens = |text: &str| text.split(' ').count() as u64;
    let span = staso::current_span();
    span.set_model("stand-in-1");
    span.set_usage(Usage::new(tokens(&question), tokens(&answer)));
    answer
}

fn is_prime(number: u64) -> bool {
    number > 1
        && (2..)
            .take_while(|divisor| divisor * divisor <= number)
            .all(|divisor| !number.is_multiple_of(divisor))
}
