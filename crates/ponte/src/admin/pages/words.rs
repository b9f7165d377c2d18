//! What the pages say, in both languages.

use std::time::Duration;

use axum::http::{HeaderMap, header};

use crate::admin::auth::cookies;

/// The language of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    English,
    Portuguese,
}

impl Language {
    /// The language of its code.
    pub(super) fn of_code(code: &str) -> Option<Self> {
        match code {
            "en" => Some(Self::English),
            "pt" => Some(Self::Portuguese),
            _ => None,
        }
    }

    /// For addresses and cookies.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Portuguese => "pt",
        }
    }

    /// For the page's `lang`.
    pub(super) const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Portuguese => "pt-BR",
        }
    }

    /// The one that was chosen, or the one that the browser likes best.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let chosen = cookies::read(headers, cookies::LANGUAGE);
        chosen
            .and_then(|code| Self::of_code(&code))
            .unwrap_or_else(|| liked(headers))
    }

    pub(super) const fn words(self) -> &'static Words {
        match self {
            Self::English => &ENGLISH,
            Self::Portuguese => &PORTUGUESE,
        }
    }

    /// The other one, with its own name for itself.
    pub(super) const fn other(self) -> (Self, &'static str) {
        match self {
            Self::English => (Self::Portuguese, "Português"),
            Self::Portuguese => (Self::English, "English"),
        }
    }

    /// An alert's outcome or an order's status, as the program knows it, in the page's language.
    pub(super) fn outcome(self, word: &str) -> &str {
        const IN_PORTUGUESE: [(&str, &str); 8] = [
            ("accepted", "aceito"),
            ("duplicate", "repetido"),
            ("refused", "recusado"),
            ("halted", "parado"),
            ("expired", "expirado"),
            ("waiting", "esperando"),
            ("working", "na corretora"),
            ("unknown", "incerta"),
        ];
        let found = match self {
            Self::English => None,
            Self::Portuguese => IN_PORTUGUESE.iter().find(|(known, _)| *known == word),
        };
        found.map_or(word, |(_, translated)| *translated)
    }

    /// How long ago.
    pub(super) fn ago(self, span: Duration) -> String {
        let text = self.span(span);
        match self {
            Self::English => format!("{text} ago"),
            Self::Portuguese => format!("há {text}"),
        }
    }

    /// A span in one number and one unit.
    pub(super) fn span(self, span: Duration) -> String {
        let seconds = span.as_secs();
        let (number, unit) = match seconds {
            0..120 => (seconds, "s"),
            120..7200 => (seconds / 60, "min"),
            7200..172_800 => (seconds / 3600, "h"),
            _ => (seconds / 86_400, "d"),
        };
        format!("{number} {unit}")
    }

    /// How long to wait before the next attempt.
    pub(super) fn wait(self, wait: Duration) -> String {
        // A part of a second more is better than one less.
        let span = self.span(wait.saturating_add(Duration::from_millis(999)));
        match self {
            Self::English => format!("Too many attempts. Try again in {span}."),
            Self::Portuguese => format!("Tentativas demais. Tente de novo em {span}."),
        }
    }
}

/// What `Accept-Language` (RFC 9110, 12.5.4) likes best of the two.
fn liked(headers: &HeaderMap) -> Language {
    let text = headers.get(header::ACCEPT_LANGUAGE);
    let text = text.and_then(|text| text.to_str().ok()).unwrap_or_default();
    let mut best = (0.0, Language::English);
    for entry in text.split(',').take(32) {
        let (tag, quality) = entry.split_once(";q=").unwrap_or((entry, "1"));
        let code = tag.trim().split('-').next().unwrap_or_default();
        let quality: f32 = quality.trim().parse().unwrap_or(0.0);
        if let Some(language) = Language::of_code(&code.to_ascii_lowercase())
            && quality > best.0
        {
            best = (quality, language);
        }
    }
    best.1
}

