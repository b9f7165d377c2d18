//! The names of fields in three languages, and how any spelling of them is folded into one.

use super::error::{Refusal, code, quoted, shown};
use super::json::Member;
use crate::nearest::nearest;

/// Longest folded word, in bytes; every known one is shorter.
const FOLDED_BYTES_MAX: usize = 32;

/// A word in the one spelling that is compared: lower case, without accents, `_`, `-` and white space.
#[derive(Debug, Clone, Copy)]
pub(super) struct Folded {
    bytes: [u8; FOLDED_BYTES_MAX],
    length: usize,
}

impl Folded {
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    fn push(&mut self, text: &str) -> Option<()> {
        let end = self.length + text.len();
        self.bytes
            .get_mut(self.length..end)?
            .copy_from_slice(text.as_bytes());
        self.length = end;
        Some(())
    }
}

/// Folds a word; `None` when it is longer than any known one.
pub(super) fn fold(text: &str) -> Option<Folded> {
    let mut folded = Folded {
        bytes: [0; FOLDED_BYTES_MAX],
        length: 0,
    };
    let mut buffer = [0; 4];
    for letter in text.chars() {
        match letter {
            '_' | '-' => {}
            'a'..='z' | '0'..='9' => folded.push(letter.encode_utf8(&mut buffer))?,
            'A'..='Z' => folded.push(letter.to_ascii_lowercase().encode_utf8(&mut buffer))?,
            // Accents that stand as characters of their own.
            '\u{300}'..='\u{36f}' => {}
            _ if letter.is_whitespace() => {}
            _ => {
                for lower in letter.to_lowercase() {
                    folded.push(without_accent(lower).encode_utf8(&mut buffer))?;
                }
            }
        }
    }
    Some(folded)
}

fn without_accent(letter: char) -> char {
    match letter {
        'á' | 'à' | 'â' | 'ã' | 'ä' | 'å' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ó' | 'ò' | 'ô' | 'õ' | 'ö' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ç' => 'c',
        'ñ' => 'n',
        other => other,
    }
}

/// A known word: folded, as people write it, and what it stands for.
#[derive(Debug)]
pub(super) struct Word<T> {
    pub(super) folded: &'static str,
    pub(super) shown: &'static str,
    pub(super) meaning: T,
}

impl<T> Word<T> {
    pub(super) const fn new(folded: &'static str, shown: &'static str, meaning: T) -> Self {
        Self {
            folded,
            shown,
            meaning,
        }
    }
}

/// Looks a word up in a table that is sorted by its folded words.
pub(super) fn look_up<T: Copy>(table: &[Word<T>], text: &str) -> Option<T> {
    let folded = fold(text)?;
    let found = table
        .binary_search_by(|word| word.folded.as_bytes().cmp(folded.as_bytes()))
        .ok()?;
    Some(table[found].meaning)
}

/// The word of a table that is nearest to one that is not in it, as people write it.
pub(super) fn near<T>(table: &'static [Word<T>], text: &str) -> Option<&'static str> {
    let folded = fold(text)?;
    let word = std::str::from_utf8(folded.as_bytes()).ok()?;
    let near = nearest(word, table.iter().map(|word| word.folded))?;
    table
        .iter()
        .find(|word| word.folded == near)
        .map(|word| word.shown)
}

/// What a key stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    Secret,
    Action,
    Symbol,
    Quantity,
    Id,
    Strategy,
    Price,
    LimitPrice,
    Type,
    Trigger,
    Stop,
    Target,
    Trail,
    Position,
    PositionSize,
    PreviousPosition,
    PreviousSize,
    Percent,
    FiredAt,
    BarAt,
    Account,
    Exchange,
    Comment,
    OrderId,
    Version,
    Interval,
    Currency,
}

/// How many fields there are.
pub(super) const FIELDS: usize = Field::Currency as usize + 1;

