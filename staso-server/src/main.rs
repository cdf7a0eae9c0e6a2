//! The command `staso`.

fn main() -> std::process::ExitCode {
    staso_server::cli::main()
}
