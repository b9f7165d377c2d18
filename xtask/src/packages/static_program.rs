//! The static program in a folder with nothing else: no library, no device, no shell, not root.

use std::fs;
use std::os::unix::fs::chown;
use std::process::Command;

use super::place::{Place, free_port, stop};
use super::{Built, Passed, must, names};
use crate::{Result, process};

/// The user of the container's image.
const NOBODY: u32 = 65532;

pub(super) fn test(built: &Built, passed: &mut Passed) -> Result<()> {
    let program = built.program();
    let parts = process::capture(Command::new("readelf").args(["-lW"]).arg(&program))?;
    must(
        !parts.contains("INTERP"),
        "the program asks for the system's loader",
    )?;
    let needs = process::capture(Command::new("readelf").args(["-dW"]).arg(&program))?;
    must(
        !needs.contains("NEEDED"),
        format!("the program needs libraries: {needs}"),
    )?;
    passed.say("the program is static");

    let place = Place {
        folder: built.scratch("empty")?,
    };
    fs::copy(&program, place.path("ponte"))?;
    fs::create_dir(place.path("data"))?;
    chown(place.path("data"), Some(NOBODY), Some(NOBODY))?;
    place.write("etc/hosts", "127.0.0.1 localhost webhook.example\n")?;
    let servers = format!(
        "nameserver {}\noptions timeout:2 attempts:1\n",
        names::SERVER
    );
    place.write("etc/resolv.conf", &servers)?;
    in_an_empty_folder(&place, passed)
}

fn in_an_empty_folder(place: &Place, passed: &mut Passed) -> Result<()> {
    let user = format!("{NOBODY}:{NOBODY}");
    let (webhook, admin) = (free_port()?, free_port()?);
    let listen = format!("127.0.0.1:{webhook}");
    let admin = format!("127.0.0.1:{admin}");
    let at = ["--config", "/data/ponte.toml"];
    let with = |words: &[&'static str]| -> Vec<String> {
        let all = ["/ponte"].iter().chain(&at).chain(words);
        all.map(|word| (*word).to_owned()).collect()
    };
    let mut init = with(&["init", "--yes", "--platform", "docker"]);
    init.extend(["--listen", &listen, "--admin-listen", &admin].map(str::to_owned));
    let ask = |words: Vec<String>| {
        place.run(&user, &words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    ask(init)?;
    passed.say("ponte init in an empty folder, not as root");

    let words = with(&["run"]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut running = place.start(&mut place.command(&user, &words))?;
    let health = with(&["health"]);
    let health: Vec<&str> = health.iter().map(String::as_str).collect();
    place.wait(&mut running, &user, &health)?;
    passed.say("ponte run in an empty folder");
    ask(with(&["send", "--example", "buy"]))?;
    passed.say("an alert is taken");

    names::serve()?;
    // From /etc/hosts, and from the name server.
    for (index, name) in ["webhook.example", names::NAME].into_iter().enumerate() {
        let mut words = with(&["send", "--example", "buy", "--url"]);
        words.push(format!("http://{name}:{webhook}/webhook"));
        ask(words).map_err(|error| format!("{name} is not found: {error}"))?;
        passed.say(
            [
                "a name in /etc/hosts is found",
                "a name is asked of the name server",
            ][index],
        );
    }
    stop(running)?;
    passed.say("it ends well after SIGTERM");
    Ok(())
}