/// One name of each field, for those who got it wrong.
const KNOWN: &str = "secret (segredo), action (acao), symbol (ativo), quantity (qtd), id, strategy \
    (estrategia), price (preco), limit_price (preco_limite), type (tipo), trigger (gatilho), stop, \
    target (alvo), trail (stop_movel), position (posicao), position_size (tamanho_posicao), prev_position \
    (posicao_anterior), prev_size, percent (percentual), time (horario), bar_time (vela), account \
    (conta), exchange (bolsa), comment (comentario), order_id, interval (tf), currency and v";

impl Field {
    /// The field of a key in any of its names.
    pub(super) fn of(key: &str) -> Option<Self> {
        look_up(NAMES, key)
    }

    /// Whether the field wants a number.
    pub(super) const fn is_number(self) -> bool {
        match self {
            Self::Quantity
            | Self::Price
            | Self::LimitPrice
            | Self::Trigger
            | Self::Stop
            | Self::Target
            | Self::Trail
            | Self::PositionSize
            | Self::PreviousSize
            | Self::Percent => true,
            Self::Secret
            | Self::Action
            | Self::Symbol
            | Self::Id
            | Self::Strategy
            | Self::Type
            | Self::Position
            | Self::PreviousPosition
            | Self::FiredAt
            | Self::BarAt
            | Self::Account
            | Self::Exchange
            | Self::Comment
            | Self::OrderId
            | Self::Version
            | Self::Interval
            | Self::Currency => false,
        }
    }
}

/// The refusal of a key that means nothing.
pub(super) fn unknown_key(member: &Member<'_>) -> Refusal {
    let key = quoted(&member.key);
    let message = match near(NAMES, &member.key) {
        Some(near) => format!(
            "the key {key} is not known; did you mean \"{near}\"? \
             (a key that starts with _ is kept and never read)"
        ),
        None => format!(
            "the key {key} is not known; known are {KNOWN}; \
             put _ in front of a key that Ponte shall not read"
        ),
    };
    Refusal::new(code::UNKNOWN_KEY, message).about(member)
}

/// The refusal of a field given twice.
pub(super) fn duplicate_key(first: &str, second: &Member<'_>) -> Refusal {
    let message = if first == second.key {
        format!("the key {} is given twice; keep one", quoted(first))
    } else {
        format!(
            "{} and {} are two names of one field; keep one",
            quoted(first),
            quoted(&second.key)
        )
    };
    Refusal::new(code::DUPLICATE_KEY, message).about(second)
}

/// The refusal of a field that is not there.
pub(super) fn missing(what: &str, example: &str) -> Refusal {
    Refusal::new(
        code::MISSING_FIELD,
        format!("{what} is missing: add {}", shown(example)),
    )
}

const fn name(folded: &'static str, shown: &'static str, field: Field) -> Word<Field> {
    Word::new(folded, shown, field)
}

