//! Two agents at once on tokio: spawned tasks, a stream, a time-out and a cancelled future.
//!
//! ```text
//! cargo run --example async_agents
//! ```
//!
//! The librarian summarises the help articles of the `support_agent` example, each in a task of its own,
//! while the narrator reads a text aloud, word by word. Both agents are futures of one task and share its
//! thread, and yet each span lands under its own agent, in its own conversation.

use std::{
    collections::VecDeque,
    env,
    error::Error,
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_core::Stream;
use staso::FutureExt as _;
use tokio::{
    task::JoinSet,
    time::{Interval, error::Elapsed, interval, sleep, timeout},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The client records while it lives. `let _ = …` would drop it in this very line.
    let _staso = start_staso()?;

    let library =
        async { staso::conversation!("conv-library", user_id = "reader-bob", { librarian(ARTICLES).await }) };
    let reading =
        async { staso::conversation!("conv-reading", user_id = "listener-carol", { narrator(TEXT).await }) };
    let (summaries, read) = tokio::join!(library, reading);

    for (title, summary) in summaries? {
        println!("{title}: {summary}");
    }
    println!("Read aloud: {read}");
    Ok(())
}

/// Summarises all articles at the same time.
#[staso::agent]
async fn librarian(
    articles: &[(&'static str, &'static str)],
) -> Result<Vec<(&'static str, String)>, Box<dyn Error>> {
    let mut tasks = JoinSet::new();
    for &(title, article) in articles {
        // A spawned task starts without a context: this one belongs to the librarian's trace.
        let summary = async move { (title, summarise(article).await) };
        tasks.spawn(summary.in_current_context());
    }
    let mut summaries = Vec::new();
    while let Some(summary) = tasks.join_next().await {
        summaries.push(summary?);
    }
    summaries.sort();
    Ok(summaries)
}

/// The sentence with the most words that the rest of the article has too.
#[staso::tool]
async fn summarise(article: &str) -> String {
    let sentences: Vec<&str> = article.lines().filter(|line| !line.starts_with('#')).collect();
    let text = sentences.join(" ");
    let mut best = (0, "");
    for sentence in text.split(". ") {
        let weight = sentence.split(' ').map(|word| text.matches(word).count() - 1).sum();
        if weight > best.0 {
            best = (weight, sentence);
        }
        // Leaves the thread to the other articles.
        tokio::task::yield_now().await;
    }
    best.1.trim().trim_end_matches('.').to_owned()
}

/// Chooses a voice, tries to look a hard word up, then reads.
#[staso::agent]
async fn narrator(text: &str) -> String {
    // The slower voice is dropped half-way: its span ends as an error, of the type `cancelled`.
    let voice = tokio::select! {
        voice = load_voice("alto", Duration::from_millis(80)) => voice,
        voice = load_voice("tenor", Duration::from_millis(20)) => voice,
    };
    staso::current_span().set_metadata("voice", &voice);

    // Out of time: `pronounce` ends as `timeout`, and the dictionary inside it as cancelled.
    if pronounce("Scheveningen").await.is_err() {
        staso::current_span().add_tag("guessed-pronunciation");
    }

    let mut heard = Vec::new();
    let mut words = pin!(read_aloud(text));
    while let Some(word) = poll_fn(|cx| words.as_mut().poll_next(cx)).await {
        heard.push(word);
    }
    heard.join(" ")
}

#[staso::tool]
async fn load_voice(name: &'static str, takes: Duration) -> &'static str {
    sleep(takes).await;
    name
}

#[staso::tool]
async fn pronounce(word: &str) -> Result<String, Elapsed> {
    timeout(Duration::from_millis(30), dictionary(word)).await
}

/// A dictionary that does not answer.
#[staso::trace(kind = "retriever")]
async fn dictionary(word: &str) -> String {
    sleep(Duration::from_secs(60)).await;
    word.to_uppercase()
}

/// The span lasts as long as the stream, and the items are its output.
#[staso::tool]
fn read_aloud(text: &str) -> impl Stream<Item = String> + use<> {
    let words = text.split_whitespace().map(str::to_owned).collect();
    Words { words, rhythm: interval(Duration::from_millis(5)) }
}

/// One word at each beat.
struct Words {
    words: VecDeque<String>,
    rhythm: Interval,
}

impl Stream for Words {
    type Item = String;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<String>> {
        ready!(self.rhythm.poll_tick(cx));
        Poll::Ready(self.words.pop_front())
    }
}

fn start_staso() -> Result<staso::Client, staso::InitError> {
    let staso = staso::builder().agent_name("reading-room");
    // A program of yours only calls `init`, and delivers to Staso with the key in STASO_API_KEY. Without
    // one this example prints its traces.
    let is_configured = env::vars_os().any(|(name, _)| name == "STASO_API_KEY" || name == "STASO_EXPORTER");
    if is_configured { staso.init() } else { staso.exporter(staso::Exporter::console()).init() }
}

const TEXT: &str = "The last tram to Scheveningen leaves at midnight, and nobody has ever seen it arrive.";

const ARTICLES: &[(&str, &str)] = &[
    ("Payment", include_str!("support_agent/docs/payment.md")),
    ("Refunds", include_str!("support_agent/docs/refunds.md")),
    ("Warranty", include_str!("support_agent/docs/warranty.md")),
];
