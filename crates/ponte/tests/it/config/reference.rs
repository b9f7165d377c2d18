//! The table of keys, the reader and the reference in two languages say the same.

use std::collections::BTreeMap;

use ponte::config::{Absent, Key, SECTIONS, SIZE, Section, parse};

use super::PARTS;

const ENGLISH: &str = include_str!("../../../../../docs/configuration.md");
const PORTUGUESE: &str = include_str!("../../../../../docs/configuration.pt-BR.md");

/// An account in which everything means something that nothing else brings with it.
const BINANCE: &str =
    "name = \"paper\"\nbroker = \"binance\"\nmode = \"live\"\ncurrency = \"USDT\"\n";
const KEYS: &str =
    "market = \"futures\"\napi_key = \"env:API_KEY\"\nsigning_key = \"env:SIGNING_KEY\"\n";

const MT5: &str = "name = \"paper\"\nbroker = \"mt5\"\nmode = \"demo\"\ncurrency = \"BRL\"\n";
const TERMINAL: &str = "login = 1\nserver = \"Demo\"\ntoken = \"env:TOKEN\"\n";
const ACME: &str = "domains = [\"hook.example.com\"]\naccept_terms = true\n";
const REMOTE: &str = "names = [\"localhost\"]\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n";
const CERTIFICATE: &str = "certificate = \"c.pem\"\nkey = \"k.pem\"\n";

const BINANCE_GUIDE: &str = include_str!("../../../../../docs/binance.md");
const BINANCE_GUIDE_IN_PORTUGUESE: &str = include_str!("../../../../../docs/binance.pt-BR.md");

/// A whole configuration with one more line in the given section.
fn with_line(section: &Section, line: &str) -> String {
    let key = line.split_once(" = ").map_or("", |(key, _)| key);
    let part = |path: &str, minimum: &str| {
        let mut text = if path.is_empty() {
            String::new()
        } else {
            header(path)
        };
        let kept = minimum.lines().filter(|known| {
            path != section.path || known.split_once(" = ").is_none_or(|(name, _)| name != key)
        });
        for known in kept {
            text += known;
            text += "\n";
        }
        if path == section.path {
            text += line;
            text += "\n";
        }
        text
    };
    let account = if section.path == "accounts.binance" {
        BINANCE.replace("live", "demo")
    } else if ["accounts.mt5", "bridge"].contains(&section.path) {
        MT5.to_owned()
    } else if line == "trade_real_money = true" {
        BINANCE.to_owned()
    } else {
        PARTS.account.to_owned()
    };
    let is_binance = account.contains("\"binance\"");
    let instruments = if section.path == "accounts.instruments" {
        "symbol = \"A\"\nprice_tick = \"0.01\"\nquantity_step = \"1\"\n"
    } else {
        ""
    };
    let mut text = part("", "");
    let proxies = if line == "proxy_protocol = true" {
        "trusted_proxies = [\"10.0.0.0/8\"]"
    } else {
        ""
    };
    text += &part("webhook", proxies);
    if section.path == "webhook.tls" {
        text += &part("webhook.tls", CERTIFICATE);
    }
    if section.path == "webhook.acme" {
        text += &part("webhook.acme", ACME);
    }
    if section.path == "webhook.client_certificate" {
        text += &format!("[webhook.tls]\n{CERTIFICATE}");
    }
    for path in ["webhook.client_certificate", "admin", "log", "retention"] {
        text += &part(path, "");
    }
    if section.path == "admin.remote" {
        text += &part("admin.remote", REMOTE);
    }
    if account == MT5 {
        text += &part("bridge", CERTIFICATE);
    }
    if section.path == "vault" {
        text += &part("vault", "");
    }
    text += &part("sources", PARTS.source);
    if section.path == "sources.scope" {
        text += &part("sources.scope", "");
    }
    text += &part("accounts", &account);
    if is_binance {
        text += &part("accounts.binance", KEYS);
    }
    if account == MT5 {
        text += &part("accounts.mt5", TERMINAL);
    }
    if section.path.starts_with("accounts.b3") {
        text += &part("accounts.b3", "");
    }
    if section.path == "accounts.b3.products" {
        text += &part("accounts.b3.products", "product = \"WIN\"");
    }
    text += &part("accounts.rules", "");
    if !instruments.is_empty() {
        text += &part("accounts.instruments", instruments);
    }
    text + &part("routes", PARTS.route)
}

fn header(path: &str) -> String {
    let section = SECTIONS
        .iter()
        .find(|section| section.path == path)
        .unwrap();
    if section.is_list {
        format!("[[{path}]]\n")
    } else {
        format!("[{path}]\n")
    }
}