/// Every name of every field, sorted by its folded form.
const NAMES: &[Word<Field>] = &[
    name("acao", "acao", Field::Action),
    name("accion", "accion", Field::Action),
    name("account", "account", Field::Account),
    name("action", "action", Field::Action),
    name("activo", "activo", Field::Symbol),
    name("alvo", "alvo", Field::Target),
    name("alvos", "alvos", Field::Target),
    name("amount", "amount", Field::Quantity),
    name("ativo", "ativo", Field::Symbol),
    name("authkey", "auth_key", Field::Secret),
    name("bar", "bar", Field::BarAt),
    name("bartime", "bar_time", Field::BarAt),
    name("bolsa", "bolsa", Field::Exchange),
    name("candle", "candle", Field::BarAt),
    name("cantidad", "cantidad", Field::Quantity),
    name("chave", "chave", Field::Secret),
    name("clave", "clave", Field::Secret),
    name("close", "close", Field::Price),
    name("comando", "comando", Field::Action),
    name("comentario", "comentario", Field::Comment),
    name("command", "command", Field::Action),
    name("comment", "comment", Field::Comment),
    name("conta", "conta", Field::Account),
    name("contracts", "contracts", Field::Quantity),
    name("contrasena", "contraseña", Field::Secret),
    name("contratos", "contratos", Field::Quantity),
    name("corretora", "corretora", Field::Exchange),
    name("cuenta", "cuenta", Field::Account),
    name("currency", "currency", Field::Currency),
    name("direcao", "direcao", Field::Action),
    name("direction", "direction", Field::Action),
    name("disparo", "disparo", Field::Trigger),
    name("enviado", "enviado", Field::FiredAt),
    name("estrategia", "estrategia", Field::Strategy),
    name("exchange", "exchange", Field::Exchange),
    name("gain", "gain", Field::Target),
    name("gatilho", "gatilho", Field::Trigger),
    name("hora", "hora", Field::FiredAt),
    name("horario", "horario", Field::FiredAt),
    name("horariobarra", "horario_barra", Field::BarAt),
    name("id", "id", Field::Id),
    name("instrument", "instrument", Field::Symbol),
    name("interval", "interval", Field::Interval),
    name("key", "key", Field::Secret),
    name("lado", "lado", Field::Action),
    name("limitprice", "limit_price", Field::LimitPrice),
    name("lot", "lot", Field::Quantity),
    name("lote", "lote", Field::Quantity),
    name("lotes", "lotes", Field::Quantity),
    name("lots", "lots", Field::Quantity),
    name("market", "market", Field::Symbol),
    name("marketposition", "market_position", Field::Position),
    name(
        "marketpositionsize",
        "market_position_size",
        Field::PositionSize,
    ),
    name("motivo", "motivo", Field::Comment),
    name("objetivo", "objetivo", Field::Target),
    name("objetivos", "objetivos", Field::Target),
    name("operacao", "operacao", Field::Action),
    name("ordem", "ordem", Field::Action),
    name("orden", "orden", Field::Action),
    name("order", "order", Field::Action),
    name("ordercomment", "order_comment", Field::Comment),
    name("orderid", "order_id", Field::OrderId),
    name("ordertype", "order_type", Field::Type),
    name("pair", "pair", Field::Symbol),
    name("papel", "papel", Field::Symbol),
    name("par", "par", Field::Symbol),
    name("passphrase", "passphrase", Field::Secret),
    name("pct", "pct", Field::Percent),
    name("percent", "percent", Field::Percent),
    name("percentual", "percentual", Field::Percent),
    name("perda", "perda", Field::Stop),
    name("perdida", "perdida", Field::Stop),
    name("porcentagem", "porcentagem", Field::Percent),
    name("porcentaje", "porcentaje", Field::Percent),
    name("posicao", "posicao", Field::Position),
    name(
        "posicaoanterior",
        "posicao_anterior",
        Field::PreviousPosition,
    ),
    name("posicion", "posicion", Field::Position),
    name(
        "posicionanterior",
        "posicion_anterior",
        Field::PreviousPosition,
    ),
    name("position", "position", Field::Position),
    name("positionsize", "position_size", Field::PositionSize),
    name("precio", "precio", Field::Price),
    name("preciolimite", "precio_limite", Field::LimitPrice),
    name("preco", "preco", Field::Price),
    name("precogatilho", "preco_gatilho", Field::Trigger),
    name("precolimite", "preco_limite", Field::LimitPrice),
    name("prev", "prev", Field::PreviousPosition),
    name(
        "prevmarketposition",
        "prev_market_position",
        Field::PreviousPosition,
    ),
    name(
        "prevmarketpositionsize",
        "prev_market_position_size",
        Field::PreviousSize,
    ),
    name("prevposition", "prev_position", Field::PreviousPosition),
    name(
        "prevpositionsize",
        "prev_position_size",
        Field::PreviousSize,
    ),
    name("prevsize", "prev_size", Field::PreviousSize),
    name("price", "price", Field::Price),
    name("qtd", "qtd", Field::Quantity),
    name("qtde", "qtde", Field::Quantity),
    name("qty", "qty", Field::Quantity),
    name("quantidade", "quantidade", Field::Quantity),
    name("quantity", "quantity", Field::Quantity),
    name("secret", "secret", Field::Secret),
    name("secreto", "secreto", Field::Secret),
    name("segredo", "segredo", Field::Secret),
    name("senal", "senal", Field::Action),
    name("senha", "senha", Field::Secret),
    name("sent", "sent", Field::FiredAt),
    name("side", "side", Field::Action),
    name("signal", "signal", Field::Action),
    name("simbolo", "simbolo", Field::Symbol),
    name("sinal", "sinal", Field::Action),
    name("size", "size", Field::Quantity),
    name("sl", "sl", Field::Stop),
    name("stop", "stop", Field::Stop),
    name("stoploss", "stop_loss", Field::Stop),
    name("stopmovel", "stop_movel", Field::Trail),
    name("stopmovil", "stop_movil", Field::Trail),
    name("stopprice", "stop_price", Field::Trigger),
    name("strategy", "strategy", Field::Strategy),
    name("symbol", "symbol", Field::Symbol),
    name("takeprofit", "take_profit", Field::Target),
    name("tamanhoposicao", "tamanho_posicao", Field::PositionSize),
    name("tamanoposicion", "tamano_posicion", Field::PositionSize),
    name("target", "target", Field::Target),
    name("targets", "targets", Field::Target),
    name("tf", "tf", Field::Interval),
    name("ticker", "ticker", Field::Symbol),
    name("time", "time", Field::FiredAt),
    name("timeframe", "timeframe", Field::Interval),
    name("timenow", "timenow", Field::FiredAt),
    name("timestamp", "timestamp", Field::FiredAt),
    name("tipo", "tipo", Field::Type),
    name("tipoordem", "tipo_ordem", Field::Type),
    name("tipoorden", "tipo_orden", Field::Type),
    name("token", "token", Field::Secret),
    name("tp", "tp", Field::Target),
    name("trail", "trail", Field::Trail),
    name("trailing", "trailing", Field::Trail),
    name("trailingstop", "trailing_stop", Field::Trail),
    name("trailpercent", "trail_percent", Field::Trail),
    name("trigger", "trigger", Field::Trigger),
    name("triggerprice", "trigger_price", Field::Trigger),
    name("type", "type", Field::Type),
    name("v", "v", Field::Version),
    name("vela", "vela", Field::BarAt),
    name("volume", "volume", Field::Quantity),
];

