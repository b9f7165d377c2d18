//! What the image for Fly.io, Render and Railway starts.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::place::{Place, ROOT, free_port, read, stop};
use super::{Built, Passed, must};
use crate::{Result, process};

/// Whether a process has another user than the image's, or could become one.
fn runs_as_ponte_for_good(process: u32) -> Result<()> {
    let status = read(Path::new(&format!("/proc/{process}/status")))?;
    let line = |name: &str| {
        let mut lines = status.lines();
        lines
            .find(|line| line.starts_with(name))
            .unwrap_or_default()
    };
    let users = line("Uid:");
    let is_ponte = users.split_whitespace().skip(1).all(|id| id == "65532");
    must(is_ponte, format!("it runs as another user: {users}"))?;
    let is_bound = line("NoNewPrivs:").ends_with('1');
    must(is_bound, "it may become root again")
}

/// What the image for Fly.io, Render and Railway starts, on a volume that is root's.
pub(super) fn test(built: &Built, place: &Place, passed: &mut Passed) -> Result<()> {
    let context = built.target.join("package-test/context");
    for (file, to) in [
        (built.program(), "ponte"),
        (context.join("deploy/docker/start.sh"), "start-ponte"),
    ] {
        let to = place.path("usr/local/bin").join(to);
        fs::copy(file, &to)?;
        process::run(Command::new("chmod").arg("755").arg(to))?;
    }
    // As the image makes it, without the package's user.
    place.run(ROOT, &["userdel", "ponte"])?;
    place.run(ROOT, &["groupadd", "--system", "--gid", "65532", "ponte"])?;
    place.run(
        ROOT,
        &[
            "useradd",
            "--system",
            "--uid",
            "65532",
            "--gid",
            "ponte",
            "--no-create-home",
            "ponte",
        ],
    )?;
    fs::create_dir_all(place.path("data/lost+found"))?;
    let (port, admin) = (free_port()?, format!("127.0.0.1:{}", free_port()?));
    let with = |words: &[&str]| {
        let mut command = place.command(ROOT, words);
        command
            .env("PORT", port.to_string())
            .env("PONTE_CONFIG", "/data/ponte.toml");
        command.env("PONTE_SECRET", "a-secret-for-the-tests-only-4242");
        command
    };
    // It prints what is to be pasted, with the secret.
    process::capture(&mut with(&[
        "ponte",
        "init",
        "--platform",
        "railway",
        "--admin-listen",
        &admin,
    ]))?;
    let mut running = place.start(&mut with(&["start-ponte", "railway"]))?;
    let variables = format!("PORT={port}");
    let at = [
        "env",
        &variables,
        "PONTE_CONFIG=/data/ponte.toml",
        "PONTE_SECRET=a-secret-for-the-tests-only-4242",
        "ponte",
    ];
    let words = |more: &[&'static str]| [&at[..], more].concat();
    place.wait(&mut running, ROOT, &words(&["status"]))?;
    runs_as_ponte_for_good(running.id())?;
    passed.say("the platforms' image starts as root and goes on as ponte for good");
    place.run(ROOT, &words(&["send", "--example", "buy"]))?;
    let owner = place.run(ROOT, &["stat", "-c", "%U", "/data", "/data/ponte.toml"])?;
    must(
        owner == "ponte\nponte\n",
        format!("the volume is {owner}'s"),
    )?;
    passed.say("the volume is ponte's, and an alert is taken");
    stop(running)
}