fn value_keys() -> impl Iterator<Item = (&'static Section, &'static Key)> {
    let keys = SECTIONS
        .iter()
        .flat_map(|section| section.keys.iter().map(|key| (*section, key)));
    keys.filter(|(_, key)| key.kind != "section")
}

#[test]
fn every_example_is_accepted() {
    for (section, key) in value_keys() {
        let text = with_line(section, &format!("{} = {}", key.name, key.example));
        parse(&text, "ponte.toml").unwrap_or_else(|errors| panic!("{errors}"));
    }
    for key in SIZE.keys {
        let text = format!(
            "{}size = {{ {} = {} }}\n",
            PARTS.text(),
            key.name,
            key.example
        );
        parse(&text, "ponte.toml").unwrap_or_else(|errors| panic!("{errors}"));
    }
}

#[test]
fn every_key_is_read() {
    for (section, key) in value_keys() {
        let text = with_line(section, &format!("{} = 1979-05-27", key.name));
        let errors = parse(&text, "ponte.toml").unwrap_err();
        let path = section.path_of(key.name);
        assert!(
            errors.errors.iter().any(|error| error.key == path),
            "{path}: {errors}"
        );
    }
}

#[test]
fn every_default_is_what_holds_without_the_key() {
    for (section, key) in value_keys() {
        let line = match key.absent {
            Absent::Means(default) => format!("{} = {default}", key.name),
            Absent::Error => {
                // With another key's line in its place, the key itself is missing.
                let text = with_line(section, &format!("{} = 0", key.name));
                let text = text.replace(&format!("{} = 0\n", key.name), "");
                let errors = parse(&text, "ponte.toml").unwrap_err();
                assert!(errors.to_string().contains("missing"), "{errors}");
                continue;
            }
            Absent::Nothing => continue,
        };
        // An empty [section] header leaves the key out; the policy's default holds for an absent age.
        let without = parse(&with_line(section, ""), "ponte.toml").unwrap().config;
        let with = parse(&with_line(section, &line), "ponte.toml")
            .unwrap()
            .config;
        let shown = |config| {
            format!("{config:?}").replace("max_signal_age: None", "max_signal_age: Some(60s)")
        };
        assert_eq!(shown(with), shown(without), "{line}");
    }
}

/// The rows of the reference: kind, default, range and example of each key; what it means stands last.
fn rows(reference: &str) -> BTreeMap<String, Vec<String>> {
    let mut section = String::new();
    let mut rows = BTreeMap::new();
    for line in reference.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            let name = heading.split('`').nth(1).unwrap_or("");
            section = name.trim_matches(['[', ']']).to_owned();
        }
        let Some(row) = line.strip_prefix("| `") else {
            continue;
        };
        let cells: Vec<String> = row
            .trim_end_matches(" |")
            .split(" | ")
            .map(str::to_owned)
            .collect();
        let key = cells[0].trim_end_matches('`');
        let path = if section.is_empty() {
            key.to_owned()
        } else {
            format!("{section}.{key}")
        };
        assert_eq!(cells.len(), 6, "{line}");
        let earlier = rows.insert(path.clone(), cells[1..5].to_vec());
        assert!(earlier.is_none(), "{path} stands in the reference twice");
    }
    rows
}

fn expected_rows(translate: impl Fn(&str) -> String) -> BTreeMap<String, Vec<String>> {
    let size = SIZE.keys.iter().map(|key| (&SIZE, key));
    let row = |(section, key): (&Section, &Key)| {
        let default = match key.absent {
            Absent::Error => translate("required"),
            Absent::Means(default) => format!("`{default}`"),
            Absent::Nothing => translate("none"),
        };
        let cells = vec![
            translate(key.kind),
            default,
            translate(key.range),
            format!("`{}`", key.example),
        ];
        (section.path_of(key.name), cells)
    };
    value_keys().chain(size).map(row).collect()
}

#[test]
fn the_english_reference_names_exactly_the_keys() {
    assert_eq!(rows(ENGLISH), expected_rows(str::to_owned));
}

#[test]
fn the_portuguese_reference_names_exactly_the_keys() {
    let translate = |text: &str| {
        if text == "none" {
            return "nenhum".to_owned();
        }
        let mut text = text.to_owned();
        for (english, portuguese) in WORDS {
            text = text.replace(english, portuguese);
        }
        text
    };
    assert_eq!(rows(PORTUGUESE), expected_rows(translate));
}

