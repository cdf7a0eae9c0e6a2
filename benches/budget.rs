//! What the fast path costs: instructions that a span adds to the calling thread, and bytes and
//! allocations that it keeps.
//!
//! ```text
//! cargo bench --bench budget
//! ```
//!
//! W1 is a root with one tool, W2 a root with 100 tools (per span), W3 is W1 async on a current-thread
//! runtime with one yield. "Off" is one tool, without a client. Each tool captures a 24-character `&str`, a `u64` and a returned 14-character
//! `String`. Instructions are counted by `valgrind --tool=callgrind` over two numbers of rounds, so that
//! start-up and warm-up cancel out, minus the same program without instrumentation; they do not depend on
//! how busy the machine is.
//!
//! It fails when a measure is over its line in `baseline.txt`.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    env,
    error::Error,
    hint::black_box,
    process::Command,
};

use staso::{Client, Exporter};

const TEXT: &str = "a question of 24 letters";

/// Few enough that the sender is never woken while the rounds run.
const ROUNDS: u64 = 40;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().collect();
    if let [_, scenario, rounds] = arguments.as_slice()
        && let Ok(rounds) = rounds.parse()
    {
        return run(scenario, rounds);
    }
    let mut measured = allocations()?;
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("valgrind is not installed: no instruction counts");
        return compare(&measured);
    }
    println!("\ninstructions added on the calling thread:");
    println!("{:10} {:>9} {:>9} {:>9}  aim, budget", "", "bare", "traced", "added");
    for (name, per_round, aim) in [
        ("w1", 1, "1,400  2,000"),
        ("w2", 101, "900  1,300"),
        ("w3", 1, "1,800  2,500"),
        ("off", 1, "4  5"),
        ("off_async", 1, "-  20"),
    ] {
        let bare = instructions(&format!("{name}-bare"), per_round)?;
        let traced = instructions(name, per_round)?;
        println!("{name:10} {bare:9.1} {traced:9.1} {:9.1}  {aim}", traced - bare);
        measured.push((name, traced - bare));
    }
    compare(&measured)
}

/// What was measured before, a name and a number to a line.
const BASELINE: &str = include_str!("baseline.txt");

/// Up to where a measure passes: 3 % over its baseline, or half an instruction where it has only a few.
fn room(baseline: f64) -> f64 {
    if (2.0..10.0).contains(&baseline) { baseline + 0.5 } else { baseline * 1.03 }
}

/// Prints what is left of each measure's room.
///
/// # Errors
///
/// When one is over it.
fn compare(measured: &[(&str, f64)]) -> Result<(), Box<dyn Error>> {
    println!("\nagainst benches/baseline.txt:");
    let mut over = Vec::new();
    for (name, now) in measured {
        let line = BASELINE.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let baseline: f64 = line.ok_or_else(|| format!("`{name}` has no baseline"))?.parse()?;
        println!("{name:12} {baseline:9.2} -> {now:9.2}  {:+6.1} %", (now / baseline - 1.0) * 100.0);
        if *now > room(baseline) {
            over.push(*name);
        }
    }
    match over.as_slice() {
        [] => Ok(()),
        over => Err(format!("more than 3 % over the baseline: {}", over.join(", ")).into()),
    }
}

fn run(scenario: &str, rounds: u64) -> Result<(), Box<dyn Error>> {
    let (workload, is_bare) = match scenario.strip_suffix("-bare") {
        Some(workload) => (workload, true),
        None => (scenario, false),
    };
    let client = if workload.starts_with("off") { None } else { Some(client()?) };
    match (workload, is_bare) {
        ("w1", true) => repeat(rounds, || bare::agent(1)),
        ("w1", false) => repeat(rounds, || traced::agent(1)),
        ("w2", true) => repeat(rounds, || bare::agent(100)),
        ("w2", false) => repeat(rounds, || traced::agent(100)),
        ("w3", true) => on_runtime(rounds, || bare::agent_async(1))?,
        ("w3", false) => on_runtime(rounds, || traced::agent_async(1))?,
        ("off", true) => repeat(rounds, || drop(black_box(bare::tool(TEXT, 1)))),
        ("off", false) => repeat(rounds, || drop(black_box(traced::tool(TEXT, 1)))),
        ("off_async", true) => on_runtime(rounds, async || drop(black_box(bare::tool_async(TEXT, 1).await)))?,
        ("off_async", false) => {
            on_runtime(rounds, async || drop(black_box(traced::tool_async(TEXT, 1).await)))?;
        }
        _ => return Err(format!("unknown scenario {scenario}").into()),
    }
    drop(client);
    Ok(())
}

fn client() -> Result<Client, Box<dyn Error>> {
    Ok(staso::builder()
        .agent_name("budget")
        .exporter(Exporter::none())
        .capture_git(false)
        .batch_size(500)
        .max_queue_size(1_000_000)
        .flush_interval(std::time::Duration::from_secs(3_600))
        .init()?)
}

