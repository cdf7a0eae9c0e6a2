//! Which program a command line runs, behind whatever launches it.

use std::{ffi::OsString, fs, path::Path};

/// What to call the agent of a command: the program that it comes down to, not `cargo`, `uv` or `env`.
pub(super) fn agent_name(command: &[OsString], folder: &Path) -> String {
    let words: Vec<String> = command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let name = program(&words, folder, 0).filter(|name| !name.is_empty());
    name.unwrap_or_else(|| "agent".to_owned())
}

/// Launchers inside launchers, after which no further is looked.
const MAX_DEPTH: u8 = 8;

fn program(words: &[&str], folder: &Path, depth: u8) -> Option<String> {
    let (first, rest) = words.split_first()?;
    let launcher = stem(first);
    if depth == MAX_DEPTH {
        return Some(launcher);
    }
    behind(&launcher, rest, folder, depth).or(Some(launcher))
}

/// What a launcher launches, by the words behind it. `None` when it is none, or names nothing.
fn behind(launcher: &str, rest: &[&str], folder: &Path, depth: u8) -> Option<String> {
    let named = |words: &[&str]| program(words, folder, depth + 1);
    match launcher.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.') {
        "env" => {
            let rest = skip_options(rest, &["-u", "--unset", "-C", "--chdir"]);
            let assignments = rest.iter().take_while(|word| word.contains('=')).count();
            named(rest.get(assignments..)?)
        }
        "nice" | "stdbuf" | "sudo" | "doas" | "ionice" | "setsid" | "nohup" | "time" | "exec" | "command"
        | "dotenv" | "doppler" | "op" | "strace" | "catchsegv" | "caffeinate" => {
            named(behind_dashes(skip_options(rest, &["-n", "-u", "-g", "-o", "-e", "-i", "-c", "-f"])))
        }
        "timeout" => named(skip_options(rest, &["-k", "-s", "--signal", "--kill-after"]).get(1..)?),
        "sh" | "bash" | "zsh" | "dash" | "fish" => shell(rest, folder, depth),
        "cargo" => cargo(rest, folder),
        "uv" | "poetry" | "pipenv" | "pdm" | "rye" | "hatch" | "pixi" | "conda" | "mamba" => {
            let rest = skip_options(rest, &["--directory", "--project", "-C"]);
            let (command, rest) = rest.split_first()?;
            let with_value = [
                "--with",
                "-p",
                "--python",
                "--extra",
                "--group",
                "--env-file",
                "--package",
                "-n",
                "-e",
                "--index",
            ];
            match *command {
                "run" => named(skip_options(rest, &with_value)),
                _ => None,
            }
        }
        "uvx" | "pipx" | "npx" | "bunx" | "pnpx" | "dlx" => {
            let rest = skip_options(rest, &["--from", "--with", "-p", "--package", "--python"]);
            named(rest.strip_prefix(&["run"]).unwrap_or(rest))
        }
        "python" | "pypy" | "pythonw" => python(rest),
        "node" | "tsx" | "ts-node" | "ruby" | "php" | "perl" | "Rscript" | "lua" | "julia" | "elixir"
        | "nodemon" | "streamlit" => {
            let with_value = ["-r", "--require", "--import", "--loader", "--env-file", "-I", "-e", "--eval"];
            let rest = skip_options(rest, &with_value);
            script(rest.strip_prefix(&["run"]).unwrap_or(rest))
        }
        "bun" | "deno" | "npm" | "pnpm" | "yarn" => package_script(rest, folder),
        "go" => match rest.split_first()? {
            (&"run", rest) => target(skip_options(rest, &["-C", "-tags", "-ldflags"]).first()?, folder),
            _ => folder_name(folder),
        },
        "java" => jar(rest),
        "dotnet" | "gradle" | "gradlew" | "mvn" | "mvnw" => folder_name(folder),
        _ => None,
    }
}