/// Every text of the pages.
pub(super) struct Words {
    pub(super) sign_in: &'static str,
    pub(super) sign_out: &'static str,
    pub(super) user: &'static str,
    pub(super) password: &'static str,
    pub(super) continue_: &'static str,
    pub(super) wrong: &'static str,
    pub(super) busy: &'static str,
    pub(super) too_late: &'static str,
    pub(super) code: &'static str,
    pub(super) code_hint: &'static str,
    pub(super) wrong_code: &'static str,
    pub(super) start_again: &'static str,
    pub(super) back: &'static str,
    pub(super) problem: &'static str,
    pub(super) reload: &'static str,
    pub(super) running: &'static str,
    pub(super) running_note: &'static str,
    pub(super) halted: &'static str,
    pub(super) partly_halted: &'static str,
    pub(super) halted_note: &'static str,
    pub(super) not_ready: &'static str,
    pub(super) not_ready_note: &'static str,
    pub(super) halt_file: &'static str,
    pub(super) sources_off_note: &'static str,
    pub(super) source: &'static str,
    pub(super) off: &'static str,
    pub(super) expired: &'static str,
    pub(super) naked: &'static str,
    pub(super) unknown_orders: &'static str,
    pub(super) resume: &'static str,
    pub(super) resume_question: &'static str,
    pub(super) resume_yes: &'static str,
    pub(super) kill_switch: &'static str,
    pub(super) halt: &'static str,
    pub(super) what: &'static str,
    pub(super) everything: &'static str,
    pub(super) account: &'static str,
    pub(super) strategy: &'static str,
    pub(super) symbol: &'static str,
    pub(super) how_much: &'static str,
    pub(super) levels: [(&'static str, &'static str); 4],
    pub(super) reason: &'static str,
    pub(super) reason_hint: &'static str,
    pub(super) flatten_question: &'static str,
    pub(super) flatten_yes: &'static str,
    pub(super) cancel: &'static str,
    pub(super) view_only: &'static str,
    pub(super) accounts: &'static str,
    pub(super) balance_unknown: &'static str,
    pub(super) modes: [&'static str; 3],
    pub(super) open_orders: &'static str,
    pub(super) positions: &'static str,
    pub(super) last_alerts: &'static str,
    pub(super) no_positions: &'static str,
    pub(super) no_orders: &'static str,
    pub(super) no_alerts: &'static str,
    pub(super) terminal_away: &'static str,
    pub(super) sessions: &'static str,
    pub(super) sessions_note: &'static str,
    pub(super) this_one: &'static str,
    pub(super) end: &'static str,
    pub(super) end_others: &'static str,
    pub(super) since: &'static str,
    pub(super) last_seen: &'static str,
    pub(super) by: &'static str,
    pub(super) up_for: &'static str,
    pub(super) roles: [&'static str; 2],
    pub(super) done_halt: &'static str,
    pub(super) done_resume: &'static str,
    pub(super) done_nothing: &'static str,
    pub(super) done_session: &'static str,
    pub(super) done_signed_out: &'static str,
}

const ENGLISH: Words = Words {
    sign_in: "Sign in",
    sign_out: "Sign out",
    user: "User",
    password: "Password",
    continue_: "Continue",
    wrong: "User or password is wrong.",
    busy: "Too many are signing in right now. Try again in a moment.",
    too_late: "That took too long. Please start again.",
    code: "Code",
    code_hint: "Six digits from your authenticator app, or one of your recovery codes.",
    wrong_code: "This code is wrong, or was used before. The app shows a new one every 30 seconds.",
    start_again: "Start again",
    back: "Back",
    problem: "That did not work",
    reload: "Refresh",
    running: "Trading",
    running_note: "Alerts are taken and orders are sent.",
    halted: "Halted",
    partly_halted: "Partly halted",
    halted_note: "Exits and protective stops go on.",
    not_ready: "Not taking alerts",
    not_ready_note: "The journal can't be written. TradingView is told to send again.",
    halt_file: "A file called HALT in the data directory halts everything. Remove it to resume.",
    sources_off_note: "Alerts of a source that is off are refused, closes too. On the machine: \
                       ponte source on NAME.",
    source: "Source",
    off: "off",
    expired: "expired",
    naked: "Without its stop:",
    unknown_orders: "Orders of which nobody knows yet whether the broker took them:",
    resume: "Resume",
    resume_question: "Take entries again for:",
    resume_yes: "Yes, resume",
    kill_switch: "Kill switch",
    halt: "Halt",
    what: "What",
    everything: "Everything",
    account: "Account",
    strategy: "Strategy",
    symbol: "Symbol",
    how_much: "How much",
    levels: [
        (
            "Block entries",
            "No new entries. What is open stays; exits and stops go on.",
        ),
        (
            "Cancel working",
            "Also take back entries that wait at the broker.",
        ),
        (
            "Reduce only",
            "Also close again whatever still gets filled.",
        ),
        ("Flatten", "Also close every position at the market, now."),
    ],
    reason: "Reason",
    reason_hint: "For the record, if you like",
    flatten_question: "This closes every position at the market, now:",
    flatten_yes: "Yes, close and halt",
    cancel: "No, go back",
    view_only: "Your role is view: you can't halt or resume.",
    accounts: "Accounts",
    balance_unknown: "not told yet",
    modes: ["paper", "demo", "live money"],
    open_orders: "Open orders",
    positions: "Positions",
    last_alerts: "Last alerts",
    no_positions: "No open position.",
    no_orders: "No open order.",
    no_alerts: "No alert yet.",
    terminal_away: "terminal away",
    sessions: "Your sessions",
    sessions_note: "Where you are signed in. End what you don't know, then change your password: ponte user password.",
    this_one: "this one",
    end: "End",
    end_others: "End all others",
    since: "since",
    last_seen: "last seen",
    by: "by",
    up_for: "up for",
    roles: ["view", "operate"],
    done_halt: "Halted.",
    done_resume: "Resumed.",
    done_nothing: "Nothing to change.",
    done_session: "Ended.",
    done_signed_out: "You are signed out.",
};

const PORTUGUESE: Words = Words {
    sign_in: "Entrar",
    sign_out: "Sair",
    user: "Usuário",
    password: "Senha",
    continue_: "Continuar",
    wrong: "Usuário ou senha incorretos.",
    busy: "Há gente demais entrando agora. Tente de novo em um instante.",
    too_late: "Demorou demais. Comece de novo.",
    code: "Código",
    code_hint: "Seis dígitos do seu aplicativo autenticador, ou um dos seus códigos de recuperação.",
    wrong_code: "Este código está errado ou já foi usado. O aplicativo mostra um novo a cada 30 segundos.",
    start_again: "Começar de novo",
    back: "Voltar",
    problem: "Não deu certo",
    reload: "Atualizar",
    running: "Operando",
    running_note: "Alertas são recebidos e ordens são enviadas.",
    halted: "Parado",
    partly_halted: "Parado em parte",
    halted_note: "Saídas e stops de proteção continuam.",
    not_ready: "Sem receber alertas",
    not_ready_note: "O diário não pode ser escrito. O TradingView é avisado para reenviar.",
    halt_file: "Um arquivo chamado HALT na pasta de dados para tudo. Remova-o para retomar.",
    sources_off_note: "Alertas de uma fonte desligada são recusados, fechamentos também. Na máquina: \
                       ponte source on NOME.",
    source: "Fonte",
    off: "desligada",
    expired: "vencida",
    naked: "Sem o stop:",
    unknown_orders: "Ordens que ninguém sabe ainda se a corretora aceitou:",
    resume: "Retomar",
    resume_question: "Aceitar entradas de novo em:",
    resume_yes: "Sim, retomar",
    kill_switch: "Botão de emergência",
    halt: "Parar",
    what: "O quê",
    everything: "Tudo",
    account: "Conta",
    strategy: "Estratégia",
    symbol: "Ativo",
    how_much: "Quanto",
    levels: [
        (
            "Bloquear entradas",
            "Sem novas entradas. O que está aberto fica; saídas e stops continuam.",
        ),
        (
            "Cancelar pendentes",
            "E retira as entradas que esperam na corretora.",
        ),
        ("Só reduzir", "E fecha de novo o que ainda for executado."),
        ("Zerar", "E fecha todas as posições a mercado, agora."),
    ],
    reason: "Motivo",
    reason_hint: "Para o registro, se quiser",
    flatten_question: "Isto fecha todas as posições a mercado, agora:",
    flatten_yes: "Sim, zerar e parar",
    cancel: "Não, voltar",
    view_only: "Seu papel é só ver: você não pode parar nem retomar.",
    accounts: "Contas",
    balance_unknown: "ainda não informado",
    modes: ["simulada", "demonstração", "dinheiro real"],
    open_orders: "Ordens abertas",
    positions: "Posições",
    last_alerts: "Últimos alertas",
    no_positions: "Nenhuma posição aberta.",
    no_orders: "Nenhuma ordem aberta.",
    no_alerts: "Nenhum alerta ainda.",
    terminal_away: "terminal ausente",
    sessions: "Suas sessões",
    sessions_note: "Onde você está conectado. Encerre o que não conhece e troque a senha: ponte user password.",
    this_one: "esta",
    end: "Encerrar",
    end_others: "Encerrar todas as outras",
    since: "desde",
    last_seen: "vista",
    by: "por",
    up_for: "no ar há",
    roles: ["ver", "operar"],
    done_halt: "Parado.",
    done_resume: "Retomado.",
    done_nothing: "Nada a mudar.",
    done_session: "Encerrada.",
    done_signed_out: "Você saiu.",
};

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_browser_says_what_it_likes() {
        for (text, language) in [
            ("", Language::English),
            ("de-DE,de;q=0.9", Language::English),
            ("pt-BR,pt;q=0.9,en;q=0.8", Language::Portuguese),
            ("en-US,en;q=0.9,pt;q=0.8", Language::English),
            ("de, pt;q=0.5, en;q=0.4", Language::Portuguese),
            ("en;q=0, PT-pt;q=0.1", Language::Portuguese),
            ("pt;q=x", Language::English),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(text));
            assert_eq!(Language::of(&headers), language, "{text}");
        }
        let mut headers = HeaderMap::new();
        let chosen = HeaderValue::from_static("__Host-ponte-language=pt");
        headers.insert(header::COOKIE, chosen);
        assert_eq!(Language::of(&headers), Language::Portuguese);
    }

    #[test]
    fn spans_are_short() {
        let wait = |milliseconds| Language::English.wait(Duration::from_millis(milliseconds));
        assert_eq!(wait(1), "Too many attempts. Try again in 1 s.");
        assert_eq!(wait(900_000), "Too many attempts. Try again in 15 min.");
        let ago = Language::Portuguese.ago(Duration::from_secs(7300));
        assert_eq!(ago, "há 2 h");
    }
}
