//! The words of an action, an order type and a position, in three languages.

use super::error::{Refusal, code, quoted, shown};
use super::json::Member;
use super::names::{Word, look_up, near};
use crate::signal::PositionSide;

/// What an action asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Buy,
    Sell,
    EnterLong,
    EnterShort,
    Close,
    CloseLong,
    CloseShort,
    Reverse,
    Cancel,
    Heartbeat,
}

impl Verb {
    /// The one word that the digest knows.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
            Self::EnterLong => "enter_long",
            Self::EnterShort => "enter_short",
            Self::Close => "close",
            Self::CloseLong => "close_long",
            Self::CloseShort => "close_short",
            Self::Reverse => "reverse",
            Self::Cancel => "cancel",
            Self::Heartbeat => "heartbeat",
        }
    }

    /// Reads an action.
    pub(super) fn read(member: &Member<'_>, text: &str) -> Result<Self, Refusal> {
        if let Some(verb) = look_up(VERBS, text) {
            return Ok(verb);
        }
        let key = shown(&member.key);
        let read = quoted(text);
        let refusal = if look_up(AMBIGUOUS, text).is_some() {
            Refusal::new(
                code::AMBIGUOUS_ACTION,
                format!(
                    "{key} {read} can mean a stop loss, a stop order or leaving the position; \
                     write \"close\" (fechar) to leave, \"type\":\"stop\" with buy or sell for a stop \
                     order, or the field \"stop\" for the stop loss of an entry"
                ),
            )
        } else if let Some(near) = near(VERBS, text) {
            Refusal::new(
                code::UNKNOWN_ACTION,
                format!("{key} {read} is not known; did you mean \"{near}\"?"),
            )
        } else {
            Refusal::new(
                code::UNKNOWN_ACTION,
                format!(
                    "{key} {read} is not known; known are buy (compra), sell (venda), enter_long, \
                     enter_short, close (fechar), close_long, close_short, reverse (inverter), \
                     cancel (cancelar) and heartbeat (ping)"
                ),
            )
        };
        Err(refusal.about(member))
    }
}

/// The kind of order that an entry asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OrderType {
    Market,
    Limit,
    Stop,
    StopLimit,
}

impl OrderType {
    /// Reads an order type.
    pub(super) fn read(member: &Member<'_>, text: &str) -> Result<Self, Refusal> {
        look_up(ORDER_TYPES, text).ok_or_else(|| {
            let hint = near(ORDER_TYPES, text)
                .map_or_else(String::new, |near| format!("did you mean \"{near}\"? "));
            Refusal::new(
                code::UNKNOWN_TYPE,
                format!(
                    "{} {} is not known; {hint}known are market (mercado), limit (limite), \
                     stop and stop_limit",
                    shown(&member.key),
                    quoted(text)
                ),
            )
            .about(member)
        })
    }
}

/// The side of a position, when the text is one.
pub(super) fn position_side(text: &str) -> Option<PositionSide> {
    look_up(POSITIONS, text)
}

const fn word(folded: &'static str, shown: &'static str, verb: Verb) -> Word<Verb> {
    Word::new(folded, shown, verb)
}

const AMBIGUOUS: &[Word<()>] = &[
    Word::new("parar", "parar", ()),
    Word::new("stop", "stop", ()),
    Word::new("stopado", "stopado", ()),
];

const ORDER_TYPES: &[Word<OrderType>] = &[
    Word::new("amercado", "a_mercado", OrderType::Market),
    Word::new("limit", "limit", OrderType::Limit),
    Word::new("limitada", "limitada", OrderType::Limit),
    Word::new("limite", "limite", OrderType::Limit),
    Word::new("market", "market", OrderType::Market),
    Word::new("mercado", "mercado", OrderType::Market),
    Word::new("stop", "stop", OrderType::Stop),
    Word::new("stoplimit", "stop_limit", OrderType::StopLimit),
    Word::new("stoplimite", "stop_limite", OrderType::StopLimit),
];