/// `cargo run`, `test` and their kin: the binary or example that is named, else the package.
fn cargo(words: &[&str], folder: &Path) -> Option<String> {
    let words: Vec<&str> = words.iter().copied().take_while(|word| *word != "--").collect();
    for option in ["--example", "--bin", "--test", "--bench", "-p", "--package"] {
        let value = words
            .iter()
            .zip(words.iter().skip(1))
            .find(|(word, _)| **word == option)
            .map(|(_, value)| *value);
        let joined = || words.iter().find_map(|word| word.strip_prefix(option)?.strip_prefix('='));
        if let Some(value) = value.or_else(joined) {
            return Some(value.to_owned());
        }
    }
    package(folder).or_else(|| folder_name(folder))
}

/// The name in the manifest of the package in a folder.
fn package(folder: &Path) -> Option<String> {
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    let package = manifest.split("[package]").nth(1)?.split("\n[").next()?;
    let value =
        package.lines().find_map(|line| line.trim().strip_prefix("name")?.trim_start().strip_prefix('='))?;
    value.split('"').nth(1).map(str::to_owned)
}

fn python(words: &[&str]) -> Option<String> {
    let mut words = words;
    loop {
        match words {
            ["-m", module, rest @ ..] => {
                let is_wrapper =
                    matches!(*module, "uvicorn" | "gunicorn" | "debugpy" | "coverage" | "cProfile");
                let inner = is_wrapper.then(|| script(rest)).flatten();
                return Some(inner.unwrap_or_else(|| module.split('.').next().unwrap_or(module).to_owned()));
            }
            ["-c", ..] => return None,
            ["-W" | "-X", _, rest @ ..] => words = rest,
            [option, rest @ ..] if option.starts_with('-') => words = rest,
            _ => return script(words),
        }
    }
}

/// `sh -c "exec python x.py"`, or a script of the shell's own.
fn shell(words: &[&str], folder: &Path, depth: u8) -> Option<String> {
    match words {
        [option, line, ..] if option.starts_with('-') && option.ends_with('c') => {
            let last = line.rsplit(['&', ';', '|']).map(str::trim).find(|part| !part.is_empty())?;
            let words: Vec<&str> = last.split_whitespace().collect();
            let assignments = words.iter().take_while(|word| word.contains('=')).count();
            program(words.get(assignments..)?, folder, depth + 1)
        }
        [option, rest @ ..] if option.starts_with('-') => shell(rest, folder, depth),
        _ => script(words),
    }
}

fn package_script(words: &[&str], folder: &Path) -> Option<String> {
    let words = skip_options(words, &["--prefix", "-C", "--filter", "--cwd"]);
    let words = words.strip_prefix(&["run"]).or_else(|| words.strip_prefix(&["exec"])).unwrap_or(words);
    let first = skip_options(words, &[]).first()?;
    if first.contains('.') || first.contains('/') { Some(stem(first)) } else { folder_name(folder) }
}

fn jar(words: &[&str]) -> Option<String> {
    match words {
        ["-jar", jar, ..] => Some(stem(jar)),
        ["-cp" | "-classpath" | "--class-path", _, rest @ ..] => jar(rest),
        [option, rest @ ..] if option.starts_with('-') => jar(rest),
        [class, ..] => Some(class.rsplit('.').next().unwrap_or(class).to_owned()),
        [] => None,
    }
}

/// The file or folder of a Go program.
fn target(word: &str, folder: &Path) -> Option<String> {
    let path = folder.join(word);
    if word.ends_with(".go") {
        Some(stem(word))
    } else {
        folder_name(&fs::canonicalize(&path).unwrap_or(path))
    }
}

/// The script that an interpreter runs. One that is called as most are takes the name of its folder.
fn script(words: &[&str]) -> Option<String> {
    let words = behind_dashes(words);
    // Servers name a module and what to take from it: `app.main:app`.
    let word = words.first()?.split(':').next()?;
    let name = stem(word);
    let parent = Path::new(word).parent().and_then(Path::file_name);
    match (name.as_str(), parent) {
        ("main" | "__main__" | "index" | "app", Some(parent)) if parent != "src" => {
            Some(parent.to_string_lossy().into_owned())
        }
        _ => Some(name),
    }
}

