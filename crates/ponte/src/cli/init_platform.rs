//! `ponte init --platform`: what is right where Ponte will run.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::context::{Context, INSTALLED};
use super::failure::Failure;
use super::init::Step;
use super::screen;
use crate::config::{InitAnswers, InitPlace, Platform, SecretPlace, parse, template};

/// Flags of the place in which Ponte will run.
#[derive(Args)]
pub(super) struct PlatformFlags {
    /// Where Ponte will run: sets what is right there, flags still win
    #[arg(long, value_name = "NAME", value_enum)]
    platform: Option<PlatformName>,
    /// The name under which TradingView reaches this Ponte; its A record leads here. On a vps and
    /// in docker Ponte gets a certificate for it
    #[arg(
        long,
        value_name = "NAME",
        requires = "platform",
        conflicts_with = "public_url"
    )]
    domain: Option<String>,
    /// With --domain on a vps or in docker: I accept the terms of Let's Encrypt
    /// (https://letsencrypt.org/repository)
    #[arg(long, requires = "domain")]
    accept_terms: bool,
    /// With --domain: an e-mail address that the certificate authority may write to
    #[arg(long, value_name = "EMAIL", requires = "domain")]
    contact: Option<String>,
}

/// The platforms, as flags name them.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PlatformName {
    /// A server of one's own, with its own certificate
    Vps,
    /// A container on a server of one's own
    Docker,
    /// Fly.io
    Fly,
    /// Render
    Render,
    /// Railway
    Railway,
    /// Behind cloudflared on this machine
    CloudflareTunnel,
    /// Behind ngrok on this machine
    Ngrok,
    /// Behind nginx on this machine
    Nginx,
    /// Behind Caddy on this machine
    Caddy,
}

impl PlatformName {
    const fn platform(self) -> Platform {
        match self {
            Self::Vps => Platform::Vps,
            Self::Docker => Platform::Docker,
            Self::Fly => Platform::Fly,
            Self::Render => Platform::Render,
            Self::Railway => Platform::Railway,
            Self::CloudflareTunnel => Platform::CloudflareTunnel,
            Self::Ngrok => Platform::Ngrok,
            Self::Nginx => Platform::Nginx,
            Self::Caddy => Platform::Caddy,
        }
    }
}

impl PlatformFlags {
    /// Where the configuration goes: on a server of one's own to the machine's place.
    pub(super) fn path(&self, context: &Context) -> PathBuf {
        let is_installed = self
            .platform
            .is_some_and(|name| name.platform().is_installed());
        if is_installed && !context.is_named {
            return PathBuf::from(INSTALLED);
        }
        context.new_path()
    }

    /// The defaults for the place; those of a trial on this machine where none is named.
    pub(super) fn defaults(&self) -> Result<InitAnswers, Failure> {
        let Some(platform) = self.platform.map(PlatformName::platform) else {
            return Ok(InitAnswers::default());
        };
        let has_certificate = self.domain.is_some() && platform.can_have_certificate();
        if has_certificate && !self.accept_terms {
            let problem = "a certificate needs that you accept the terms of Let's Encrypt";
            return Err(Failure::usage(problem).cured_by(
                "read them at https://letsencrypt.org/repository and add --accept-terms",
            ));
        }
        if !has_certificate && (self.accept_terms || self.contact.is_some()) {
            return Err(Failure::usage(
                "--accept-terms and --contact go with --domain on a vps or in docker",
            ));
        }
        let url = self
            .domain
            .as_ref()
            .map(|domain| format!("https://{domain}"));
        Ok(InitAnswers {
            public_url: url,
            place: Some(InitPlace {
                platform,
                contact: self.contact.clone(),
                has_certificate,
            }),
            ..answers_at(platform, has_certificate)
        })
    }
}

/// What is right at a platform.
fn answers_at(platform: Platform, has_certificate: bool) -> InitAnswers {
    let defaults = InitAnswers::default();
    let secret = platform.secret_variable();
    InitAnswers {
        webhook_listen: platform.listen(has_certificate),
        allow_this_machine: platform.allows_itself(),
        data_dir: platform.data_dir().map_or(defaults.data_dir, str::to_owned),
        secret: secret.map_or(defaults.secret, |name| SecretPlace::Env(name.to_owned())),
        place: Some(InitPlace {
            platform,
            contact: None,
            has_certificate,
        }),
        ..InitAnswers::default()
    }
}

/// The first start in a container, where nobody types: writes the configuration for this platform
/// if there is none. What is there is never touched, and no secret is made or printed.
pub(super) fn write_if_missing(context: &Context, name: PlatformName) -> Result<(), Failure> {
    let path = &context.path;
    if path.exists() {
        return Ok(());
    }
    let platform = name.platform();
    let mut answers = answers_at(platform, false);
    if let SecretPlace::Env(name) = &answers.secret {
        let is_set = std::env::var_os(name).is_some_and(|value| !value.is_empty());
        if !is_set {
            let problem =
                format!("the environment variable {name} with the webhook's secret is not set");
            return Err(Failure::refused(problem).cured_by(format!(
                "set {name} among the platform's secrets to 24 or more random characters: openssl rand -hex 24"
            )));
        }
    }
    answers.public_url = platform.public_url(|name| std::env::var(name).ok());
    let text = template(&answers);
    let file = path.display().to_string();
    parse(&text, &file).map_err(|errors| Failure::refused(errors.to_string()))?;
    if matches!(answers.secret, SecretPlace::File(_)) {
        let problem = format!("there is no configuration at {file}");
        return Err(Failure::unreachable(problem)
            .cured_by("ponte init --platform NAME writes it together with a secret"));
    }
    super::init_files::write(path, &text, false)?;
    screen::note(&format!("wrote {file}"));
    Ok(())
}

/// What comes next where Ponte doesn't run on this machine by hand.
pub(super) fn steps(path: &Path, place: &InitPlace) -> Option<Vec<Step>> {
    let step = |command: &str, why| (command.to_owned(), why);
    match place.platform {
        Platform::Vps | Platform::Nginx | Platform::Caddy if path == Path::new(INSTALLED) => {
            let mut steps = vec![step("sudo ponte check", "is everything right?")];
            if place.has_certificate {
                steps.extend([
                    step(
                        "sudo cp -r /usr/share/ponte/systemd/ponte.socket.d /etc/systemd/system/",
                        "the kernel holds port 443, also while Ponte restarts",
                    ),
                    step("sudo systemctl daemon-reload", "let systemd know"),
                    step(
                        "sudo systemctl stop ponte.service ponte.socket",
                        "give up the old port",
                    ),
                    step(
                        "sudo systemctl start ponte.socket ponte.service",
                        "take the new one",
                    ),
                ]);
            } else {
                steps.push(step("sudo systemctl restart ponte", "start with it"));
            }
            steps.push(step(
                "sudo ponte doctor",
                "does everything work, from outside too?",
            ));
            Some(steps)
        }
        Platform::Docker => Some(vec![
            step(
                "docker compose up -d",
                "start; it comes back after a restart of the machine",
            ),
            step(
                "docker compose exec ponte /ponte doctor",
                "does everything work?",
            ),
        ]),
        Platform::Vps
        | Platform::Fly
        | Platform::Render
        | Platform::Railway
        | Platform::CloudflareTunnel
        | Platform::Ngrok
        | Platform::Nginx
        | Platform::Caddy => None,
    }
}