fn repeat(rounds: u64, round: impl Fn()) {
    for _ in 0..rounds {
        round();
    }
}

fn on_runtime(rounds: u64, round: impl AsyncFn()) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        for _ in 0..rounds {
            round().await;
        }
    });
    Ok(())
}

/// Instructions of one round (of one span, for W2) on the main thread.
fn instructions(scenario: &str, per_round: u64) -> Result<f64, Box<dyn Error>> {
    // W2 makes 101 spans a round and must stay below the batch that wakes the sender.
    let few = if per_round == 101 { 1 } else { ROUNDS };
    let counted = |rounds: u64| -> Result<u64, Box<dyn Error>> {
        let folder = env::temp_dir().join(format!("staso-budget-{}-{scenario}-{rounds}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let file = folder.join("out");
        let status = Command::new("valgrind")
            .args(["--tool=callgrind", "--separate-threads=yes"])
            .arg(format!("--callgrind-out-file={}", file.display()))
            .arg(env::current_exe()?)
            .args([scenario, &rounds.to_string()])
            .output()?
            .status;
        if !status.success() {
            return Err(format!("{scenario} failed under callgrind: {status}").into());
        }
        let main_thread = std::fs::read_to_string(folder.join("out-01"))?;
        std::fs::remove_dir_all(&folder)?;
        let total = main_thread.lines().find_map(|line| line.strip_prefix("totals: ")).ok_or("no totals")?;
        Ok(total.trim().parse()?)
    };
    let (once, twice) = (counted(few * 2)?, counted(few * 4)?);
    Ok((twice - once) as f64 / (few * 2 * per_round) as f64)
}

fn allocations() -> Result<Vec<(&'static str, f64)>, Box<dyn Error>> {
    let client = client()?;
    traced::agent(100);
    let rounds = 3;
    let before = COUNTS.get();
    repeat(rounds, || traced::agent(100));
    let after = COUNTS.get();
    let before_bare = COUNTS.get();
    repeat(rounds, || bare::agent(100));
    let after_bare = COUNTS.get();
    let spans = (rounds * 101) as f64;
    let added = |pick: fn(&Counts) -> i64| {
        ((pick(&after) - pick(&before)) - (pick(&after_bare) - pick(&before_bare))) as f64 / spans
    };
    let measured =
        vec![("allocations", added(|counts| counts.allocations)), ("bytes", added(|counts| counts.bytes))];
    println!("allocations and bytes kept by a span, on the calling thread:");
    println!("allocations {:.2} (budget 1)", measured[0].1);
    println!("bytes kept  {:.0} (budget 256)", measured[1].1);
    drop(client);
    Ok(measured)
}

mod bare {
    use super::{TEXT, black_box};

    pub(super) fn agent(tools: u64) {
        for n in 0..tools {
            black_box(tool(TEXT, n));
        }
    }

    #[inline(never)]
    pub(super) fn tool(query: &str, n: u64) -> String {
        super::answer(query, n)
    }

    pub(super) async fn agent_async(tools: u64) {
        for n in 0..tools {
            black_box(tool_async(TEXT, n).await);
        }
    }

    pub(super) async fn tool_async(query: &str, n: u64) -> String {
        tokio::task::yield_now().await;
        super::answer(query, n)
    }
}

mod traced {
    use super::{TEXT, black_box};

    #[staso::agent]
    #[inline(never)]
    pub(super) fn agent(tools: u64) {
        for n in 0..tools {
            black_box(tool(TEXT, n));
        }
    }

    #[staso::tool]
    #[inline(never)]
    pub(super) fn tool(query: &str, n: u64) -> String {
        super::answer(query, n)
    }

    #[staso::agent]
    pub(super) async fn agent_async(tools: u64) {
        for n in 0..tools {
            black_box(tool_async(TEXT, n).await);
        }
    }

    #[staso::tool]
    pub(super) async fn tool_async(query: &str, n: u64) -> String {
        tokio::task::yield_now().await;
        super::answer(query, n)
    }
}

#[inline(never)]
fn answer(query: &str, n: u64) -> String {
    black_box((query, n));
    String::from("an answer of 1")
}

#[derive(Clone, Copy)]
struct Counts {
    allocations: i64,
    bytes: i64,
}

thread_local! {
    static COUNTS: Cell<Counts> = const { Cell::new(Counts { allocations: 0, bytes: 0 }) };
}

/// Counts what the current thread allocates.
struct Counting;

impl Counting {
    fn count(allocations: i64, bytes: i64) {
        let _ = COUNTS.try_with(|counts| {
            let before = counts.get();
            counts.set(Counts { allocations: before.allocations + allocations, bytes: before.bytes + bytes });
        });
    }
}

#[expect(unsafe_code, reason = "a global allocator is an unsafe trait")]
// SAFETY: every call is passed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::count(1, layout.size() as i64);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        Self::count(0, -(layout.size() as i64));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