/// Longer ones first, so that a part of one is not replaced before the whole.
const WORDS: &[(&str, &str)] = &[
    ("host names, addresses", "nomes de host, endereços"),
    (
        "names and IP addresses, 1 to 100",
        "nomes e endereços IP, 1 a 100",
    ),
    ("e-mail addresses, up to 10", "endereços de e-mail, até 10"),
    (
        "letters, digits and hyphens, up to 64",
        "letras, dígitos e hífens, até 64",
    ),
    ("an https URL", "uma URL https"),
    ("host names, addresses", "nomes de host, endereços"),
    (
        "\"alert\" or a table with one key",
        "\"alert\" ou uma tabela com uma chave",
    ),
    (
        "http, a loopback address and a port",
        "http, um endereço loopback e uma porta",
    ),
    ("named sets", "conjuntos com nome"),
    (
        "SHA-256 of public keys, 64 hex digits",
        "SHA-256 de chaves públicas, 64 dígitos hexadecimais",
    ),
    ("a loopback address:port", "endereço:porta, só loopback"),
    ("address:port", "endereço:porta"),
    ("addresses, CIDRs", "endereços, CIDRs"),
    ("1 to 64 bytes, unique", "1 a 64 bytes, único"),
    ("2 to 12 letters and digits", "2 a 12 letras e dígitos"),
    ("names of accounts", "nomes de contas"),
    ("symbols, at least one", "símbolos, ao menos um"),
    ("names, at least one", "nomes, ao menos um"),
    ("a date or RFC 3339", "uma data ou RFC 3339"),
    ("moment", "momento"),
    ("a trade server", "um servidor de negociação"),
    ("a PEM file", "um arquivo PEM"),
    ("a time of the day", "um horário"),
    ("time", "horário"),
    ("days", "dias"),
    ("1 or more", "1 ou mais"),
    ("symbols", "símbolos"),
    ("a symbol, or \"*\"", "um símbolo, ou \"*\""),
    ("symbol = symbol", "símbolo = símbolo"),
    ("\"*\" or names", "\"*\" ou nomes"),
    ("above 0, up to", "acima de 0, até"),
    ("above 0", "acima de 0"),
    ("0 or more", "0 ou mais"),
    ("a folder", "uma pasta"),
    ("true or false", "true ou false"),
    ("whole number", "número inteiro"),
    ("required", "obrigatório"),
    ("duration", "duração"),
    ("decimal", "decimal"),
    ("choice", "escolha"),
    ("address", "endereço"),
    ("symbol", "símbolo"),
    ("secret", "segredo"),
    ("table", "tabela"),
    ("path", "caminho"),
    ("text", "texto"),
    ("list", "lista"),
    ("size", "tamanho"),
    ("name", "nome"),
    ("\" to \"", "\" a \""),
    (" to ", " a "),
];

#[test]
fn every_block_in_the_references_parses() {
    for (name, reference) in [
        ("configuration.md", ENGLISH),
        ("configuration.pt-BR.md", PORTUGUESE),
        ("binance.md", BINANCE_GUIDE),
        ("binance.pt-BR.md", BINANCE_GUIDE_IN_PORTUGUESE),
    ] {
        let blocks: Vec<&str> = reference
            .split("```toml\n")
            .skip(1)
            .map(|rest| rest.split("```").next().unwrap())
            .collect();
        assert!(blocks.len() >= 4, "{name} has {} blocks", blocks.len());
        for block in blocks {
            let text = completed(block);
            let parsed = parse(&text, name).unwrap_or_else(|errors| panic!("{text}\n{errors}"));
            assert_eq!(parsed.warnings, [], "{block}");
        }
    }
}

/// A block with the sections that it leaves out.
fn completed(block: &str) -> String {
    let mut text = block.to_owned();
    for (header, minimum) in [
        ("[[sources]]", PARTS.source),
        ("[[accounts]]", PARTS.account),
        ("[[routes]]", PARTS.route),
    ] {
        if !text.contains(header) {
            let account = block
                .split_once("[[accounts]]\nname = ")
                .and_then(|(_, rest)| rest.lines().next())
                .unwrap_or("\"paper\"");
            text += &format!("{header}\n{}", minimum.replace("\"paper\"", account));
        }
    }
    text
}

/// The first cells of a guide's tables that name error codes.
fn codes(guide: &str) -> Vec<Vec<&str>> {
    let cells = guide.lines().filter_map(|line| line.strip_prefix("| `-"));
    let codes = cells.map(|cells| cells.split_once(" |").map_or(cells, |(first, _)| first));
    codes
        .map(|cell| {
            let numbers = cell.split(|letter: char| !letter.is_ascii_digit());
            numbers.filter(|number| !number.is_empty()).collect()
        })
        .collect()
}

#[test]
fn the_guides_to_binance_name_the_same_codes() {
    let english = codes(BINANCE_GUIDE);
    assert!(english.len() > 40, "{english:?}");
    assert_eq!(english, codes(BINANCE_GUIDE_IN_PORTUGUESE));
    let headings = |guide: &str| guide.lines().filter(|line| line.starts_with('#')).count();
    assert_eq!(
        headings(BINANCE_GUIDE),
        headings(BINANCE_GUIDE_IN_PORTUGUESE)
    );
}
