//! The command `staso`.

#[cfg(any(target_os = "linux", target_os = "macos"))]
mod allocator;

fn main() -> std::process::ExitCode {
    staso_server::cli::main()
}
