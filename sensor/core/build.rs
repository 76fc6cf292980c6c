//! Notes which compiler built the core, for `minewatch version`.

use std::process::Command;

fn main() {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let version =
        Command::new(rustc).arg("--version").output().ok().and_then(|output| String::from_utf8(output.stdout).ok());
    println!("cargo:rustc-env=MINEWATCH_COMPILER={}", version.as_deref().map_or("rustc", str::trim));
    println!("cargo:rerun-if-changed=build.rs");
}