#[cfg(test)]
pub(super) fn assert_sorted<T>(table: &[Word<T>]) {
    for pair in table.windows(2) {
        assert!(pair[0].folded < pair[1].folded, "{}", pair[1].folded);
    }
    for word in table {
        let folded = fold(word.shown).unwrap();
        assert_eq!(folded.as_bytes(), word.folded.as_bytes());
    }
}

#[cfg(test)]
pub(super) fn assert_documented<T>(table: &[Word<T>]) {
    for guide in [
        include_str!("../../../../docs/messages.md"),
        include_str!("../../../../docs/messages.pt-BR.md"),
    ] {
        for word in table {
            assert!(
                guide.contains(&format!("`{}`", word.shown)),
                "{}",
                word.shown
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_folded() {
        assert_sorted(NAMES);
    }

    #[test]
    fn every_spelling_of_a_name_is_the_name() {
        for key in ["acao", "Ação ", "AÇÃO", "ac\u{327}a\u{303}o", "a_ç-ã o"] {
            assert_eq!(Field::of(key), Some(Field::Action), "{key}");
        }
        assert_eq!(Field::of("Contraseña"), Some(Field::Secret));
        assert_eq!(Field::of(&"a".repeat(1000)), None);
    }

    #[test]
    fn every_name_is_in_the_guides() {
        assert_documented(NAMES);
    }
}
