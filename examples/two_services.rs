//! Two processes, one trace: a shop asks a warehouse over HTTP.
//!
//! ```text
//! cargo run --example two_services
//! ```
//!
//! The example starts itself a second time as the warehouse. The shop's requests carry its context in the
//! headers `traceparent` and `baggage`, so that the warehouse's spans land in the shop's trace and
//! conversation. Both processes append their spans to one file; the shop reads it at the end and prints
//! the joined traces.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    error::Error,
    fs,
    io::{self, BufRead, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{self, Child, Command, Stdio},
    time::Duration,
};

use serde::Deserialize;
use staso::{Client, Context, Exporter};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => run_shop(),
        [service, spans] if service == "warehouse" => run_warehouse(Path::new(spans)),
        _ => Err("usage: two_services".into()),
    }
}

fn start_staso(service: &str, spans: &Path) -> Result<Client, staso::InitError> {
    staso::builder().agent_name(service).exporter(Exporter::file(spans)).init()
}

/// Sells two items, each in a trace of its own, then shows the traces.
fn run_shop() -> Result<(), Box<dyn Error>> {
    let spans = env::temp_dir().join(format!("staso-two-services-{}.jsonl", process::id()));
    let staso = start_staso("shop", &spans)?;
    let mut warehouse = Warehouse::start(&spans)?;
    staso::conversation!("conv-77", user_id = "customer-dora", {
        for item in ["desk lamp", "unicorn"] {
            match sell(&mut warehouse, item) {
                Ok(shelf) => println!("{item}: sold, from shelf {shelf}"),
                Err(error) => println!("{item}: not sold: {error}"),
            }
        }
    });
    warehouse.stop()?;

    let report = staso.shutdown(Duration::from_secs(5));
    if !report.ok() {
        return Err(format!("spans of the shop are missing: {report}").into());
    }
    let lines = fs::read_to_string(&spans)?;
    fs::remove_file(&spans)?;
    print_traces(&lines)
}

#[staso::agent(name = "shop", skip(warehouse))]
fn sell(warehouse: &mut Warehouse, item: &str) -> io::Result<String> {
    reserve(warehouse, item)
}

#[staso::tool(skip(warehouse))]
fn reserve(warehouse: &mut Warehouse, item: &str) -> io::Result<String> {
    let mut request = Message::new("POST /reservations HTTP/1.1", item);
    // All it takes to bring the trace along. An HTTP client of yours sets its headers its own way.
    Context::current().inject_with(|name, value| request.set_header(name, value));
    let response = warehouse.call(&request)?;
    match response.start.split_once(' ') {
        Some((_, "200 OK")) => Ok(response.body),
        _ => Err(io::Error::other(response.body)),
    }
}

/// The other process, and a connection to it.
struct Warehouse {
    process: Child,
    connection: BufReader<TcpStream>,
}

impl Warehouse {
    fn start(spans: &Path) -> io::Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        let mut process = command.arg("warehouse").arg(spans).stdout(Stdio::piped()).spawn()?;
        let mut address = String::new();
        if let Some(stdout) = process.stdout.take() {
            BufReader::new(stdout).read_line(&mut address)?;
        }
        let connection = TcpStream::connect(address.trim())?;
        connection.set_read_timeout(Some(Duration::from_secs(10)))?;
        Ok(Self { process, connection: BufReader::new(connection) })
    }

    fn call(&mut self, request: &Message) -> io::Result<Message> {
        request.write(self.connection.get_mut())?;
        Message::read(&mut self.connection)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// Hangs up, which ends the process, and waits until it has delivered its spans.
    fn stop(mut self) -> io::Result<()> {
        drop(self.connection);
        let status = self.process.wait()?;
        if status.success() {
            Ok(())
        } else {
            Err(io::Error::other(format!("the warehouse ended with {status}")))
        }
    }
}

/// Serves one connection, each request in its caller's context, until the caller hangs up.
fn run_warehouse(spans: &Path) -> Result<(), Box<dyn Error>> {
    let _staso = start_staso("warehouse", spans)?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    let (connection, _) = listener.accept()?;
    let mut connection = BufReader::new(connection);
    while let Some(request) = Message::read(&mut connection)? {
        // Extract from callers that you trust only: they choose the trace that your spans belong to.
        let caller = Context::extract_with(|name| request.header(name).map(str::to_owned));
        let response = match caller.scope(|| take_from_shelf(&request.body)) {
            Ok(shelf) => Message::new("HTTP/1.1 200 OK", shelf),
            Err(error) => Message::new("HTTP/1.1 404 Not Found", &error),
        };
        response.write(connection.get_mut())?;
    }
    Ok(())
}

