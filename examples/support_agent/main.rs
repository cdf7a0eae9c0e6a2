//! A support agent of a furniture shop holds a conversation with a customer.
//!
//! ```text
//! cargo run --example support_agent                     three bundled questions
//! cargo run --example support_agent -- questions.txt    one question a line
//! echo "Where is order 1029?" | cargo run --example support_agent -- -
//! ```
//!
//! The answers go to standard output. For each question, a tree of what the agent did goes to standard
//! error: its search in `docs/`, its requests to the model, its tool calls. The second of the bundled
//! questions fails, and its tree shows where.
//!
//! Everything is real but the model: [`stand_in`] follows rules, so that the example runs offline and
//! says the same each time.

mod agent;
mod bm25;
mod model;
mod orders;
mod search;
mod stand_in;

use std::{
    env,
    error::Error,
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
};

use agent::SupportAgent;
use orders::OrderBook;
use search::HelpCenter;
use stand_in::StandIn;

fn main() -> Result<(), Box<dyn Error>> {
    // The client records while it lives. `let _ = …` would drop it in this very line.
    let _staso = start_staso()?;

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/support_agent");
    let questions = match env::args().nth(1) {
        None => open(&folder.join("questions.txt"))?,
        Some(path) if path == "-" => Box::new(io::stdin().lock()),
        Some(path) => open(Path::new(&path))?,
    };
    let help = HelpCenter::open(&folder.join("docs"))?;
    let mut agent = SupportAgent::new(StandIn, help, OrderBook::sample());

    // Each turn is a trace of its own; the conversation groups them, and says whom they are for.
    staso::conversation!("conv-2031", user_id = "customer-alice", {
        for question in questions.lines() {
            let question = question?;
            println!("Customer: {question}");
            match agent.answer(&question) {
                Ok(answer) => println!("Agent:    {answer}\n"),
                Err(error) => println!("Agent:    A colleague will take over from here: {error}.\n"),
            }
        }
    });
    Ok(())
}

fn start_staso() -> Result<staso::Client, staso::InitError> {
    let staso = staso::builder().agent_name("lumen-oak-support").agent_version("1.4.0");
    // A program of yours only calls `init`, and delivers to Staso with the key in STASO_API_KEY. Without
    // one this example prints its traces.
    let is_configured = env::vars_os().any(|(name, _)| name == "STASO_API_KEY" || name == "STASO_EXPORTER");
    if is_configured { staso.init() } else { staso.exporter(staso::Exporter::console()).init() }
}

fn open(path: &Path) -> Result<Box<dyn BufRead>, String> {
    let file = File::open(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(Box::new(BufReader::new(file)))
}
