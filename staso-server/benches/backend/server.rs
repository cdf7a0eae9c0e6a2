use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::client::Client;

/// `staso serve` over an empty folder, on the first core.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    key: String,
    folder: tempfile::TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let staso = env!("CARGO_BIN_EXE_staso");
        let created = Command::new(staso)
            .args(["key", "create", "--name", "bench", "--data"])
            .arg(folder.path())
            .output()
            .expect("a key is made");
        assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stderr));
        let text = String::from_utf8(created.stdout).expect("text");
        let key = text.split_whitespace().find(|word| word.starts_with("staso_")).expect("a key").to_owned();
        let mut command = pinned(staso);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder.path());
        let mut child =
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the server starts");
        let mut log = BufReader::new(child.stderr.take().expect("its log"));
        let address = first_address(&mut log);
        // Nobody reads the log from here on, and a full pipe would stop the server.
        thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self { child, address, key, folder }
    }

    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address, &self.key).expect("a connection")
    }

    /// Waits until the server has used almost no processor time for two seconds. How long that took, without
    /// the two seconds.
    pub(crate) fn settle(&self) -> Duration {
        let begun = Instant::now();
        let mut busy = self.ticks();
        let mut since = Instant::now();
        while since.elapsed() < Duration::from_secs(2) {
            thread::sleep(Duration::from_millis(100));
            let now = self.ticks();
            if now > busy + 1 {
                since = Instant::now();
            }
            busy = now;
        }
        since.duration_since(begun)
    }

    pub(crate) fn disk_bytes(&self) -> u64 {
        let files = fs::read_dir(self.folder.path()).expect("the folder");
        files.map(|file| file.and_then(|file| file.metadata()).map_or(0, |about| about.len())).sum()
    }

    pub(crate) fn resident_mib(&self) -> f64 {
        self.status("VmRSS:")
    }

    pub(crate) fn peak_mib(&self) -> f64 {
        self.status("VmHWM:")
    }

    /// Lets the server use every core from now on.
    pub(crate) fn use_every_core(&self) {
        // More than there are is no mistake here.
        pin("0-1023", self.child.id());
    }

    pub(crate) fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn status(&self, field: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or("0 kB");
        line.trim().trim_end_matches(" kB").parse::<f64>().map_or(0.0, |kib| kib / 1024.0)
    }

    /// Processor time, in hundredths of a second.
    fn ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let fields = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        fields.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The command on the first core, and this process on the others.
fn pinned(program: &str) -> Command {
    let installed = ["/usr/bin/taskset", "/bin/taskset"].into_iter().any(|path| Path::new(path).exists());
    if !installed {
        println!("taskset is not installed: the server may use every core");
        return Command::new(program);
    }
    if thread::available_parallelism().is_ok_and(|cores| cores.get() > 1) {
        pin("1", std::process::id());
    }
    let mut command = Command::new("taskset");
    command.args(["-c", "0", program]);
    command
}

/// Keeps every thread of a process on these cores.
fn pin(cores: &str, process: u32) {
    let _ = Command::new("taskset").args(["-apc", cores, &process.to_string()]).output();
}

fn first_address(log: &mut impl std::io::BufRead) -> SocketAddr {
    for line in log.by_ref().lines().map_while(Result::ok) {
        let place = line.find("127.0.0.1:").map(|start| &line[start..]);
        let address = place.and_then(|text| {
            let end = text.find(|letter: char| !(letter.is_ascii_digit() || ".:".contains(letter)));
            text.get(..end.unwrap_or(text.len()))?.parse().ok()
        });
        if let Some(address) = address {
            return address;
        }
    }
    panic!("the server ended without saying where it listens");
}