/// What follows the options, some of which take the next word as their value.
fn skip_options<'a, 'w>(words: &'a [&'w str], with_value: &[&str]) -> &'a [&'w str] {
    match words {
        [option, _, rest @ ..] if with_value.contains(option) => skip_options(rest, with_value),
        ["--", rest @ ..] => rest,
        [option, rest @ ..] if option.starts_with('-') && option.len() > 1 => skip_options(rest, with_value),
        _ => words,
    }
}

fn behind_dashes<'a, 'w>(words: &'a [&'w str]) -> &'a [&'w str] {
    match words.iter().position(|word| *word == "--") {
        Some(dashes) => words.get(dashes + 1..).unwrap_or_default(),
        None => words,
    }
}

fn folder_name(folder: &Path) -> Option<String> {
    folder.file_name().map(|name| name.to_string_lossy().into_owned())
}

fn stem(word: &str) -> String {
    let path = Path::new(word);
    let known = [
        "py", "js", "mjs", "cjs", "ts", "mts", "tsx", "rb", "php", "pl", "sh", "go", "exe", "jar", "lua",
        "R", "jl",
    ];
    let is_script = path.extension().is_some_and(|extension| known.iter().any(|known| extension == *known));
    let name = if is_script { path.file_stem() } else { path.file_name() };
    name.map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &str) {
        let folder = Path::new("/nowhere/shop");
        let command: Vec<OsString> = line.split(' ').map(Into::into).collect();
        assert_eq!(agent_name(&command, folder), expected, "{line}");
    }

    #[test]
    fn a_program_is_called_by_its_own_name() {
        check("./target/debug/support_agent --fast", "support_agent");
        check("agent.v2", "agent.v2");
        check("pytest tests/evals", "pytest");
    }

    #[test]
    fn launchers_are_looked_behind() {
        for (line, expected) in [
            ("cargo run", "shop"),
            ("cargo run --release --example support_agent -- --bin other", "support_agent"),
            ("cargo run --bin=worker", "worker"),
            ("cargo test -p orders", "orders"),
            ("uv run x.py", "x"),
            ("uv run --with httpx python -m billing.worker", "billing"),
            ("uv run --python 3.12 -- python agents/refund.py", "refund"),
            ("env A=1 node x.js", "x"),
            ("env -u HOME -i A=1 B=2 python3.12 -u -X dev agents/refund.py --n 2", "refund"),
            ("poetry run python refund/main.py", "refund"),
            ("python src/main.py", "main"),
            ("python -c print(1)", "python"),
            ("npx tsx src/agent.ts", "agent"),
            ("bun run agent.ts", "agent"),
            ("npm run start", "shop"),
            ("deno run -A agent.ts", "agent"),
            ("timeout -k 5 60 ./bot", "bot"),
            ("nice -n 5 ./bot", "bot"),
            ("sh run-agent.sh", "run-agent"),
            ("go run ./cmd/refund", "refund"),
            ("go run main.go", "main"),
            ("java -Xmx1g -jar build/refund.jar", "refund"),
            ("uvicorn app:app", "uvicorn"),
            ("cargo", "shop"),
            ("uv", "uv"),
        ] {
            check(line, expected);
        }
        let folder = Path::new("/nowhere/shop");
        let line = ["sh", "-c", "cd x && A=1 exec python agent.py"].map(OsString::from);
        assert_eq!(agent_name(&line, folder), "agent");
        assert_eq!(agent_name(&["sh", "-c", ""].map(OsString::from), folder), "sh");
        assert_eq!(agent_name(&[], folder), "agent");
    }

    #[test]
    fn a_package_gives_its_name_to_cargo_run() {
        let folder = tempfile::tempdir().unwrap();
        let manifest =
            "[workspace]\n[package]\nversion = \"1\"\nname = \"refunds\"\n[dependencies]\nname = \"no\"\n";
        fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
        assert_eq!(agent_name(&["cargo", "run"].map(OsString::from), folder.path()), "refunds");
    }
}