const POSITIONS: &[Word<PositionSide>] = &[
    Word::new("comprada", "comprada", PositionSide::Long),
    Word::new("comprado", "comprado", PositionSide::Long),
    Word::new("corta", "corta", PositionSide::Short),
    Word::new("corto", "corto", PositionSide::Short),
    Word::new("flat", "flat", PositionSide::Flat),
    Word::new("larga", "larga", PositionSide::Long),
    Word::new("largo", "largo", PositionSide::Long),
    Word::new("long", "long", PositionSide::Long),
    Word::new("neutra", "neutra", PositionSide::Flat),
    Word::new("neutral", "neutral", PositionSide::Flat),
    Word::new("neutro", "neutro", PositionSide::Flat),
    Word::new("short", "short", PositionSide::Short),
    Word::new("vendida", "vendida", PositionSide::Short),
    Word::new("vendido", "vendido", PositionSide::Short),
    Word::new("zerada", "zerada", PositionSide::Flat),
    Word::new("zerado", "zerado", PositionSide::Flat),
];

/// Every verb, sorted by its folded form.
const VERBS: &[Word<Verb>] = &[
    word("abrircompra", "abrir_compra", Verb::EnterLong),
    word("abrircorto", "abrir_corto", Verb::EnterShort),
    word("abrirlargo", "abrir_largo", Verb::EnterLong),
    word("abrirvenda", "abrir_venda", Verb::EnterShort),
    word("aguardar", "aguardar", Verb::Heartbeat),
    word("bear", "bear", Verb::Sell),
    word("bearish", "bearish", Verb::Sell),
    word("bull", "bull", Verb::Buy),
    word("bullish", "bullish", Verb::Buy),
    word("buy", "buy", Verb::Buy),
    word("buytoclose", "buy_to_close", Verb::CloseShort),
    word("buytocover", "buy_to_cover", Verb::CloseShort),
    word("buytoopen", "buy_to_open", Verb::EnterLong),
    word("cancel", "cancel", Verb::Cancel),
    word("cancelall", "cancel_all", Verb::Cancel),
    word("cancelar", "cancelar", Verb::Cancel),
    word("cancelartodo", "cancelar_todo", Verb::Cancel),
    word("cancelartudo", "cancelar_tudo", Verb::Cancel),
    word("cerrar", "cerrar", Verb::Close),
    word("cerrarcompra", "cerrar_compra", Verb::CloseLong),
    word("cerrarcorto", "cerrar_corto", Verb::CloseShort),
    word("cerrarlargo", "cerrar_largo", Verb::CloseLong),
    word("cerrarposicion", "cerrar_posicion", Verb::Close),
    word("cerrartodo", "cerrar_todo", Verb::Close),
    word("cerrarventa", "cerrar_venta", Verb::CloseShort),
    word("close", "close", Verb::Close),
    word("closeall", "close_all", Verb::Close),
    word("closebuy", "close_buy", Verb::CloseLong),
    word("closelong", "close_long", Verb::CloseLong),
    word("closeposition", "close_position", Verb::Close),
    word("closesell", "close_sell", Verb::CloseShort),
    word("closeshort", "close_short", Verb::CloseShort),
    word("compra", "compra", Verb::Buy),
    word("comprada", "comprada", Verb::Buy),
    word("comprado", "comprado", Verb::Buy),
    word("comprar", "comprar", Verb::Buy),
    word("corto", "corto", Verb::Sell),
    word("encerrar", "encerrar", Verb::Close),
    word("enterlong", "enter_long", Verb::EnterLong),
    word("entershort", "enter_short", Verb::EnterShort),
    word("entrarcompra", "entrar_compra", Verb::EnterLong),
    word("entrarcomprada", "entrar_comprada", Verb::EnterLong),
    word("entrarcomprado", "entrar_comprado", Verb::EnterLong),
    word("entrarcorto", "entrar_corto", Verb::EnterShort),
    word("entrarlargo", "entrar_largo", Verb::EnterLong),
    word("entrarvenda", "entrar_venda", Verb::EnterShort),
    word("entrarvendida", "entrar_vendida", Verb::EnterShort),
    word("entrarvendido", "entrar_vendido", Verb::EnterShort),
    word("esperar", "esperar", Verb::Heartbeat),
    word("exit", "exit", Verb::Close),
    word("exitall", "exit_all", Verb::Close),
    word("exitlong", "exit_long", Verb::CloseLong),
    word("exitshort", "exit_short", Verb::CloseShort),
    word("fechar", "fechar", Verb::Close),
    word("fecharcompra", "fechar_compra", Verb::CloseLong),
    word("fecharcomprado", "fechar_comprado", Verb::CloseLong),
    word("fecharposicao", "fechar_posicao", Verb::Close),
    word("fechartudo", "fechar_tudo", Verb::Close),
    word("fecharvenda", "fechar_venda", Verb::CloseShort),
    word("fecharvendido", "fechar_vendido", Verb::CloseShort),
    word("flat", "flat", Verb::Close),
    word("flatten", "flatten", Verb::Close),
    word("flip", "flip", Verb::Reverse),
    word("golong", "go_long", Verb::EnterLong),
    word("goshort", "go_short", Verb::EnterShort),
    word("heartbeat", "heartbeat", Verb::Heartbeat),
    word("hold", "hold", Verb::Heartbeat),
    word("inverter", "inverter", Verb::Reverse),
    word("invertir", "invertir", Verb::Reverse),
    word("largo", "largo", Verb::Buy),
    word("liquidar", "liquidar", Verb::Close),
    word("long", "long", Verb::Buy),
    word("longentry", "long_entry", Verb::EnterLong),
    word("longexit", "long_exit", Verb::CloseLong),
    word("nenhuma", "nenhuma", Verb::Heartbeat),
    word("neutral", "neutral", Verb::Heartbeat),
    word("neutro", "neutro", Verb::Heartbeat),
    word("ninguna", "ninguna", Verb::Heartbeat),
    word("none", "none", Verb::Heartbeat),
    word("openlong", "open_long", Verb::EnterLong),
    word("openshort", "open_short", Verb::EnterShort),
    word("ping", "ping", Verb::Heartbeat),
    word("prueba", "prueba", Verb::Heartbeat),
    word("reverse", "reverse", Verb::Reverse),
    word("reverter", "reverter", Verb::Reverse),
    word("revertir", "revertir", Verb::Reverse),
    word("sair", "sair", Verb::Close),
    word("sairdacompra", "sair_da_compra", Verb::CloseLong),
    word("sairdavenda", "sair_da_venda", Verb::CloseShort),
    word("sairdocomprado", "sair_do_comprado", Verb::CloseLong),
    word("sairdovendido", "sair_do_vendido", Verb::CloseShort),
    word("salir", "salir", Verb::Close),
    word("salircorto", "salir_corto", Verb::CloseShort),
    word("salirlargo", "salir_largo", Verb::CloseLong),
    word("sell", "sell", Verb::Sell),
    word("sellshort", "sell_short", Verb::EnterShort),
    word("selltoclose", "sell_to_close", Verb::CloseLong),
    word("selltoopen", "sell_to_open", Verb::EnterShort),
    word("short", "short", Verb::Sell),
    word("shortentry", "short_entry", Verb::EnterShort),
    word("shortexit", "short_exit", Verb::CloseShort),
    word("test", "test", Verb::Heartbeat),
    word("teste", "teste", Verb::Heartbeat),
    word("venda", "venda", Verb::Sell),
    word("vender", "vender", Verb::Sell),
    word("vendida", "vendida", Verb::Sell),
    word("vendido", "vendido", Verb::Sell),
    word("venta", "venta", Verb::Sell),
    word("virarmao", "virar_mao", Verb::Reverse),
    word("wait", "wait", Verb::Heartbeat),
    word("zerada", "zerada", Verb::Close),
    word("zerado", "zerado", Verb::Close),
    word("zerar", "zerar", Verb::Close),
    word("zerarcompra", "zerar_compra", Verb::CloseLong),
    word("zerartudo", "zerar_tudo", Verb::Close),
    word("zerarvenda", "zerar_venda", Verb::CloseShort),
];

#[cfg(test)]
mod tests {
    use super::super::names::assert_sorted;
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_folded() {
        assert_sorted(VERBS);
        assert_sorted(ORDER_TYPES);
        assert_sorted(POSITIONS);
        assert_sorted(AMBIGUOUS);
    }

    #[test]
    fn every_word_is_in_the_guides() {
        super::super::names::assert_documented(VERBS);
    }
}