#[staso::agent(name = "warehouse")]
fn take_from_shelf(item: &str) -> Result<&'static str, String> {
    find_shelf(item).ok_or_else(|| format!("the warehouse has no {item}"))
}

#[staso::trace(kind = "retriever")]
fn find_shelf(item: &str) -> Option<&'static str> {
    let shelves = [("desk lamp", "A-12"), ("bookshelf", "C-03")];
    shelves.into_iter().find_map(|(stored, shelf)| (stored == item).then_some(shelf))
}

/// A request or a response, in as much of HTTP/1.1 as both services need.
struct Message {
    start: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Message {
    fn new(start: &str, body: &str) -> Self {
        Self { start: start.to_owned(), headers: Vec::new(), body: body.to_owned() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    fn set_header(&mut self, name: &str, value: &str) {
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    fn write(&self, connection: &mut TcpStream) -> io::Result<()> {
        let mut text =
            format!("{}\r\nhost: localhost\r\ncontent-length: {}\r\n", self.start, self.body.len());
        for (name, value) in &self.headers {
            text.extend([name, ": ", value, "\r\n"]);
        }
        connection.write_all(format!("{text}\r\n{}", self.body).as_bytes())
    }

    /// `None` when the other side has hung up.
    fn read(connection: &mut BufReader<TcpStream>) -> io::Result<Option<Self>> {
        let mut line = || {
            let mut line = String::new();
            connection.read_line(&mut line).map(|length| (length > 0).then(|| line.trim_end().to_owned()))
        };
        let Some(start) = line()? else { return Ok(None) };
        let mut message = Self::new(&start, "");
        while let Some(line) = line()?.filter(|line| !line.is_empty()) {
            if let Some((name, value)) = line.split_once(':') {
                message.set_header(name, value.trim());
            }
        }
        let length = message.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        connection.take(length).read_to_string(&mut message.body)?;
        Ok(Some(message))
    }
}

/// A line of the file that both services wrote: some spans of one trace.
#[derive(Deserialize)]
struct Update {
    trace_id: String,
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Span {
    span_id: String,
    parent_span_id: Option<String>,
    name: String,
    kind: String,
    timestamp: String,
    duration_ms: f64,
    status: String,
    agent_name: String,
    session_id: String,
}

/// Prints the spans of both processes as one tree for each trace.
fn print_traces(lines: &str) -> Result<(), Box<dyn Error>> {
    let mut traces: BTreeMap<String, BTreeMap<String, Span>> = BTreeMap::new();
    for line in lines.lines() {
        let update: Update = serde_json::from_str(line)?;
        let trace = traces.entry(update.trace_id).or_default();
        // A span that comes twice was announced first, and has ended since.
        trace.extend(update.spans.into_iter().map(|span| (span.span_id.clone(), span)));
    }
    for (trace_id, trace) in &traces {
        let mut spans: Vec<&Span> = trace.values().collect();
        spans.sort_by(|a, b| a.timestamp.cmp(&b.timestamp));
        println!("\ntrace {trace_id}");
        print_children(&spans, None, 1);

        let services: BTreeSet<&str> = spans.iter().map(|span| span.agent_name.as_str()).collect();
        if services != BTreeSet::from(["shop", "warehouse"]) {
            return Err(format!("trace {trace_id} should have spans of both services: {services:?}").into());
        }
    }
    println!("\n{} traces, each with spans of both processes.", traces.len());
    Ok(())
}

fn print_children(spans: &[&Span], parent: Option<&str>, depth: usize) {
    for span in spans.iter().filter(|span| span.parent_span_id.as_deref() == parent) {
        let Span { name, kind, duration_ms, status, agent_name, session_id, .. } = span;
        let name = format!("{:indent$}{kind} {name}", "", indent = 2 * depth);
        println!("{name:<32}{status:<8}{duration_ms:>8.2} ms   {agent_name:<12}{session_id}");
        print_children(spans, Some(&span.span_id), depth + 1);
    }
}
