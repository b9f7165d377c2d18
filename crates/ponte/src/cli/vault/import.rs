//! `ponte vault import`.

use std::collections::BTreeSet;

use clap::Args;
use serde::Serialize;

use super::super::context::Context;
use super::super::failure::Failure;
use super::super::record;
use super::super::screen::{self, BOLD, DIM, GOOD, styled};
use super::{Opened, base, uses, variable};
use crate::config::SecretUse;
use crate::secret::{Places, Secret, SecretName, SecretRef, Vault};

/// Put a secret that is kept elsewhere into the vault, and say what to change in ponte.toml
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte vault import file:secrets/main\n  \
    ponte vault import env:BINANCE_API_KEY --name binance-key\n  \
    ponte vault import --all                  every secret that ponte.toml names\n  \
    ponte vault import vault:main --name main_BEFORE     once more, for a rotation\n\n\
    Nothing is taken away where the secret was: do that once ponte check is good.")]
pub(super) struct Import {
    /// Where it is kept, as ponte.toml writes it
    #[arg(value_name = "PLACE", required_unless_present = "all")]
    place: Option<String>,
    /// Its name in the vault [default: the name that it has where it is]
    #[arg(long)]
    name: Option<SecretName>,
    /// All that ponte.toml names and that are not in the vault
    #[arg(long, conflicts_with_all = ["place", "name"])]
    all: bool,
}

/// A secret that was put into the vault.
#[derive(Serialize)]
struct Imported {
    name: String,
    bytes: usize,
    from: String,
    #[serde(skip)]
    kept: SecretRef,
    /// What to change.
    lines: Vec<Line>,
}

/// A line of ponte.toml, and what belongs there.
#[derive(Serialize)]
struct Line {
    line: usize,
    key: &'static str,
    text: String,
}

impl Import {
    pub(in crate::cli) fn run(&self, context: &Context) -> Result<(), Failure> {
        let uses = uses(context)?;
        let mut opened = Opened::of(context)?;
        let mut imported = Vec::new();
        for kept in self.places(context, &uses)? {
            let name = match &self.name {
                Some(name) => name.clone(),
                None => name_of(&kept)?,
            };
            // Every form that a secret has anywhere: a line, or the PEM of a private key.
            let places = Places::new(&variable).with_vault(Some(&opened.vault));
            let secret = places.signing_key(&kept)?;
            imported.push((name, kept, secret));
        }
        opened.change(|vault| {
            for (name, kept, secret) in &imported {
                put(vault, name, kept, secret, context)?;
            }
            Ok(())
        })?;
        let imported: Vec<Imported> = imported
            .into_iter()
            .map(|(name, kept, secret)| Imported {
                bytes: secret.bytes(),
                from: kept.to_string(),
                // What is there twice is wanted twice.
                lines: match kept.is_in_vault() {
                    true => Vec::new(),
                    false => lines(&uses, &kept, &name),
                },
                name: name.to_string(),
                kept,
            })
            .collect();
        for one in &imported {
            let detail = format!("{}, from {}", one.name, one.from);
            record::put(context, "vault_secret_set", &detail);
        }
        if context.json {
            return screen::print_json(&imported);
        }
        screen::print(&shown(&imported, context))
    }

    fn places(&self, context: &Context, uses: &[SecretUse]) -> Result<Vec<SecretRef>, Failure> {
        let Some(place) = &self.place else {
            let kept = uses.iter().map(|used| used.kept.clone());
            let elsewhere = kept.filter(|kept: &SecretRef| !kept.is_in_vault());
            return Ok(elsewhere.collect::<BTreeSet<_>>().into_iter().collect());
        };
        let kept = SecretRef::parse(place, base(context))
            .map_err(|error| Failure::usage(error.to_string()))?;
        if kept.is_in_vault() && self.name.is_none() {
            return Err(Failure::usage(format!("{kept} is in the vault already"))
                .cured_by("--name NAME to have it there once more"));
        }
        Ok(vec![kept])
    }
}

/// The name that a secret has where it is kept.
fn name_of(kept: &SecretRef) -> Result<SecretName, Failure> {
    let name = match kept {
        SecretRef::Env(name) => name.to_lowercase().replace('_', "-"),
        SecretRef::File(path) => {
            let name = path.file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        }
        SecretRef::Credential(name) | SecretRef::Vault(name) => name.to_string(),
    };
    SecretName::new(&name).map_err(|error| {
        Failure::refused(format!("{name:?} is no name for the vault: {error}"))
            .cured_by("--name NAME")
    })
}

/// Puts a secret there, but not over another one.
fn put(
    vault: &mut Vault,
    name: &SecretName,
    kept: &SecretRef,
    secret: &Secret,
    context: &Context,
) -> Result<(), Failure> {
    let there = Places::new(&variable).with_vault(Some(vault));
    let there = there.signing_key(&SecretRef::Vault(name.clone()));
    match there {
        Ok(there) if there.is_same(secret) => Ok(()),
        Ok(_) => Err(
            Failure::refused(format!("the vault has another secret {name} than {kept}"))
                .cured_by("--name NAME for another name, or ponte vault remove first"),
        ),
        Err(_) => {
            vault.set(name.clone(), secret, context.now)?;
            Ok(())
        }
    }
}

fn lines(uses: &[SecretUse], kept: &SecretRef, name: &SecretName) -> Vec<Line> {
    let used = uses.iter().filter(|used| used.kept == *kept);
    used.map(|used| {
        let key = used.key.rsplit('.').next().unwrap_or(used.key);
        Line {
            line: used.place.line,
            key: used.key,
            text: format!("{key} = \"{}\"", SecretRef::Vault(name.clone())),
        }
    })
    .collect()
}

fn shown(imported: &[Imported], context: &Context) -> String {
    if imported.is_empty() {
        return "every secret that is named is in the vault\n".to_owned();
    }
    let mut text = String::new();
    for one in imported {
        let from = styled(DIM, &format!("{} bytes from {}", one.bytes, one.from));
        text += &format!("{} {}  {from}\n", styled(GOOD, "put"), one.name);
    }
    if imported.iter().all(|one| one.kept.is_in_vault()) {
        return text;
    }
    let mut lines: Vec<&Line> = imported.iter().flat_map(|one| &one.lines).collect();
    lines.sort_by_key(|line| line.line);
    if !lines.is_empty() {
        let file = context.path.display();
        text += &format!("\n{}\n", styled(BOLD, &format!("change in {file}")));
        for line in lines {
            text += &format!(
                "  {}  {}\n",
                styled(DIM, &format!("line {:>4}", line.line)),
                line.text
            );
        }
    }
    text += &format!(
        "\n{}\n  ponte check\n",
        styled(BOLD, "when ponte check is good")
    );
    for one in imported {
        text += &match &one.kept {
            SecretRef::File(path) => format!("  rm {}\n", path.display()),
            SecretRef::Env(name) => format!("  take {name} out of the environment\n"),
            SecretRef::Credential(name) => format!("  take {name} out of the unit\n"),
            SecretRef::Vault(_) => String::new(),
        };
    }
    text
}
